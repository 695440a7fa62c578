//! What a child measures of one cell.

use std::error::Error;
use std::time::{Duration, Instant};

use isolated_nats::results::Fingerprint;
use isolated_nats::{ExternalNats, MemoryProbe};

use super::application::{Application, load};
use super::cell::Cell;
use super::order::{Measurement, Order};

/// How long the group of one worker is loaded.
const PROCESS_WARM_UP: Duration = Duration::from_millis(50);

/// How long the load runs before the one that is measured.
pub(crate) fn warm_up(load: Duration) -> Duration {
    (load / 4).clamp(Duration::from_millis(100), Duration::from_secs(1))
}

/// Starts a server and all workers, loads them, and stops them again.
///
/// Two probes: the inner one ends while all is running, at rest; the outer one when all has stopped, for what is not given back.
pub(crate) async fn measure(order: &Order) -> Result<Measurement, Box<dyn Error>> {
    let nats = ExternalNats::builder().jetstream().start().await?;
    let fingerprint = Fingerprint::take().with_server(&nats);
    warm_up_process(&nats, order).await?;
    let whole = MemoryProbe::builder().without_samples().start();
    let probe = MemoryProbe::builder().server(&nats).start();

    let begun = Instant::now();
    let application = Application::start(&nats, order, "benchmark", None).await?;
    let to_stable = begun.elapsed();
    let ballast = ballast(&probe, order.more_memory).await;

    let client = nats.client().await?; // the load's own
    probe.phase("warm-up");
    load(&client, order, warm_up(order.load)).await?;
    probe.phase("load");
    let load = load(&client, order, order.load).await?;
    drop(client);
    probe.phase("idle");
    probe.settle().await;
    let memory = probe.finish();

    let begun = Instant::now();
    application.stop().await?;
    let to_stop = begun.elapsed();
    drop(ballast);
    whole.settle().await;
    let left_behind = whole.finish().live_heap_growth_bytes();
    nats.shutdown().await?;
    Ok(Measurement { to_stable, to_stop, memory, left_behind, load, fingerprint })
}

/// What a process does for the first time, such as to fill tables of the connection's crates, is not the cell's: a group of one worker goes
/// before it, under load, and is gone when this returns.
async fn warm_up_process(nats: &ExternalNats, order: &Order) -> Result<(), Box<dyn Error>> {
    let probe = MemoryProbe::builder().without_samples().start();
    let one = Order { cell: Cell { workers: 1, partitions: 1 }, leak: 0, ..*order };
    let application = Application::start(nats, &one, "warm-up", None).await?;
    let client = nats.client().await?;
    load(&client, &one, PROCESS_WARM_UP).await?;
    drop(client);
    application.stop().await?;
    probe.settle().await;
    drop(probe.finish());
    Ok(())
}

/// What `--more-memory` puts onto the heap: so many percent of what is there at rest, before any load.
async fn ballast(probe: &MemoryProbe, percent: u32) -> Vec<u8> {
    probe.settle().await;
    let held = probe.handle().now().and_then(|now| now.heap_growth_bytes).unwrap_or(0);
    let held = usize::try_from(held).unwrap_or(0);
    vec![1; held / 100 * usize::try_from(percent).unwrap_or(0)]
}
