//! A group that grows and shrinks step by step, and what each step costs.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use isolated_nats::{ExternalNats, MemoryProbe, ProcessProbe, time_factor};
use partition_workers::{Partition, Status, assign, least_movement, movement};

use crate::crew::{Crew, Outcome, shares};
use crate::handlers::Handlers;

/// Long enough that no worker is taken for dead on a slow machine: its partitions would move, and not for the sake of scale.
const LEASE: Duration = Duration::from_secs(10);

/// The assignment is computed so often, and the shortest time counts: what is longer was the machine's doing.
const TRIES: u32 = 5;

/// A group after a step. What was not measured is `None`.
#[derive(Clone, Debug, Default)]
pub struct Step {
    pub workers: usize,
    /// From the first worker's start, or stop, until the group is stable; `None` where that was not waited for.
    pub until_stable: Option<Duration>,
    /// The computation of the assignment alone.
    pub assign: Option<Duration>,
    /// Partitions of the worker with most of them, and of that with fewest.
    pub shares: (usize, usize),
    /// Partitions that changed hands.
    pub moved: usize,
    /// Partitions that had to.
    pub least: usize,
    /// Bytes held, less those before the first worker.
    pub heap: Option<i64>,
    pub tasks: Option<u64>,
    pub threads: Option<u64>,
    pub server_rss: Option<u64>,
}

/// A group under measurement.
pub struct Steps {
    nats: ExternalNats,
    pub crew: Crew,
    pub handlers: Handlers,
    partitions: u32,
    probe: MemoryProbe,
    owners: BTreeMap<Partition, String>,
    /// The first is without workers.
    pub taken: Vec<Step>,
}

impl Steps {
    /// A group without workers, whose handlers wait until their gate is opened.
    pub async fn begin(nats: &ExternalNats, partitions: u32) -> Outcome<Self> {
        let crew = Crew::open(nats.client().await?, partitions, LEASE.mul_f64(time_factor())).await?;
        let mut steps = Self {
            nats: nats.clone(),
            crew,
            handlers: Handlers::new(),
            partitions,
            probe: MemoryProbe::start(),
            owners: BTreeMap::new(),
            taken: Vec::new(),
        };
        steps.note(None, Status::default()).await;
        Ok(steps)
    }

    /// Starts or stops workers until there are so many, waits until the group is stable, and measures.
    pub async fn step_to(&mut self, workers: usize) -> Outcome {
        let since = Instant::now();
        self.change_to(workers).await?;
        let status = self.crew.stable().await?;
        self.note(Some(since.elapsed()), status).await;
        Ok(())
    }

    /// The same without the wait: with the gate closed, the group is not stable yet.
    pub async fn half_step_to(&mut self, workers: usize) -> Outcome {
        self.change_to(workers).await?;
        let status = self.crew.wait_until("complete", |_| true).await?;
        self.note(None, status).await;
        Ok(())
    }

    async fn change_to(&mut self, workers: usize) -> Outcome {
        while self.crew.len() < workers {
            self.crew.join(self.handlers.make()).await?;
        }
        while self.crew.len() > workers {
            self.crew.take(self.crew.len() - 1).stop().await?;
        }
        Ok(())
    }

    async fn note(&mut self, until_stable: Option<Duration>, status: Status) {
        let mut step = self.look(&status);
        step.until_stable = until_stable;
        drop(status);
        self.probe.settle().await;
        let now = self.probe.handle().now();
        step.heap = now.as_ref().and_then(|now| now.heap_growth_bytes);
        step.tasks = now.as_ref().and_then(|now| now.tasks);
        step.threads = ProcessProbe::new(std::process::id()).sample().ok().and_then(|own| own.threads);
        step.server_rss = self.nats.process().sample().ok().map(|server| server.rss_bytes);
        let _not_the_groups = self.probe.pause();
        self.taken.push(step);
    }

    /// What the status tells by itself. What is kept of it is not the group's memory.
    fn look(&mut self, status: &Status) -> Step {
        let _not_the_groups = self.probe.pause();
        let names: Vec<_> = status.workers.keys().map(String::as_str).collect();
        let before = std::mem::replace(&mut self.owners, status.owners());
        Step {
            workers: names.len(),
            assign: (!names.is_empty()).then(|| time_to_assign(self.partitions, &names, &before)),
            shares: shares(status),
            moved: movement(&before, &self.owners),
            least: least_movement(self.partitions, &names, &before),
            ..Step::default()
        }
    }

    /// All leave; the probe ends with them.
    pub async fn end(self) -> Outcome {
        self.crew.disband().await
    }
}

fn time_to_assign(partitions: u32, workers: &[&str], owners: &BTreeMap<Partition, String>) -> Duration {
    let once = |_| {
        let started = Instant::now();
        std::hint::black_box(assign(partitions, workers, owners));
        started.elapsed()
    };
    (0..TRIES).map(once).min().unwrap_or_default()
}

/// How many partitions change hands in all when workers join one after the other, each once the group is stable.
pub fn moved_one_by_one(partitions: u32, workers: usize) -> usize {
    let names: Vec<String> = (1..=workers).map(|number| format!("w{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (mut owners, mut moved) = (BTreeMap::new(), 0);
    for count in 1..=workers {
        let next = assign(partitions, &names[..count], &owners);
        moved += movement(&owners, &next);
        owners = next;
    }
    moved
}
