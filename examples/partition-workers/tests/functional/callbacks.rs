//! Handlers that take long, or panic.

use std::time::Duration;

use isolated_nats::{ExternalNats, eventually, isolated_nats};

use crate::support::{Failure, Gate, Group, LIMIT, Panics, SHORT};

/// Without heartbeats it would be taken for dead, and its partitions would go to others.
#[isolated_nats(jetstream, timeout = "60s")]
async fn a_handler_that_takes_longer_than_a_lease_holds_up_no_heartbeat(
    nats: ExternalNats,
) -> Result<(), Failure> {
    let lease = Duration::from_secs(2);
    let group = Group::open(&nats, 4, lease).await?;
    let letting_go = Gate::closed();
    let handler = group.recorder("a").waits_when_revoked(&letting_go);
    let renewals = handler.renewals();
    let _a = group.start_with("a", handler).await?;
    group.stable(1).await?;
    let _b = group.start("b").await?;
    letting_go.reached().await?;
    let before = *renewals.borrow();
    // One is due in each quarter of a lease.
    eventually("heartbeats for longer than a lease", LIMIT, async || match *renewals.borrow() - before {
        6.. => Ok(()),
        few => Err(format!("{few} heartbeats")),
    })
    .await?;
    letting_go.open();
    group.stable(2).await?;
    Ok(())
}

#[isolated_nats(jetstream, timeout = "60s")]
async fn a_handler_that_panics_when_it_is_given_partitions_ends_its_worker(
    nats: ExternalNats,
) -> Result<(), Failure> {
    let group = Group::open(&nats, 4, SHORT).await?;
    let _a = group.start("a").await?;
    group.stable(1).await?;
    let b = group.start_with("b", Panics::WhenAssigned).await?;
    group.stable(1).await?; // not before it has ended: it was a member
    assert_eq!(b.stop().await.unwrap_err().to_string(), "worker `b` has ended by a panic of its handler");
    Ok(())
}

#[isolated_nats(jetstream, timeout = "60s")]
async fn a_handler_that_panics_when_it_is_to_let_go_ends_its_worker(
    nats: ExternalNats,
) -> Result<(), Failure> {
    let group = Group::open(&nats, 4, SHORT).await?;
    let a = group.start_with("a", Panics::WhenRevoked).await?;
    group.manager.wait_until_stable(1).await?;
    let b = group.start("b").await?;
    group.stable(1).await?;
    assert_eq!(b.owned().len(), 4);
    assert_eq!(a.stop().await.unwrap_err().to_string(), "worker `a` has ended by a panic of its handler");
    Ok(())
}

/// The last thing a handler hears may be the end of it.
#[isolated_nats(jetstream, timeout = "60s")]
async fn a_panic_while_it_stops_is_told_too(nats: ExternalNats) -> Result<(), Failure> {
    let group = Group::open(&nats, 4, SHORT).await?;
    let a = group.start_with("a", Panics::WhenRevoked).await?;
    group.manager.wait_until_stable(1).await?;
    assert_eq!(a.stop().await.unwrap_err().to_string(), "worker `a` has ended by a panic of its handler");
    Ok(())
}
