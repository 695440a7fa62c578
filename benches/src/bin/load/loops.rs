//! Who runs an operation: a loop that is written by hand, bare or with clocks, and the load generator.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hdrhistogram::Histogram;
use isolated_nats::{LoadGenerator, OperationContext, OperationError, Schedule, Workload};
use isolated_nats_benches::Error;
use tokio::task::JoinSet;

use crate::operations::Operation;

/// Nothing takes longer than this in a slice.
const LONGEST_NANOSECONDS: u64 = 60_000_000_000;

/// One slice: so many operations, so many at a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slice {
    pub(crate) workers: usize,
    pub(crate) operations: u64,
    pub(crate) bytes: usize,
}

/// What a slice took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Took {
    pub(crate) per_second: f64,
    /// p50 and p99 in microseconds, of whoever reads clocks.
    pub(crate) latency: Option<(f64, f64)>,
}

/// Who runs the operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Runner {
    /// The loop, and nothing but the loop.
    Bare,
    /// The loop with two clocks around each operation, and one `record`.
    Plain,
    Ours,
}

pub(crate) async fn run<O: Operation>(
    runner: Runner,
    operation: &Arc<O>,
    slice: Slice,
) -> Result<Took, Error> {
    match runner {
        Runner::Bare => bare(operation, slice).await,
        Runner::Plain => plain(operation, slice).await,
        Runner::Ours => ours(operation, slice).await,
    }
}

/// What each worker does of the numbers: every so many-th, so that all begin at 0 and the last one has the last.
fn share(slice: Slice, worker: usize) -> impl Iterator<Item = u64> {
    (worker as u64..slice.operations).step_by(slice.workers)
}

fn payload(slice: Slice) -> Bytes {
    Bytes::from(vec![b'x'; slice.bytes])
}

async fn bare<O: Operation>(operation: &Arc<O>, slice: Slice) -> Result<Took, Error> {
    let begin = Instant::now();
    let mut workers = JoinSet::new();
    for worker in 0..slice.workers {
        let (operation, payload) = (Arc::clone(operation), payload(slice));
        workers.spawn(async move {
            for number in share(slice, worker) {
                operation.run(number, payload.clone()).await?;
            }
            Ok::<_, OperationError>(())
        });
    }
    while let Some(ended) = workers.join_next().await {
        ended??;
    }
    Ok(Took { per_second: rate(slice, begin.elapsed()), latency: None })
}

async fn plain<O: Operation>(operation: &Arc<O>, slice: Slice) -> Result<Took, Error> {
    let empty = Histogram::<u64>::new_with_bounds(1, LONGEST_NANOSECONDS, 2)?;
    let mut all = empty.clone();
    let each: Vec<_> = (0..slice.workers).map(|worker| (worker, empty.clone())).collect();
    let begin = Instant::now();
    let mut workers = JoinSet::new();
    for (worker, mut recorded) in each {
        let (operation, payload) = (Arc::clone(operation), payload(slice));
        workers.spawn(async move {
            for number in share(slice, worker) {
                let start = Instant::now();
                operation.run(number, payload.clone()).await?;
                recorded.saturating_record(start.elapsed().as_nanos() as u64);
            }
            Ok::<_, OperationError>((recorded, Instant::now()))
        });
    }
    let mut end = begin;
    while let Some(ended) = workers.join_next().await {
        let (recorded, at) = ended??;
        all.add(recorded)?;
        end = end.max(at);
    }
    if all.len() != slice.operations {
        return Err(format!("{} of {} operations were recorded", all.len(), slice.operations).into());
    }
    let microseconds = |share| all.value_at_quantile(share) as f64 / 1e3;
    let latency = Some((microseconds(0.5), microseconds(0.99)));
    Ok(Took { per_second: rate(slice, end - begin), latency })
}

/// As a `Workload`, whose calls share it without counting who does.
struct Ours<O>(Arc<O>);

impl<O: Operation> Workload for Ours<O> {
    type State = ();

    async fn set_up(&self, _: usize) -> Result<(), OperationError> {
        Ok(())
    }

    async fn run(&self, (): &mut (), context: OperationContext) -> Result<(), OperationError> {
        self.0.run(context.sequence(), context.payload_bytes()).await
    }
}

async fn ours<O: Operation>(operation: &Arc<O>, slice: Slice) -> Result<Took, Error> {
    let report = LoadGenerator::builder()
        .schedule(Schedule::closed_count(slice.workers, slice.operations))
        .payload_bytes(slice.bytes..=slice.bytes)
        .progress(false)
        .workload("operation", 1, Ours(Arc::clone(operation)))
        .run()
        .await?;
    if report.count() != slice.operations || report.errors() > 0 {
        let (count, errors) = (report.count(), report.errors());
        return Err(format!("{count} of {} operations, {errors} failed", slice.operations).into());
    }
    let microseconds = |percent| {
        let found = report.service().percentile(percent);
        found.map(|found| found.as_secs_f64() * 1e6).ok_or("the report has no latency")
    };
    let latency = Some((microseconds(50.0)?, microseconds(99.0)?));
    Ok(Took { per_second: rate(slice, report.elapsed()), latency })
}

fn rate(slice: Slice, elapsed: Duration) -> f64 {
    slice.operations as f64 / elapsed.as_secs_f64()
}
