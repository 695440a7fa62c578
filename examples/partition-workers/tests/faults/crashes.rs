//! Workers that end without a word: dropped, a worker does nothing more, and its handler hears nothing.

use futures_util::future::try_join_all;
use isolated_nats::{ExternalNats, isolated_nats};
use partition_workers::{Status, Worker};

use crate::support::{Failure, Gate, Group, SHORT};

#[isolated_nats(jetstream, timeout = "60s")]
async fn the_partitions_of_a_follower_go_to_the_others(nats: ExternalNats) -> Result<(), Failure> {
    let group = Group::open(&nats, 12, SHORT).await?;
    let mut workers = three(&group).await?;
    let follower = workers.iter().position(|worker| !worker.is_leader()).ok_or("all lead")?;
    drop(workers.swap_remove(follower));
    assert_shared_by(&group.stable(2).await?, &workers);
    Ok(())
}

#[isolated_nats(jetstream, timeout = "60s")]
async fn another_leads_when_the_leader_crashes(nats: ExternalNats) -> Result<(), Failure> {
    let group = Group::open(&nats, 12, SHORT).await?;
    let mut workers = three(&group).await?;
    let leader = leader_of(&workers)?;
    drop(workers.swap_remove(leader));
    let status = group.stable(2).await?;
    assert_shared_by(&status, &workers);
    assert!(workers.iter().any(|worker| status.leader.as_deref() == Some(worker.id())), "{status:?}");
    Ok(())
}

#[isolated_nats(jetstream, timeout = "60s")]
async fn the_last_one_gets_all_when_the_leader_and_a_follower_crash_at_once(
    nats: ExternalNats,
) -> Result<(), Failure> {
    let group = Group::open(&nats, 12, SHORT).await?;
    let mut workers = three(&group).await?;
    let leader = leader_of(&workers)?;
    workers.swap(0, leader);
    drop(workers.drain(..2).collect::<Vec<_>>());
    assert_shared_by(&group.stable(1).await?, &workers);
    Ok(())
}

#[isolated_nats(jetstream, timeout = "60s")]
async fn a_worker_after_the_crash_of_all_gets_all(nats: ExternalNats) -> Result<(), Failure> {
    let group = Group::open(&nats, 12, SHORT).await?;
    drop(three(&group).await?);
    let last = group.start("d").await?;
    assert_shared_by(&group.stable(1).await?, &[last]);
    Ok(())
}

/// The leader has to see that nobody is there to acknowledge.
#[isolated_nats(jetstream, timeout = "60s")]
async fn a_crash_while_letting_go_does_not_stop_the_rest(nats: ExternalNats) -> Result<(), Failure> {
    let group = Group::open(&nats, 12, SHORT).await?;
    let letting_go = Gate::closed();
    let _a = group.start("a").await?;
    let b = group.start_with("b", group.recorder("b").waits_when_revoked(&letting_go)).await?;
    group.stable(2).await?;
    let _c = group.start("c").await?;
    letting_go.reached().await?;
    drop(b);
    group.stable(2).await?;
    Ok(())
}

/// Its successor finds a rebalance half done.
#[isolated_nats(jetstream, timeout = "60s")]
async fn a_crash_of_the_leader_while_another_lets_go_does_not_stop_the_rest(
    nats: ExternalNats,
) -> Result<(), Failure> {
    let group = Group::open(&nats, 12, SHORT).await?;
    let letting_go = Gate::closed();
    let leader = group.start("a").await?;
    group.stable(1).await?;
    let _b = group.start_with("b", group.recorder("b").waits_when_revoked(&letting_go)).await?;
    group.stable(2).await?;
    let _c = group.start("c").await?;
    letting_go.reached().await?;
    drop(leader);
    letting_go.open();
    group.stable(2).await?;
    Ok(())
}

#[isolated_nats(jetstream, timeout = "60s")]
async fn a_crash_while_being_given_partitions_does_not_stop_the_rest(
    nats: ExternalNats,
) -> Result<(), Failure> {
    let group = Group::open(&nats, 12, SHORT).await?;
    let taking = Gate::closed();
    let _a = group.start("a").await?;
    group.stable(1).await?;
    let b = group.start_with("b", group.recorder("b").waits_when_assigned(&taking)).await?;
    taking.reached().await?;
    drop(b);
    group.stable(1).await?;
    Ok(())
}

async fn three(group: &Group) -> Result<Vec<Worker>, Failure> {
    let workers = try_join_all(["a", "b", "c"].map(|id| group.start(id))).await?;
    group.stable(3).await?;
    Ok(workers)
}

fn leader_of(workers: &[Worker]) -> Result<usize, Failure> {
    Ok(workers.iter().position(Worker::is_leader).ok_or("nobody leads")?)
}

fn assert_shared_by(status: &Status, workers: &[Worker]) {
    let mut ids: Vec<_> = workers.iter().map(Worker::id).collect();
    ids.sort_unstable();
    assert_eq!(status.workers.keys().collect::<Vec<_>>(), ids);
    assert!(status.workers.values().all(|owned| owned.len() == 12 / workers.len()), "{status:?}");
}
