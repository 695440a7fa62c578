//! What is to be run, how, and for how long.

use std::fmt;
use std::future::Future;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::context::OperationContext;
use super::engine::{self, Act, Event, Injections, Named, Operation, Pool, Setting, Sizes};
use super::error::{LoadError, LoadErrorKind, OperationError};
use super::report::LoadReport;
use super::run::LoadRun;
use super::schedule::Schedule;
use super::service::{ServiceContext, ServicePlan};
use super::threshold::Threshold;
use super::verifier::Verifier;
use super::workload::{Closure, Shared, Workload};
use crate::process::ProcessProbe;

mod check;

const MAX_IN_FLIGHT: usize = 1024;
const PAYLOAD_BYTES: usize = 128;
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// Generates load on the code under test, and measures how it bears it.
///
/// It drives any async code, and knows nothing of NATS; ready-made operations for NATS are in
/// [`operations`](crate::operations).
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use isolated_nats::{LoadGenerator, Rate, Schedule};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let report = LoadGenerator::builder()
///     .schedule(Schedule::steady(Rate::per_second(1_000.0), Duration::from_millis(200)))
///     .operation("parse", 1, |context| async move {
///         std::str::from_utf8(context.payload()).ok(); // the library under test
///         Ok(())
///     })
///     .threshold("errors<1%")
///     .run()
///     .await?;
/// assert_eq!(report.count(), 200);
/// println!("{report}");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct LoadGenerator(());

impl LoadGenerator {
    /// Returns a builder, with nothing to do yet.
    pub fn builder() -> LoadGeneratorBuilder {
        LoadGeneratorBuilder::default()
    }
}

/// What becomes of an arrival that is due while as many operations as allowed are in flight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Overflow {
    /// It waits, and its waiting counts in its response time.
    #[default]
    Queue,
    /// It is dropped, and counted as such.
    Drop,
}

/// What is to be run: a schedule, and at least one operation; everything else has a default.
#[must_use = "a builder does nothing until `run`"]
pub struct LoadGeneratorBuilder {
    schedule: Option<Schedule>,
    operations: Vec<Named>,
    payload: (RangeInclusive<usize>, Sizes),
    seed: u64,
    max_in_flight: usize,
    overflow: Overflow,
    operation_timeout: Option<Duration>,
    stop_timeout: Duration,
    warm_up: Duration,
    thresholds: Vec<Threshold>,
    stop_early: Option<Duration>,
    injections: Injections,
    churn: Option<Duration>,
    events: Vec<Event>,
    services: Vec<ServicePlan>,
    verifier: Option<Verifier>,
    processes: Vec<(String, ProcessProbe)>,
    window: Option<Duration>,
    precise: bool,
    progress: bool,
}

impl Default for LoadGeneratorBuilder {
    fn default() -> Self {
        Self {
            schedule: None,
            operations: Vec::new(),
            payload: (PAYLOAD_BYTES..=PAYLOAD_BYTES, Sizes::Uniform),
            seed: 0,
            max_in_flight: MAX_IN_FLIGHT,
            overflow: Overflow::default(),
            operation_timeout: None,
            stop_timeout: STOP_TIMEOUT,
            warm_up: Duration::ZERO,
            thresholds: Vec::new(),
            stop_early: None,
            injections: Injections::default(),
            churn: None,
            events: Vec::new(),
            services: Vec::new(),
            verifier: None,
            processes: Vec::new(),
            window: None,
            precise: false,
            progress: true,
        }
    }
}

impl fmt::Debug for LoadGeneratorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.operations.iter().map(|named| (&named.name, named.weight)).collect();
        f.debug_struct("LoadGeneratorBuilder")
            .field("schedule", &self.schedule)
            .field("operations", &names)
            .field("payload", &self.payload)
            .field("seed", &self.seed)
            .field("max_in_flight", &self.max_in_flight)
            .finish_non_exhaustive()
    }
}

/// What is run.
impl LoadGeneratorBuilder {
    /// When operations are due, or how many workers do them one after the other. There is no default.
    pub fn schedule(mut self, schedule: Schedule) -> Self {
        self.schedule = Some(schedule);
        self
    }

