//! What is left in the bucket of workers that are gone.

use async_nats::jetstream;
use isolated_nats::{ExternalNats, eventually, isolated_nats};

use crate::support::{Failure, Group, LIMIT, LONG, SHORT};

/// The group, the leader, the assignment, and the one worker that stays.
const KEYS: u64 = 4;

async fn messages(jetstream: &jetstream::Context) -> Result<u64, String> {
    let stream = jetstream.get_stream("KV_orders").await.map_err(|error| error.to_string())?;
    Ok(stream.cached_info().state.messages)
}

#[isolated_nats(jetstream, timeout = "120s")]
async fn the_bucket_does_not_grow_with_each_worker_that_ever_was(nats: ExternalNats) -> Result<(), Failure> {
    let jetstream = nats.jetstream().await?;
    let group = Group::open(&nats, 4, LONG).await?;
    let _stays = group.start("stays").await?;
    for number in 0..100 {
        let comes_and_goes = group.manager.start_worker(format!("w{number}"), group.recorder("w")).await?;
        comes_and_goes.stop().await?;
    }
    group.stable(1).await?;
    eventually("a bucket with the keys of one worker", LIMIT, async || match messages(&jetstream).await? {
        KEYS => Ok(()),
        more => Err(format!("{more} messages")),
    })
    .await?;
    Ok(())
}

/// As after a leader that stood still, and erased what the present one had not yet heard.
#[isolated_nats(jetstream, timeout = "60s")]
async fn a_worker_whose_end_nobody_tells_is_missed_nevertheless(nats: ExternalNats) -> Result<(), Failure> {
    let group = Group::open(&nats, 4, SHORT).await?;
    let _a = group.start("a").await?;
    group.stable(1).await?;
    let bucket = nats.jetstream().await?.get_key_value("orders").await?;
    bucket.put("workers.ghost", r#"{"incarnation":1,"acted_upon":0}"#.into()).await?;
    group.manager.wait_until(|status| !status.unassigned.is_empty()).await?; // they are the ghost's to be
    bucket.stream.purge().filter("$KV.orders.workers.ghost").await?;
    group.stable(1).await?;
    Ok(())
}
