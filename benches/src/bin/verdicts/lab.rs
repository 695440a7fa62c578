//! One server with a responder and a bucket, and windows of load on them.

use std::time::{Duration, Instant};

use async_nats::Client;
use async_nats::jetstream::{self, kv, stream};
use isolated_nats::results::{Better, MetricKind, Sample, Unit};
use isolated_nats::{ExternalNats, LoadGenerator, LoadReport, OperationError, Schedule};
use isolated_nats_benches::Error;
use isolated_nats_benches::responder::Responder;
use isolated_nats_benches::stats::median;

const ECHO: &str = "verdicts.echo";
const BUCKET: &str = "verdicts";
/// Enough operations in a window for its percentiles, few enough that the machine has room for the others.
const WORKERS: usize = 4;

/// The server and what is on it.
pub(crate) struct Lab {
    pub(crate) nats: ExternalNats,
    client: Client,
    bucket: kv::Store,
    responder: Responder,
    length: Duration,
}

impl Lab {
    pub(crate) async fn open(length: Duration) -> Result<Self, Error> {
        let nats = ExternalNats::builder().jetstream().start().await?;
        let client = nats.client().await?;
        let storage = stream::StorageType::Memory;
        let of_bucket = kv::Config { bucket: BUCKET.into(), storage, ..Default::default() };
        let bucket = jetstream::new(client.clone()).create_key_value(of_bucket).await?;
        let responder = Responder::start(&nats, ECHO).await?;
        Ok(Self { nats, client, bucket, responder, length })
    }

    /// A window of operations of so many requests one after the other, each of which is answered: 6 are exactly a fifth more work
    /// than 5.
    pub(crate) async fn requests(&self, count: u32) -> Result<LoadReport, OperationError> {
        let schedule = Schedule::closed(WORKERS, self.length);
        let load = LoadGenerator::builder().schedule(schedule).payload_bytes(16..=16).progress(false);
        let load =
            load.operation_with("requests", 1, self.client.clone(), move |client, context| async move {
                for _ in 0..count {
                    client.request(ECHO, context.payload_bytes()).await?;
                }
                Ok::<_, OperationError>(())
            });
        let report = load.run().await?;
        match report.errors() {
            0 => Ok(report),
            errors => Err(format!("{errors} of {} operations failed", report.count()).into()),
        }
    }

    /// A window of values put under keys one after the other, by a plain loop.
    pub(crate) async fn puts(&self) -> Result<Sample, OperationError> {
        let (started, mut times) = (Instant::now(), Vec::new());
        while started.elapsed() < self.length {
            let put = Instant::now();
            self.bucket.put(format!("{}", times.len() % 100), "0123456789abcdef".into()).await?;
            times.push(put.elapsed().as_secs_f64());
        }
        let sample = Sample::new().rate("throughput", times.len() as f64 / started.elapsed().as_secs_f64());
        let p50 = median(&times).ok_or("no put in a window")?;
        Ok(sample.with("p50", MetricKind::Median, Unit::Seconds, Better::Lower, p50))
    }

    pub(crate) fn close(self) -> Result<(), Error> {
        self.responder.end()
    }
}