    /// Adds an operation: a closure that is called for each, and its share of all operations as a weight.
    ///
    /// Which operation an arrival is done with is drawn by the seed and its number. One with the weight 0 is never done.
    /// There can be 100 operations.
    pub fn operation<F, Fut>(self, name: &str, weight: u32, run: F) -> Self
    where
        F: Fn(OperationContext) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), OperationError>> + Send + 'static,
    {
        self.add(name, weight, Closure(run))
    }

    /// Adds an operation with what all its calls share, so that nothing of it is cloned for each: a client, say.
    pub fn operation_with<S, F, Fut>(self, name: &str, weight: u32, state: S, run: F) -> Self
    where
        S: Send + Sync + 'static,
        F: Fn(Arc<S>, OperationContext) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), OperationError>> + Send + 'static,
    {
        self.add(name, weight, Shared(Arc::new(state), run))
    }

    /// Adds an operation with a state for each worker.
    pub fn workload<W: Workload>(self, name: &str, weight: u32, workload: W) -> Self {
        self.add(name, weight, workload)
    }

    fn add<W: Workload>(mut self, name: &str, weight: u32, workload: W) -> Self {
        let operation: Arc<dyn Operation> = Arc::new(workload);
        self.operations.push(Named { name: name.to_owned(), weight, operation });
        self
    }

    /// Adds a service that runs beside the load: `instances` of a consumer, each of which calls
    /// [`ready`](ServiceContext::ready) before the load starts, and returns when the run is
    /// [stopping](ServiceContext::stopping).
    pub fn service<F, Fut>(mut self, name: &str, instances: usize, run: F) -> Self
    where
        F: Fn(ServiceContext) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), OperationError>> + Send + 'static,
    {
        let run = Box::new(move |context| Box::pin(run(context)) as _);
        self.services.push(ServicePlan { name: name.to_owned(), instances, run });
        self
    }

    /// Does something to the system at a time of the schedule, such as to kill its server; more than one event can be under way.
    ///
    /// It runs on the runtime of the test beside the operations, and its time counts from the end of the warm-up.
    pub fn event<F, Fut>(mut self, at: Duration, name: &str, act: F) -> Self
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), OperationError>> + Send + 'static,
    {
        let act: Act = Box::new(move || Box::pin(act()) as _);
        self.events.push(Event { at, name: name.to_owned(), act: Mutex::new(act) });
        self
    }

    /// Waits, when the schedule is over, for the messages that this verifier misses, for up to the
    /// [stop timeout](Self::stop_timeout), and puts what it found into the report.
    pub fn verifier(mut self, verifier: &Verifier) -> Self {
        self.verifier = Some(verifier.clone());
        self
    }
}

/// How it is run.
impl LoadGeneratorBuilder {
    /// Sizes of the payloads in bytes, each as likely as any other; default: 128.
    pub fn payload_bytes(mut self, sizes: RangeInclusive<usize>) -> Self {
        self.payload = (sizes, Sizes::Uniform);
        self
    }

    /// Sizes of the payloads in bytes, each doubling as likely as any other: many small ones, few large ones.
    pub fn payload_bytes_log_uniform(mut self, sizes: RangeInclusive<usize>) -> Self {
        self.payload = (sizes, Sizes::LogUniform);
        self
    }

    /// What the mix, the payloads, the injections and [`OperationContext::random`] are drawn from; default: 0.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Most operations in flight in open phases, from 1 to 100 000, which is their number of workers; default: 1 024.
    pub fn max_in_flight(mut self, operations: usize) -> Self {
        self.max_in_flight = operations;
        self
    }

