//! A client survives a restart of its server, and JetStream keeps its data: after an orderly stop, and after a crash.
//!
//! Run it with `cargo run --example restart`. In a project of your own it needs `isolated-nats`, `async-nats` and `tokio`
//! (features `macros`, `rt-multi-thread`).

use std::error::Error;
use std::time::{Duration, Instant};

use async_nats::jetstream::{self, stream};
use isolated_nats::{ExternalNats, eventually};

const LIMIT: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let nats = ExternalNats::builder().jetstream().start().await?;
    let jetstream = nats.jetstream().await?; // one client for the whole time
    let config = stream::Config { name: "ORDERS".into(), ..Default::default() };
    jetstream.create_stream(config).await?;
    jetstream.publish("ORDERS", "before".into()).await?.await?;

    let process = nats.pid();
    nats.restart().await?;
    println!("stopped process {process}, started process {} on the same port, {}", nats.pid(), nats.port());
    expect_messages(&jetstream, 1).await?;

    nats.kill()?;
    println!("killed process {}", nats.pid());
    let down = Instant::now();
    assert!(nats.client().await.is_err(), "nobody answers now");
    nats.restart().await?;
    expect_messages(&jetstream, 1).await?;
    println!("the client was back {:.0?} after the crash", down.elapsed());

    publish(&jetstream, "after").await?;
    expect_messages(&jetstream, 2).await
}

/// Publishes once the client has its connection back; until then a publish fails, and is tried again.
async fn publish(
    jetstream: &jetstream::Context,
    payload: &'static str,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    eventually("the message is stored", LIMIT, async || {
        let acknowledged =
            jetstream.publish("ORDERS", payload.into()).await.map_err(|error| error.to_string())?;
        acknowledged.await.map_err(|error| error.to_string())
    })
    .await?;
    Ok(())
}

async fn expect_messages(
    jetstream: &jetstream::Context,
    expected: u64,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let messages = eventually("the stream answers", LIMIT, async || {
        let mut stream = jetstream.get_stream("ORDERS").await.map_err(|error| error.to_string())?;
        stream.info().await.map(|info| info.state.messages).map_err(|error| error.to_string())
    })
    .await?;
    assert_eq!(messages, expected);
    println!("the stream holds {messages} of {expected} messages");
    Ok(())
}
