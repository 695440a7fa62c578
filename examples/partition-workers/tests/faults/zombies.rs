//! Workers that go on, or are heard, when others have their partitions.

use isolated_nats::{ExternalNats, all_of, eventually, isolated_nats};
use partition_workers::{State, Worker};

use crate::elsewhere::Elsewhere;
use crate::support::{Failure, Gate, Group, LIMIT, SHORT, is};
use crate::uplink::Uplink;

#[isolated_nats(jetstream, timeout = "60s")]
async fn a_worker_that_stood_still_knows_at_once_that_it_owns_nothing(
    nats: ExternalNats,
) -> Result<(), Failure> {
    let group = Group::open(&nats, 12, SHORT).await?;
    let _a = group.start("a").await?;
    group.stable(1).await?;
    let zombie = Elsewhere::start(group.seat(), "b", group.recorder("b")).await?;
    let lost = group.stable(2).await?.workers["b"].clone();
    let frozen = zombie.freeze().await?;
    group.stable(1).await?;
    assert_eq!(group.ownership.history(lost[0]).last().map(String::as_str), Some("assigned to a"));

    assert!(frozen.thaw().await?.is_empty());

    eventually("its handler is told to let go", LIMIT, async || {
        let history = group.ownership.history(lost[0]);
        if history.iter().any(|event| event == "revoked from b") {
            Ok(())
        } else {
            Err(format!("{history:?}"))
        }
    })
    .await?;
    let status = group.stable(2).await?;
    assert_eq!(zombie.worker.owned(), status.workers["b"]);
    zombie.worker.stop().await?;
    group.stable(1).await?;
    Ok(())
}

#[isolated_nats(jetstream, timeout = "60s")]
async fn a_leader_that_stood_still_leads_no_longer(nats: ExternalNats) -> Result<(), Failure> {
    let group = Group::open(&nats, 12, SHORT).await?;
    let zombie = Elsewhere::start(group.seat(), "a", group.recorder("a")).await?;
    group.stable(1).await?;
    let others = [group.start("b").await?, group.start("c").await?];
    assert_eq!(group.stable(3).await?.leader.as_deref(), Some("a"));
    let frozen = zombie.freeze().await?;
    let without = group.stable(2).await?;
    assert_ne!(without.leader.as_deref(), Some("a"));

    assert!(frozen.thaw().await?.is_empty());

    let status = group.stable(3).await?;
    let leaders = others.iter().chain([&zombie.worker]).filter(|worker| worker.is_leader());
    assert_eq!(leaders.map(Worker::id).collect::<Vec<_>>(), status.leader.as_slice());
    Ok(())
}

/// The leader still hears what it waits for, and what it writes then arrives when another leads.
#[isolated_nats(jetstream, timeout = "60s")]
async fn what_a_leader_writes_too_late_is_refused(nats: ExternalNats) -> Result<(), Failure> {
    let group = Group::open(&nats, 12, SHORT).await?;
    let uplink = Uplink::to(&nats).await?;
    let _a = group.start_by(uplink.client().await?, "a").await?;
    group.stable(1).await?;
    let letting_go = Gate::closed();
    let _b = group.start_with("b", group.recorder("b").waits_when_revoked(&letting_go)).await?;
    group.stable(2).await?;
    let _c = group.start("c").await?;
    letting_go.reached().await?;
    uplink.hold();
    letting_go.open();
    group.stable(2).await?; // without it

    let late = uplink.release();

    assert!(late.contains("$KV.orders.assignment"), "{late}");
    let mut leaders = Vec::new();
    let all_are_back = group.manager.wait_until(|status| {
        leaders.extend(status.leader.clone());
        status.is_stable() && status.workers.len() == 3
    });
    all_are_back.await?;
    assert!(!leaders.contains(&"a".into()), "{leaders:?}");
    Ok(())
}

/// Another worker has its name, and its key, by then.
#[isolated_nats(jetstream, timeout = "60s")]
async fn the_end_of_a_zombie_does_no_harm_to_its_successor(nats: ExternalNats) -> Result<(), Failure> {
    let group = Group::open(&nats, 12, SHORT).await?;
    let a = group.start("a").await?;
    group.stable(1).await?;
    let zombie = Elsewhere::start(group.seat(), "b", group.recorder("b")).await?;
    group.stable(2).await?;
    let frozen = zombie.freeze().await?;
    let again = Elsewhere::start(group.seat(), "b", group.recorder("b")).await?; // its successor, of the same name
    let status = group.stable(2).await?;
    assert!(frozen.thaw().await?.is_empty());
    drop(zombie);
    all_of(LIMIT, [is(&a, State::Stable), is(&again.worker, State::Stable)]).await?;
    assert_eq!(group.stable(2).await?.owners(), status.owners());
    Ok(())
}