    /// What becomes of an arrival while as many operations as allowed are in flight; default: it waits.
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = overflow;
        self
    }

    /// How long an operation may take from its actual start; then it is dropped, and counts as failed. Default: no limit.
    ///
    /// It is kept by tokio's clock, up to a millisecond late; the runtime must have one (`enable_time`), as that of a test has.
    pub fn operation_timeout(mut self, limit: Duration) -> Self {
        self.operation_timeout = Some(limit);
        self
    }

    /// How long what is in flight may go on after the schedule, and the verifier and the services after that; then it is
    /// dropped, and counts as unfinished. Default: 10 s.
    ///
    /// A closed loop that ends by its count has no planned end: it is given up when none of its operations has ended for so
    /// long.
    pub fn stop_timeout(mut self, limit: Duration) -> Self {
        self.stop_timeout = limit;
        self
    }

    /// Runs the operations for so long before the schedule, at the rate with which it begins: they are in none of the figures
    /// but those of the warm-up. Default: none.
    pub fn warm_up(mut self, duration: Duration) -> Self {
        self.warm_up = duration;
        self
    }

    /// Adds a limit on what the run may do, to be judged in the report; it does not make [`run`](Self::run) fail.
    pub fn threshold(mut self, threshold: impl Into<Threshold>) -> Self {
        self.thresholds.push(threshold.into());
        self
    }

    /// Ends the run when one of its thresholds is passed, judged each second over all it has done so far, but not in the first
    /// `grace`. Default: they are judged at the end alone.
    pub fn stop_early(mut self, grace: Duration) -> Self {
        self.stop_early = Some(grace);
        self
    }

    /// Does not run this share of the operations, from 0 to 1, drawn by the seed, and counts them as injected; default: 0.
    pub fn inject_failures(mut self, share: f64) -> Self {
        self.injections.failures = share;
        self
    }

    /// Drops this share of the operations, from 0 to 1, drawn by the seed, where they first wait, and counts them as
    /// injected: does the library stand being cancelled? One that never waits ends as usual. Default: 0.
    pub fn inject_cancellations(mut self, share: f64) -> Self {
        self.injections.cancellations = share;
        self
    }

    /// Lets one worker leave, and another join in its place, each `every`; the workers take turns. Default: none does.
    pub fn churn(mut self, every: Duration) -> Self {
        self.churn = Some(every);
        self
    }

    /// Adds a process whose CPU time and memory are in the report, such as `("server", nats.process())`. Children of this
    /// process are there without it.
    pub fn process(mut self, label: &str, process: ProcessProbe) -> Self {
        self.processes.push((label.to_owned(), process));
        self
    }

    /// Length of a window of the timeline; default: 100 ms, and 10 ms where a shorter one is asked for. It is longer where there would be more than 1 000.
    pub fn window(mut self, length: Duration) -> Self {
        self.window = Some(length);
        self
    }

    /// Looks for due arrivals without a pause: less late at high rates, at the cost of up to a core. By default there are
    /// 50 µs between two looks.
    pub fn precise(mut self) -> Self {
        self.precise = true;
        self
    }

    /// Whether a run over 3 s shows its progress, where standard error is a terminal; default: true.
    pub fn progress(mut self, show: bool) -> Self {
        self.progress = show;
        self
    }

    /// Runs it to its end.
    ///
    /// # Errors
    ///
    /// [`LoadErrorKind::Schedule`], [`Operations`](LoadErrorKind::Operations), [`Setting`](LoadErrorKind::Setting) and
    /// [`Threshold`](LoadErrorKind::Threshold) for what cannot be run; [`NoRuntime`](LoadErrorKind::NoRuntime) and
    /// [`PausedClock`](LoadErrorKind::PausedClock) for where it cannot; [`SetUp`](LoadErrorKind::SetUp) when no worker could be set up,
    /// or a service was not ready. What happens to operations is in the report, and no error.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it ends the run as [`LoadRun`] does.
    pub async fn run(self) -> Result<LoadReport, LoadError> {
        self.start().await?.finish().await
    }

    /// Starts it, and returns when its workers have been set up: to look at it while it runs.
    ///
    /// # Errors
    ///
    /// Those of [`run`](Self::run).
    pub async fn start(self) -> Result<LoadRun, LoadError> {
        Ok(LoadRun::new(engine::start(self.setting()?).await?))
    }
}
