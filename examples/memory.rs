//! What does a library cost in memory, and what of it is the server's? Run with `cargo run --example memory`.
//!
//! The same works in any test: install the allocator once in the test crate, and start a probe in the test.

use std::error::Error;

use async_nats::Client;
use isolated_nats::{Ceiling, ExternalNats, MemoryProbe, TrackingAllocator};

#[global_allocator]
static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();

/// The library that is measured: it keeps the last orders, and publishes each.
struct Orders {
    client: Client,
    recent: Vec<String>,
}

impl Orders {
    const KEPT: usize = 100;

    async fn place(&mut self, order: String) -> Result<(), async_nats::PublishError> {
        self.client.publish("orders", order.clone().into()).await?;
        if self.recent.len() == Self::KEPT {
            self.recent.remove(0);
        }
        self.recent.push(order);
        Ok(())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let nats = ExternalNats::start().await?;

    let probe = MemoryProbe::builder().server(&nats).start();
    let mut orders = Orders { client: nats.client().await?, recent: Vec::new() };
    probe.phase("load");
    let library = probe.scope("orders");
    for number in 0..10_000 {
        library.wrap(orders.place(format!("order {number}: {}", "x".repeat(200)))).await?;
    }
    orders.client.flush().await?;
    probe.phase("idle");
    probe.settle().await;
    let report = probe.finish();

    println!("{report}");
    if let Some(split) = report.split() {
        println!("{split}");
    }
    report.check(&Ceiling::peak_heap(8 << 20))?;
    report.check(&Ceiling::live_heap_growth(1 << 20).in_phase("idle"))?;

    // Does each further order leave something behind?
    let growth = MemoryProbe::growth(200, async || {
        let order = format!("order: {}", "x".repeat(200));
        orders.place(order).await
    });
    let growth = growth.await?;
    println!("{growth}");
    growth.check_at_most(16.0)?;
    Ok(())
}
