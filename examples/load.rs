//! How does a library bear load, and what does it cost? Run with `cargo run --release --example load`.
//!
//! The same works in any test: install the allocator once in the test crate, and run the load in the test.

use std::error::Error;
use std::time::Duration;

use async_nats::{Client, jetstream};
use futures_util::StreamExt;
use isolated_nats::load::LoadErrorKind;
use isolated_nats::{
    ExternalNats, LoadGenerator, MemoryProbe, OperationError, Rate, Schedule, TrackingAllocator,
};

#[global_allocator]
static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();

/// The library under test: it asks for prices, and stores orders.
#[derive(Clone)]
struct Shop {
    client: Client,
    jetstream: jetstream::Context,
}

impl Shop {
    async fn price(&self, article: u64) -> Result<(), OperationError> {
        self.client.request("price", article.to_string().into()).await?;
        Ok(())
    }

    async fn order(&self, order: &[u8]) -> Result<(), OperationError> {
        // The second `await` waits until the server has stored it.
        self.jetstream.publish("orders", order.to_vec().into()).await?.await?;
        Ok(())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let nats = ExternalNats::builder().jetstream().start().await?;
    let shop = Shop { client: nats.client().await?, jetstream: nats.jetstream().await? };
    prepare(&nats).await?;

    let probe = MemoryProbe::builder().server(&nats).start();
    let report = LoadGenerator::builder()
        // 1000 operations a second, each due at its time, whether or not those before it have ended.
        .schedule(Schedule::steady(Rate::per_second(1000.0), Duration::from_secs(2)))
        .warm_up(Duration::from_millis(300))
        // Of ten, seven ask for a price.
        .operation_with("price", 7, shop.clone(), |shop, context| async move {
            shop.price(context.random() % 100).await
        })
        .operation_with("order", 3, shop, |shop, context| async move { shop.order(context.payload()).await })
        .payload_bytes(100..=2000)
        .threshold("errors<1%")
        .threshold("p99<100ms for price")
        .threshold("p99<100ms for order")
        .run()
        .await?;
    let report = report.with(&probe.finish(), &nats.process());

    println!("{report}");
    println!("{}", report.histogram());
    if let Some(split) = report.split() {
        println!("{split}");
    }
    // An error when a threshold failed. A machine that was busy with something else proves nothing, and says so.
    match report.check() {
        Err(error) if error.kind() == LoadErrorKind::Inconclusive => println!("{error}"),
        result => result?,
    }
    nats.shutdown().await?;
    Ok(())
}

/// Somebody who knows prices, and a stream for the orders.
async fn prepare(nats: &ExternalNats) -> Result<(), OperationError> {
    let config = jetstream::stream::Config {
        name: "ORDERS".into(),
        subjects: vec!["orders".into()],
        ..Default::default()
    };
    nats.jetstream().await?.create_stream(config).await?;
    let client = nats.client().await?;
    let mut questions = client.subscribe("price").await?;
    tokio::spawn(async move {
        while let Some(question) = questions.next().await {
            if let Some(reply) = question.reply {
                client.publish(reply, "12.50".into()).await?;
            }
        }
        Ok::<(), async_nats::PublishError>(())
    });
    Ok(())
}
