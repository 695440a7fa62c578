//! What is left after a stop.

use isolated_nats::{ExternalNats, LeakGuard, isolated_nats};

use crate::support::{Failure, Group, LONG, SHORT};

/// No task, connection, subscription or consumer. The bucket is meant to stay.
#[isolated_nats(jetstream, timeout = "60s")]
async fn nothing_is_left_after_a_stop(nats: ExternalNats) -> Result<(), Failure> {
    let guard = LeakGuard::builder().server(&nats).strict().ignore_names("KV_orders");
    let start_and_stop = async {
        let group = Group::open(&nats, 6, LONG).await?;
        let (a, b) = (group.start("a").await?, group.start("b").await?);
        group.stable(2).await?;
        a.stop().await?;
        b.stop().await?;
        Ok::<_, Failure>(())
    };
    guard.run(start_and_stop).await
}

/// What a crash leaves is gone when its lease has run out, and is none of the process's.
#[isolated_nats(jetstream, timeout = "60s")]
async fn nothing_is_left_after_a_drop(nats: ExternalNats) -> Result<(), Failure> {
    let guard = LeakGuard::builder().server(&nats).ignore_names("KV_orders");
    let start_and_drop = async {
        let group = Group::open(&nats, 6, LONG).await?;
        let _workers = (group.start("a").await?, group.start("b").await?);
        group.stable(2).await?;
        Ok::<_, Failure>(())
    };
    guard.run(start_and_drop).await
}

#[isolated_nats(jetstream, timeout = "60s")]
async fn a_stop_without_a_server_says_that_the_others_were_not_told(
    nats: ExternalNats,
) -> Result<(), Failure> {
    let group = Group::open(&nats, 6, SHORT).await?;
    let worker = group.start("a").await?;
    group.stable(1).await?;
    let holdings = worker.holdings();
    nats.kill()?;
    let error = worker.stop().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "worker `a` has stopped, and the server did not answer within 600ms (the others wait for its lease to run out)"
    );
    assert!(holdings.owned().is_empty());
    nats.restart().await?; // clients without a server would connect for ever
    Ok(())
}
