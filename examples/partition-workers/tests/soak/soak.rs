//! The soak itself.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::Client;
use isolated_nats::load::{LoadHandle, LoadRun};
use isolated_nats::{
    ExternalNats, LoadGenerator, LoadReport, MemoryProbe, MemorySample, Rate, Schedule, Series, eventually,
    time_factor,
};
use partition_workers::Handler;

use crate::asking::Asking;
use crate::churn::Seeded;
use crate::crew::{Crew, Outcome, PATIENCE};
use crate::judge::{Judged, judge};

/// Short, so that crashes are soon over; a worker that is late and taken for dead joins anew.
const LEASE: Duration = Duration::from_millis(500);
const REQUESTS: Rate = Rate::per_second(200.0);
/// The load when it is the rounds that end the soak.
const LONG_ENOUGH: Duration = Duration::from_secs(60 * 60);
/// What the requests' subjects begin with.
pub const PREFIX: &str = "partition";
const SEED: u64 = 7;

/// What may be added over the whole run. Less is not told from noise, and over hours no leak is so small.
const HEAP: f64 = 64.0 * 1024.0;
const TASKS: f64 = 2.0;
const RSS: f64 = 4.0 * 1024.0 * 1024.0;

/// What is soaked.
#[derive(Clone, Copy, Debug)]
pub struct Soak {
    pub workers: usize,
    pub partitions: u32,
    /// Whether workers crash, too: each time, it takes more than a lease until others go on.
    pub crashes: bool,
}

/// How long.
#[derive(Clone, Copy, Debug)]
pub enum Until {
    Time(Duration),
    Rounds(usize),
}

/// What came of it.
#[derive(Debug)]
pub struct Soaked {
    rounds: usize,
    load: LoadReport,
    /// By kind; none of them is an error, since the request was made again.
    retries: BTreeMap<&'static str, u64>,
    /// The heap, the tasks, and the resident memory.
    pub judged: [Judged; 3],
}

impl Soak {
    /// Runs the load and, beside it, round after round of churn, with a sample after each.
    pub async fn run<H: Handler>(
        &self,
        nats: &ExternalNats,
        until: Until,
        make: impl Fn(Client) -> H,
    ) -> Outcome<Soaked> {
        let client = nats.client().await?;
        let make = || make(client.clone());
        let mut crew = Crew::open(client.clone(), self.partitions, LEASE.mul_f64(time_factor())).await?;
        for _ in 0..self.workers {
            crew.join(make()).await?;
        }
        crew.stable().await?;
        let asking = Arc::new(Asking::new(nats.client().await?, PREFIX, self.partitions));
        let load = start_load(&asking, until).await?;
        let samples = self.churn(&mut crew, until, make, &load.handle()).await?;
        load.handle().stop();
        let load = load.finish().await?;
        crew.disband().await?;
        Ok(Soaked { rounds: samples.heap.len(), load, retries: asking.retries(), judged: samples.judge() })
    }

    async fn churn<H: Handler>(
        &self,
        crew: &mut Crew,
        until: Until,
        make: impl Fn() -> H,
        load: &LoadHandle,
    ) -> Outcome<Samples> {
        let mut seeded = Seeded(SEED);
        let mut samples = Samples::default();
        let probe = MemoryProbe::start();
        let started = Instant::now();
        for round in 0.. {
            let over = match until {
                Until::Time(length) => started.elapsed() >= length,
                Until::Rounds(rounds) => round == rounds,
            };
            if over {
                break;
            }
            let change = seeded.change(self.crashes);
            seeded.round(crew, change, &make).await?;
            caught_up(load).await?;
            let _not_the_librarys = probe.pause();
            probe.handle().now().iter().for_each(|sample| samples.add(sample));
        }
        Ok(samples)
    }
}

async fn start_load(asking: &Arc<Asking>, until: Until) -> Outcome<LoadRun> {
    let length = match until {
        Until::Time(length) => length,
        Until::Rounds(_) => LONG_ENOUGH,
    };
    let load = LoadGenerator::builder()
        .schedule(Schedule::steady(REQUESTS, length))
        .seed(SEED)
        .stop_timeout(PATIENCE)
        .operation_with("ask", 1, Arc::clone(asking), |asking, context| async move {
            asking.ask(context.random()).await
        });
    Ok(load.start().await?)
}

/// What had to wait for an answer holds memory while it waits: samples are taken when few requests do, as in quiet times.
async fn caught_up(load: &LoadHandle) -> Outcome {
    let few = async || match load.snapshot().outstanding {
        0..=4 => Ok(()),
        outstanding => Err(format!("{outstanding} requests are not answered")),
    };
    Ok(eventually("the load has caught up", PATIENCE, few).await?)
}

/// What was measured after each round.
#[derive(Debug, Default)]
struct Samples {
    heap: Series,
    tasks: Series,
    rss: Series,
}

impl Samples {
    fn add(&mut self, sample: &MemorySample) {
        let own = sample.rss_bytes.iter().find(|(label, _)| label == "own");
        let push = |series: &mut Series, value: Option<f64>| {
            value.iter().for_each(|value| series.push(sample.at, *value));
        };
        push(&mut self.heap, sample.heap_growth_bytes.map(|bytes| bytes as f64));
        push(&mut self.tasks, sample.tasks.map(|tasks| tasks as f64));
        push(&mut self.rss, own.map(|(_, bytes)| *bytes as f64));
    }

    fn judge(&self) -> [Judged; 3] {
        [
            judge("heap", "bytes", &self.heap, HEAP),
            judge("tasks", "tasks", &self.tasks, TASKS),
            judge("resident", "bytes", &self.rss, RSS),
        ]
    }
}

impl Soaked {
    /// What holds after however short a run: every request was answered in the end, and by no owner of before.
    ///
    /// # Panics
    ///
    /// When it does not.
    pub fn assert_all_answered(&self) {
        let counts = self.load.counts();
        assert!(counts.succeeded > 0, "no request was made\n{self}");
        assert_eq!((counts.failed, counts.dropped, counts.unfinished), (0, 0, 0), "{self}");
    }
}

impl fmt::Display for Soaked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rounds, load, retries, judged } = self;
        writeln!(f, "{load}{rounds} rounds of churn (seed {SEED}); tries in vain: {retries:?}")?;
        judged.iter().try_for_each(|judged| writeln!(f, "{judged}"))
    }
}
