//! How far does a request/reply service scale, and what limits it? Run with `cargo run --release --example scalability`.
//!
//! The service prices orders: some work that it does for many orders at a time, and some that it does under one lock. The sweep
//! raises the number of orders in flight, until what is added only waits.

use std::error::Error;
use std::hint::black_box;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::{Client, Message};
use futures_util::StreamExt;
use isolated_nats::results::{Axis, Store, Sweep, SweepStep};
use isolated_nats::{ExternalNats, LoadGenerator, OperationError, Schedule};

/// The service under test.
#[derive(Clone)]
struct Pricing {
    client: Client,
    /// What all orders have to pass one after the other.
    ledger: Arc<Mutex<u64>>,
}

impl Pricing {
    async fn price(self, order: Message) -> Result<(), OperationError> {
        let price = work(&order.payload, 2000); // on as many threads as there are
        let total = {
            let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
            *ledger = ledger.wrapping_add(work(&order.payload, 2000) ^ price);
            *ledger
        };
        if let Some(reply) = order.reply {
            self.client.publish(reply, total.to_string().into()).await?;
        }
        Ok(())
    }

    /// Returns once the server knows of the subscription.
    async fn start(self) -> Result<(), OperationError> {
        let mut orders = self.client.subscribe("orders").await?;
        self.client.request("nobody", "".into()).await.ok(); // an answer, even that nobody is there, comes after the subscription
        tokio::spawn(async move {
            while let Some(order) = orders.next().await {
                tokio::spawn(self.clone().price(order));
            }
        });
        Ok(())
    }
}

/// Some microseconds for each hundred rounds.
fn work(bytes: &[u8], rounds: u64) -> u64 {
    let hash = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    (0..rounds).fold(0, |sum, round| black_box(bytes.iter().fold(sum ^ round, hash)))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let nats = ExternalNats::start().await?;
    Pricing { client: nats.client().await?, ledger: Arc::default() }.start().await?;
    let client = nats.client().await?;

    let sweep = Sweep::doubling(Axis::Concurrency, 1, 64)
        .named("pricing")
        .threshold("p99<20ms")
        .threshold("errors<1%")
        .server(&nats)
        .budget(Duration::from_secs(18));
    let window = Duration::from_millis(300);
    println!("{} windows, {:.1?} at most\n", sweep.planned_windows(), sweep.expected_duration(window));
    let report = sweep
        .run(async |step: SweepStep| {
            LoadGenerator::builder()
                .schedule(Schedule::closed(step.as_usize(), Duration::from_millis(250)))
                .warm_up(Duration::from_millis(30))
                .operation_with("order", 1, client.clone(), |client, context| async move {
                    client.request("orders", context.payload().to_vec().into()).await?;
                    Ok(())
                })
                .run()
                .await
        })
        .await?;

    let results = report.into_results();
    println!("{results}");
    let directory = Store::find()?.directory().join("scalability");
    for file in results.write_to(directory)? {
        println!("{}", file.display());
    }
    nats.shutdown().await?;
    Ok(())
}
