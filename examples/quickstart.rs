//! A real nats-server, started for this program alone: JetStream, a stream, a key-value bucket, and nothing left.
//!
//! Run it with `cargo run --example quickstart`. In a project of your own it needs `isolated-nats`, `async-nats`,
//! `futures-util` and `tokio` (features `macros`, `rt-multi-thread`).

use std::error::Error;

use async_nats::jetstream::{self, kv, stream};
use futures_util::StreamExt;
use isolated_nats::ExternalNats;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let nats = ExternalNats::builder().jetstream().start().await?;
    println!("nats-server {} runs at {} as process {}", nats.version(), nats.url(), nats.pid());
    println!("its files are in {}", nats.dir().display());

    let jetstream = nats.jetstream().await?;
    orders(&jetstream).await?;
    settings(&jetstream).await?;

    let figures = nats.process().sample()?;
    println!("the server uses {:.1} MiB of memory, none of it in this process", mebibytes(figures.rss_bytes));
    let stored = nats.monitor().jsz().await?;
    println!("it stores {} messages in {} streams", stored.messages, stored.streams);

    let directory = nats.dir().to_owned();
    let status = nats.shutdown().await?;
    println!(
        "it ended with {status}, and its files are {}",
        if directory.exists() { "still there" } else { "gone" }
    );
    Ok(())
}

/// Three orders through a stream, and back by a durable consumer.
async fn orders(jetstream: &jetstream::Context) -> Result<(), Box<dyn Error + Send + Sync>> {
    let config =
        stream::Config { name: "ORDERS".into(), subjects: vec!["orders.>".into()], ..Default::default() };
    let stream = jetstream.create_stream(config).await?;
    for number in 1..=3 {
        jetstream.publish(format!("orders.{number}"), "a book".into()).await?.await?;
    }
    let config =
        jetstream::consumer::pull::Config { durable_name: Some("billing".into()), ..Default::default() };
    let consumer = stream.create_consumer(config).await?;
    let mut messages = consumer.fetch().max_messages(3).messages().await?;
    while let Some(message) = messages.next().await {
        let message = message?;
        message.ack().await?;
        println!("billed {}: {}", message.subject, String::from_utf8_lossy(&message.payload));
    }
    Ok(())
}

/// A setting in a bucket, changed once.
async fn settings(jetstream: &jetstream::Context) -> Result<(), Box<dyn Error + Send + Sync>> {
    let config = kv::Config { bucket: "settings".into(), history: 2, ..Default::default() };
    let bucket = jetstream.create_key_value(config).await?;
    bucket.put("currency", "EUR".into()).await?;
    let revision = bucket.put("currency", "CHF".into()).await?;
    let value = bucket.get("currency").await?.ok_or("the setting is there")?;
    assert_eq!(value, "CHF");
    println!("currency is {} in revision {revision}", String::from_utf8_lossy(&value));
    Ok(())
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
