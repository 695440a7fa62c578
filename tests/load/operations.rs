//! The ready-made operations against a real server, whose own figures must agree with the report's.
#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

mod core;
mod end;
mod jetstream;
mod kv;
#[cfg(any(feature = "object-store", feature = "object-store-aws-lc-rs"))]
mod object;
mod preset;
mod seed;

use isolated_nats::load::{LoadGeneratorBuilder, LoadReport};
use isolated_nats::{ExternalNats, LoadGenerator, Schedule, Workload};

const OPERATIONS: u64 = 200;
const WORKERS: usize = 4;

/// A closed loop of 200 operations by 4 workers, 100 bytes each.
fn load<W: Workload>(workload: W) -> LoadGeneratorBuilder {
    LoadGenerator::builder()
        .schedule(Schedule::closed_count(WORKERS, OPERATIONS))
        .payload_bytes(100..=100)
        .progress(false)
        .workload("it", 1, workload)
}

/// Runs it, all of it without an error.
async fn run(builder: LoadGeneratorBuilder) -> LoadReport {
    let report = builder.run().await.unwrap();
    assert_eq!((report.count(), report.errors()), (OPERATIONS, 0), "{:?}", report.errors_by_kind());
    report
}

/// Items and bytes of all operations.
fn moved(report: &LoadReport) -> (u64, u64) {
    (report.counts().items, report.counts().bytes)
}

async fn jetstream() -> (ExternalNats, async_nats::jetstream::Context) {
    let nats = ExternalNats::builder().jetstream().start().await.unwrap();
    let jetstream = nats.jetstream().await.unwrap();
    (nats, jetstream)
}
