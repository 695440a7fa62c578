//! Servers that restart, are away for longer than a lease, or stand still.

use std::time::Duration;

use futures_util::future::try_join_all;
use isolated_nats::{Condition, ExternalNats, all_of, isolated_nats};
use partition_workers::{State, Worker};

use crate::support::{Failure, Gate, Group, LIMIT, SHORT, is};

/// Far longer than a restart takes, and short enough for a heartbeat to be waited for.
const OUTLASTS_A_RESTART: Duration = Duration::from_secs(10);

#[isolated_nats(jetstream, timeout = "60s")]
async fn a_restart_shorter_than_the_lease_moves_nothing(nats: ExternalNats) -> Result<(), Failure> {
    let group = Group::open(&nats, 12, OUTLASTS_A_RESTART).await?;
    let handlers = ["a", "b", "c"].map(|id| group.recorder(id));
    let mut renewals = handlers.each_ref().map(|handler| handler.renewals());
    let starts = ["a", "b", "c"].into_iter().zip(handlers).map(|(id, handler)| group.start_with(id, handler));
    let _workers = try_join_all(starts).await?;
    let before = group.stable(3).await?;
    let told = group.ownership.events();
    nats.restart().await?;
    for renewed in &mut renewals {
        renewed.mark_unchanged();
        renewed.changed().await?;
    }
    let after = group.stable(3).await?;
    assert_eq!(after.owners(), before.owners());
    assert_eq!(group.ownership.events(), told, "{}", group.ownership);
    Ok(())
}

#[isolated_nats(jetstream, timeout = "60s")]
async fn a_rebalance_goes_on_after_a_restart_in_the_middle(nats: ExternalNats) -> Result<(), Failure> {
    let group = Group::open(&nats, 12, OUTLASTS_A_RESTART).await?;
    let letting_go = Gate::closed();
    let a = group.start_with("a", group.recorder("a").waits_when_revoked(&letting_go)).await?;
    group.stable(1).await?;
    let b = group.start("b").await?;
    letting_go.reached().await?;
    nats.restart().await?;
    assert_eq!(b.owned().len(), 0);
    letting_go.open();
    group.stable(2).await?;
    assert_eq!((a.owned().len(), b.owned().len()), (6, 6));
    Ok(())
}

#[isolated_nats(jetstream, timeout = "60s")]
async fn nobody_owns_any_while_the_server_is_away_for_longer_than_a_lease(
    nats: ExternalNats,
) -> Result<(), Failure> {
    let group = Group::open(&nats, 12, SHORT).await?;
    let workers = try_join_all(["a", "b", "c"].map(|id| group.start(id))).await?;
    group.stable(3).await?;
    nats.kill()?;
    all_of(LIMIT, workers.iter().map(owns_nothing)).await?;
    all_of(LIMIT, workers.iter().map(|worker| is(worker, State::Electing))).await?;
    nats.restart().await?;
    group.stable(3).await?;
    Ok(())
}

/// All connections stay open, and nothing is answered.
#[isolated_nats(jetstream, timeout = "60s")]
async fn nobody_owns_any_while_the_server_stands_still_for_longer_than_a_lease(
    nats: ExternalNats,
) -> Result<(), Failure> {
    let group = Group::open(&nats, 12, SHORT).await?;
    let workers = try_join_all(["a", "b", "c"].map(|id| group.start(id))).await?;
    group.stable(3).await?;
    nats.pause()?;
    all_of(LIMIT, workers.iter().map(owns_nothing)).await?;
    nats.resume()?;
    group.stable(3).await?;
    Ok(())
}

#[isolated_nats(jetstream, timeout = "60s")]
async fn what_was_let_go_while_the_server_was_away_is_given_on(nats: ExternalNats) -> Result<(), Failure> {
    let group = Group::open(&nats, 12, SHORT).await?;
    let letting_go = Gate::closed();
    let a = group.start_with("a", group.recorder("a").waits_when_revoked(&letting_go)).await?;
    group.stable(1).await?;
    let _b = group.start("b").await?;
    letting_go.reached().await?;
    nats.kill()?;
    all_of(LIMIT, [owns_nothing(&a)]).await?;
    letting_go.open();
    nats.restart().await?;
    group.stable(2).await?;
    Ok(())
}

#[isolated_nats(jetstream, timeout = "60s")]
async fn a_worker_can_stop_while_the_server_is_away(nats: ExternalNats) -> Result<(), Failure> {
    let group = Group::open(&nats, 12, SHORT).await?;
    let (_a, b) = (group.start("a").await?, group.start("b").await?);
    group.stable(2).await?;
    nats.kill()?;
    b.stop().await.unwrap_err(); // the others could not be told
    nats.restart().await?;
    group.stable(1).await?;
    Ok(())
}

fn owns_nothing(worker: &Worker) -> Condition<'_> {
    Condition::new(format!("`{}` owns nothing", worker.id()), move || async move {
        let owned = worker.owned();
        if owned.is_empty() { Ok(()) } else { Err(format!("it owns {owned:?}")) }
    })
}
