//! The ready-made control: plain requests.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;

use super::side::Side;
use crate::load::OperationError;
use crate::poll::scaled;
use crate::process::{self, ProcessProbe};
use crate::results::metric::{Better, MetricKind, Unit};
use crate::results::sample::Sample;
use crate::results::stats::quantile;
use crate::server::ExternalNats;

pub(in crate::results) const NAME: &str = "200 plain requests";
const REQUESTS: u32 = 200;
/// The CPU time of a test's thread.
pub(crate) const CPU_TIME: &str = "cpu time";
/// It takes some 20 ms; a server that does not answer must not hold a test up.
const LONGEST: Duration = Duration::from_secs(5);

/// So many plain requests, one after the other, on a connection that lives as long as this.
pub(super) struct Requests {
    nats: ExternalNats,
    client: Option<async_nats::Client>,
}

impl Requests {
    pub(super) fn new(nats: &ExternalNats) -> Self {
        Self { nats: nats.clone(), client: None }
    }

    async fn measure(&mut self) -> Result<Sample, OperationError> {
        if self.client.is_none() {
            self.client = Some(self.nats.client().await?);
        }
        let Some(client) = &self.client else { return Ok(Sample::new()) };
        // Nobody else's, and one that users with few permissions mostly may use.
        let subject = client.new_inbox();
        let requests = client.subscribe(subject.clone()).await?;
        // Both ends in one task, which is not spawned: nothing is left when the round ends.
        let mut requests = requests.take(REQUESTS as usize + 1);
        let respond = async {
            while let Some(request) = requests.next().await {
                if let Some(reply) = request.reply {
                    client.publish(reply, request.payload).await?;
                }
            }
            Ok::<_, OperationError>(())
        };
        let (sample, ()) = futures_util::future::try_join(self.ask(client, &subject), respond).await?;
        Ok(sample)
    }

    async fn ask(&self, client: &async_nats::Client, subject: &str) -> Result<Sample, OperationError> {
        client.request(subject.to_owned(), "0123456789abcdef".into()).await?; // the subscription is in place
        let own = ProcessProbe::new(std::process::id());
        let server = self.nats.process();
        let cpu = |probe: &ProcessProbe| probe.sample().ok().map(|sample| sample.cpu_time);
        let before = (cpu(&own), cpu(&server));
        let started = Instant::now();
        let mut times = Vec::with_capacity(REQUESTS as usize);
        for _ in 0..REQUESTS {
            let asked = Instant::now();
            client.request(subject.to_owned(), "0123456789abcdef".into()).await?;
            times.push(asked.elapsed().as_secs_f64());
        }
        let took = started.elapsed();
        let used =
            |before: Option<Duration>, now: Option<Duration>| Some(now?.saturating_sub(before?) / REQUESTS);
        let sample = Sample::from(took).rate("throughput", f64::from(REQUESTS) / took.as_secs_f64());
        let sample = time(sample, "p50", MetricKind::Median, quantile(&times, 0.5));
        let sample = time(sample, "p99", MetricKind::Tail, quantile(&times, 0.99));
        let seconds = |used: Option<Duration>| used.map(|used| used.as_secs_f64());
        let sample = time(sample, "client cpu", MetricKind::Cpu, seconds(used(before.0, cpu(&own))));
        Ok(time(sample, "server cpu", MetricKind::Cpu, seconds(used(before.1, cpu(&server)))))
    }
}

/// The same once, on a runtime of its own; blocks until it is over.
pub(in crate::results) fn once(nats: &ExternalNats) -> Result<Sample, OperationError> {
    let _ours = crate::memory::ours();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let cpu = process::thread_time();
    let sample = runtime.block_on(async {
        let mut requests = Requests::new(nats);
        tokio::time::timeout(scaled(LONGEST), requests.measure()).await?
    })?;
    let used = cpu.zip(process::thread_time()).map(|(before, now)| now.saturating_sub(before));
    Ok(match used {
        Some(used) => sample.time(CPU_TIME, used),
        None => sample,
    })
}

fn time(sample: Sample, name: &str, kind: MetricKind, seconds: Option<f64>) -> Sample {
    match seconds {
        Some(seconds) => sample.with(name, kind, Unit::Seconds, Better::Lower, seconds),
        None => sample,
    }
}

impl Side for Requests {
    fn run<'s>(&'s mut self) -> Pin<Box<dyn Future<Output = Result<Sample, OperationError>> + 's>> {
        Box::pin(self.measure())
    }
}
