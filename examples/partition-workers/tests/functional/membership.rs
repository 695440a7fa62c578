//! Who owns what, as workers join and leave.

use std::collections::BTreeMap;

use futures_util::future::{join_all, try_join_all};
use isolated_nats::{ExternalNats, isolated_nats};
use partition_workers::{Partition, Status, Worker, least_movement, movement};

use crate::support::{Failure, Gate, Group, LONG};

#[isolated_nats(jetstream, timeout = "60s")]
async fn one_worker_gets_all(nats: ExternalNats) -> Result<(), Failure> {
    let group = Group::open(&nats, 7, LONG).await?;
    let worker = group.start("a").await?;
    let status = group.stable(1).await?;
    assert_eq!(status.workers, BTreeMap::from([("a".into(), (0..7).collect())]));
    assert_eq!(worker.owned(), (0..7).collect::<Vec<_>>());
    Ok(())
}

#[isolated_nats(jetstream, timeout = "60s")]
async fn workers_that_join_at_once_get_equal_shares(nats: ExternalNats) -> Result<(), Failure> {
    let group = Group::open(&nats, 30, LONG).await?;
    let workers = try_join_all(["a", "b", "c", "d"].map(|id| group.start(id))).await?;
    let status = group.stable(4).await?;
    assert_eq!(shares(&status), [7, 7, 8, 8]);
    assert_each_owns_its_own(&workers, &status);
    Ok(())
}

#[isolated_nats(jetstream, timeout = "60s")]
async fn a_join_moves_no_more_than_it_must(nats: ExternalNats) -> Result<(), Failure> {
    let group = Group::open(&nats, 30, LONG).await?;
    let mut workers = Vec::new();
    let mut before = Status::default().owners();
    for id in ["a", "b", "c", "d", "e"] {
        workers.push(group.start(id).await?);
        let status = group.stable(workers.len()).await?;
        let ids: Vec<_> = status.workers.keys().map(String::as_str).collect();
        assert_eq!(movement(&before, &status.owners()), least_movement(30, &ids, &before), "{id} has joined");
        assert_each_owns_its_own(&workers, &status);
        before = status.owners();
    }
    Ok(())
}

/// With a lease of an hour, the others have not waited for it.
#[isolated_nats(jetstream, timeout = "60s")]
async fn a_leave_is_not_waited_for(nats: ExternalNats) -> Result<(), Failure> {
    let group = Group::open(&nats, 6, LONG).await?;
    let (a, b) = (group.start("a").await?, group.start("b").await?);
    let before = group.stable(2).await?;
    b.stop().await?;
    let after = group.stable(1).await?;
    assert_eq!(a.owned(), (0..6).collect::<Vec<_>>());
    assert_eq!(movement(&before.owners(), &after.owners()), 3);
    for partition in &before.workers["b"] {
        let history = group.ownership.history(*partition);
        assert!(
            history.ends_with(&["revoked from b".into(), "assigned to a".into()]),
            "{partition}: {history:?}"
        );
    }
    let bucket = nats.jetstream().await?.get_key_value("orders").await?;
    assert_eq!(bucket.get("workers.b").await?, None);
    assert!(bucket.get("workers.a").await?.is_some());
    Ok(())
}

#[isolated_nats(jetstream, timeout = "60s")]
async fn a_partition_is_not_given_on_before_it_was_let_go(nats: ExternalNats) -> Result<(), Failure> {
    let group = Group::open(&nats, 4, LONG).await?;
    let letting_go = Gate::closed();
    let a = group.start_with("a", group.recorder("a").waits_when_revoked(&letting_go)).await?;
    group.stable(1).await?;
    let b = group.start("b").await?;
    letting_go.reached().await?;
    let before = group.manager.status().await?;
    let c = group.start("c").await?; // the leader has to think again
    let scaling = group.manager.wait_until(|now| now.revision > before.revision).await?;
    assert_eq!(scaling.unassigned, before.unassigned);
    assert_eq!((a.owned().len(), b.owned().len(), c.owned().len()), (2, 0, 0));
    letting_go.open();
    group.stable(3).await?;
    assert_eq!((a.owned().len(), b.owned().len(), c.owned().len()), (2, 1, 1));
    Ok(())
}

#[isolated_nats(jetstream, timeout = "60s")]
async fn two_join_and_two_leave_at_the_same_time(nats: ExternalNats) -> Result<(), Failure> {
    let group = Group::open(&nats, 24, LONG).await?;
    let first = try_join_all(["a", "b"].map(|id| group.start(id))).await?;
    group.stable(2).await?;
    let second = try_join_all(["c", "d"].map(|id| group.start(id))).await?;
    assert_eq!(shares(&group.stable(4).await?), [6, 6, 6, 6]);
    for stopped in join_all(first.into_iter().map(Worker::stop)).await {
        stopped?;
    }
    let status = group.stable(2).await?;
    assert_eq!(shares(&status), [12, 12]);
    assert_each_owns_its_own(&second, &status);
    Ok(())
}

#[isolated_nats(jetstream, timeout = "60s")]
async fn workers_beyond_the_partitions_own_none_until_another_leaves(
    nats: ExternalNats,
) -> Result<(), Failure> {
    let group = Group::open(&nats, 3, LONG).await?;
    let mut workers = try_join_all(["a", "b", "c", "d", "e"].map(|id| group.start(id))).await?;
    assert_eq!(shares(&group.stable(5).await?), [0, 0, 1, 1, 1]);
    let busy = workers.iter().position(|worker| !worker.owned().is_empty()).ok_or("nobody owns any")?;
    workers.swap_remove(busy).stop().await?;
    assert_eq!(shares(&group.stable(4).await?), [0, 1, 1, 1]);
    Ok(())
}

#[isolated_nats(jetstream, timeout = "60s")]
async fn a_group_that_was_empty_for_a_while_goes_on(nats: ExternalNats) -> Result<(), Failure> {
    let group = Group::open(&nats, 5, LONG).await?;
    group.start("a").await?.stop().await?;
    let empty = group.manager.status().await?;
    assert!(empty.workers.is_empty() && !empty.is_stable(), "{empty:?}");
    let _a = group.start("a").await?;
    let status = group.stable(1).await?;
    assert!(status.revision > empty.revision);
    Ok(())
}

#[isolated_nats(jetstream, timeout = "60s")]
async fn two_groups_on_a_server_do_not_disturb_each_other(nats: ExternalNats) -> Result<(), Failure> {
    let orders = Group::open_named(&nats, "orders", 6, LONG).await?;
    let prices = Group::open_named(&nats, "prices", 9, LONG).await?;
    let _orders = try_join_all(["a", "b"].map(|id| orders.start(id))).await?;
    let before = orders.stable(2).await?;
    let mut workers = try_join_all(["a", "b", "c"].map(|id| prices.start(id))).await?;
    assert_eq!(shares(&prices.stable(3).await?), [3, 3, 3]);
    workers.swap_remove(0).stop().await?;
    prices.stable(2).await?;
    assert_eq!(orders.stable(2).await?, before);
    Ok(())
}

/// Returns how many partitions each worker has, ascending.
fn shares(status: &Status) -> Vec<usize> {
    let mut shares: Vec<_> = status.workers.values().map(Vec::len).collect();
    shares.sort_unstable();
    shares
}

fn assert_each_owns_its_own(workers: &[Worker], status: &Status) {
    let owned: BTreeMap<String, Vec<Partition>> =
        workers.iter().map(|worker| (worker.id().into(), worker.owned())).collect();
    assert_eq!(owned, status.workers);
}
