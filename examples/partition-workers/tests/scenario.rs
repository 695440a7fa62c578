//! The scenario of CONTRIBUTING.md: a worker leaves, and another takes over.

use std::error::Error;

use async_nats::jetstream;
use isolated_nats::{TrackingAllocator, isolated_nats};
use partition_workers::{Config, Grant, Handler, Manager, Partition};

#[global_allocator]
static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();

struct Idle;

impl Handler for Idle {
    async fn assigned(&self, _: Grant) {}
    async fn revoked(&self, _: &[Partition]) {}
}

async fn handover(jetstream: jetstream::Context) -> Result<(), Box<dyn Error>> {
    let manager = Manager::open(jetstream, Config::new("handover", 100)).await?;
    let leaving = manager.start_worker("leaving", Idle).await?;
    let staying = manager.start_worker("staying", Idle).await?;
    manager.wait_until_stable(2).await?;
    leaving.stop().await?;
    manager.wait_until_stable(1).await?;
    assert_eq!(staying.owned(), (0..100).collect::<Vec<_>>());
    staying.stop().await?;
    Ok(())
}

#[isolated_nats(timeout = "30s")]
async fn whoever_stays_gets_all(jetstream: jetstream::Context) -> Result<(), Box<dyn Error>> {
    handover(jetstream).await
}

#[isolated_nats(baseline, timeout = "30s")]
#[ignore = "compares times: for a machine that does nothing else"]
async fn a_handover_stays_cheap(jetstream: jetstream::Context) -> Result<(), Box<dyn Error>> {
    handover(jetstream).await
}

#[test]
fn contributing_shows_what_is_here() {
    let here = include_str!("scenario.rs");
    let shown: Vec<_> = include_str!("../CONTRIBUTING.md").split("```rust\n").skip(1).collect();
    assert_eq!(shown.len(), 3);
    for block in shown {
        let code = block.split("```").next().unwrap();
        assert!(here.contains(code), "CONTRIBUTING.md has something else than tests/scenario.rs:\n{code}");
    }
}
