//! What does a library leave behind? Run with `cargo run --example leaks`.
//!
//! In a test with `#[isolated_nats]` the tasks are checked without a line; here a guard is asked for its report, to show it.

use std::error::Error;
use std::time::Duration;

use async_nats::Client;
use async_nats::jetstream::{self, consumer::pull};
use isolated_nats::{ExternalNats, LeakGuard, TrackingAllocator};

#[global_allocator] // for the lines that spawned the tasks
static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();

/// The library under test: it keeps a stream alive while it lives, and forgets two things when it ends.
struct Orders;

impl Orders {
    async fn open(client: &Client) -> Result<Self, Box<dyn Error>> {
        let jetstream = jetstream::new(client.clone());
        let config = jetstream::stream::Config { name: "ORDERS".into(), ..Default::default() };
        let stream = jetstream.create_stream(config).await?;
        // Forgotten: nobody deletes it.
        stream
            .create_consumer(pull::Config { durable_name: Some("audit".into()), ..Default::default() })
            .await?;
        tokio::spawn(heartbeat(client.clone())); // forgotten: nobody aborts it
        Ok(Self)
    }

    async fn close(self, client: &Client) -> Result<(), Box<dyn Error>> {
        jetstream::new(client.clone()).delete_stream("ORDERS").await?;
        Ok(())
    }
}

async fn heartbeat(client: Client) {
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    while client.publish("orders.heartbeat", "".into()).await.is_ok() {
        ticks.tick().await;
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let nats = ExternalNats::builder().jetstream().start().await?;
    let client = nats.client().await?;

    let guard = LeakGuard::builder().server(&nats).strict().start();
    let orders = Orders::open(&client).await?;
    let subscription = client.subscribe("orders.heartbeat").await?;
    orders.close(&client).await?;
    let report = guard.report().await;
    println!("{report}");
    drop(subscription);

    let kinds: Vec<String> = report.leaks().iter().map(|leak| leak.kind.to_string()).collect();
    if kinds != ["task", "subscription"] {
        return Err(format!("found {kinds:?}").into());
    }
    Ok(())
}
