//! A run from its set-up to its report.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::{AbortHandle, JoinHandle, JoinSet};

use super::idle::Order;
use super::kinds::Kinds;
use super::mixture::{Mixture, Named};
use super::monitor::{self, Monitor, Watch};
use super::pacer;
use super::pool::Pool;
use super::record::Recorder;
use super::seat::Seat;
use super::shared::{Injections, Shared, Stopper};
use super::source::Source;
use super::tally::Bursts;
use super::worker::{Ready, Worker};
use crate::load::error::{LoadError, LoadErrorKind, OperationError};
use crate::load::figures::LoadEvent;
use crate::load::histogram::{Recording, nanos};
use crate::load::report::LoadReport;
use crate::load::schedule::{Closed, Plan, Schedule, Segment, Until};
use crate::load::service::{ServicePlan, Services};
use crate::load::threshold::Threshold;
use crate::load::verifier::Verifier;
use crate::memory::{self, text};
use crate::poll::delay;
use crate::process::ProcessProbe;

mod beside;
mod finish;
mod segment;

/// How many workers are set up at a time.
const AT_A_TIME: usize = 64;
/// A worker that is not set up by then takes no part.
const SET_UP_LIMIT: Duration = Duration::from_secs(30);

pub(in crate::load) type Act =
    Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = Result<(), OperationError>> + Send>> + Send>;

/// Something to do at a time of the schedule.
pub(in crate::load) struct Event {
    pub(in crate::load) at: Duration,
    pub(in crate::load) name: String,
    /// In a lock that nobody takes: what holds it is then seen by several threads without harm.
    pub(in crate::load) act: Mutex<Act>,
}

/// A run as the builder wants it, checked.
pub(in crate::load) struct Setting {
    pub(in crate::load) schedule: Schedule,
    pub(in crate::load) operations: Vec<Named>,
    pub(in crate::load) pool: Pool,
    pub(in crate::load) payload_bytes: (u64, u64),
    pub(in crate::load) max_in_flight: usize,
    pub(in crate::load) drops: bool,
    pub(in crate::load) operation_timeout: Option<Duration>,
    pub(in crate::load) stop_timeout: Duration,
    pub(in crate::load) warm_up: Duration,
    pub(in crate::load) thresholds: Vec<Threshold>,
    pub(in crate::load) stop_early: Option<Duration>,
    pub(in crate::load) injections: Injections,
    pub(in crate::load) churn: Option<Duration>,
    pub(in crate::load) events: Vec<Event>,
    pub(in crate::load) services: Vec<ServicePlan>,
    pub(in crate::load) verifier: Option<Verifier>,
    pub(in crate::load) processes: Vec<(String, ProcessProbe)>,
    pub(in crate::load) window: Option<Duration>,
    pub(in crate::load) precise: bool,
    pub(in crate::load) progress: bool,
}

/// A run that has been set up, and goes on by itself.
#[derive(Debug)]
pub(in crate::load) struct Running {
    pub(in crate::load) shared: Arc<Shared>,
    pub(in crate::load) driver: JoinHandle<LoadReport>,
}

/// What the report says of the runtime.
#[derive(Clone, Copy, Debug)]
struct Runtime {
    flavor: &'static str,
    threads: usize,
}

impl Runtime {
    fn current() -> Result<Self, LoadError> {
        let handle = Handle::try_current().map_err(|_| {
            LoadError::new(
                LoadErrorKind::NoRuntime,
                "there is no tokio runtime to generate load in (call it from an async function that tokio runs, such as a \
                 `#[tokio::test]`)",
            )
        })?;
        if clock_is_paused() {
            return Err(LoadError::new(
                LoadErrorKind::PausedClock,
                "the runtime's clock is paused, and load needs real time (remove `start_paused`, or call \
                 `tokio::time::resume()` before the run)",
            ));
        }
        let several = handle.runtime_flavor() == RuntimeFlavor::MultiThread;
        let flavor = if several { "multi_thread" } else { "current_thread" };
        Ok(Self { flavor, threads: if several { handle.metrics().num_workers() } else { 1 } })
    }
}

/// Whether tokio's clock stands still while the system's goes on. A runtime without a clock of its own uses the system's.
fn clock_is_paused() -> bool {
    let (real, tokios) = (Instant::now(), tokio::time::Instant::now());
    while real.elapsed() < Duration::from_micros(20) {
        std::hint::spin_loop();
    }
    tokios.elapsed().is_zero()
}

/// Sets everything up, and starts the run.
pub(in crate::load) async fn start(setting: Setting) -> Result<Running, LoadError> {
    let runtime = Runtime::current()?;
    let segments = segment::numbered(&setting.schedule);
    let shared = shared(&setting, &segments, runtime);
    let mut run = Run::new(setting, segments, runtime, Arc::clone(&shared));
    run.set_up().await?;
    let _ours = memory::ours();
    let driver = tokio::spawn(run.drive());
    Ok(Running { shared, driver })
}

fn shared(setting: &Setting, segments: &[segment::Numbered], runtime: Runtime) -> Arc<Shared> {
    let _ours = memory::ours();
    let epoch = Instant::now();
    let workers = segments.iter().map(|segment| segment.workers(setting.max_in_flight)).max().unwrap_or(1);
    let seed = setting.pool.seed;
    let seats = (0..workers).map(|worker| Arc::new(Seat::new(worker, setting.pool, epoch))).collect();
    let is_open = |segment: &segment::Numbered| matches!(segment.segment, Segment::Open(_));
    let (open, all_closed) = (segments.iter().any(is_open), !segments.iter().any(is_open));
    let with_state = setting.operations.iter().any(|named| named.operation.has_state());
    let order = if with_state { Order::Round } else { Order::Lowest };
    let operations = setting.operations.len();
    let [joined, left, not_set_up, started, finished, bytes] = [const { AtomicU64::new(0) }; 6];
    Arc::new(Shared {
        epoch,
        source: Source::new(seats, operations, order, open, setting.drops, epoch),
        recorder: Recorder::new(operations, runtime.threads.min(workers), open),
        mixture: Mixture::new(&setting.operations, seed),
        names: setting.operations.iter().map(|named| named.name.clone()).collect(),
        kinds: Kinds::default(),
        injections: setting.injections,
        seed,
        limit: setting.operation_timeout,
        in_time: std::iter::repeat_with(AtomicU64::default).take(operations).collect(),
        set_up: Recording::new(),
        joined,
        left,
        not_set_up,
        started,
        finished,
        stopping: AtomicBool::new(false),
        stopped: OnceLock::new(),
        gave_up: AtomicBool::new(false),
        all_closed,
        all_open: segments.iter().all(is_open),
        planned: setting.schedule.duration(),
        bursts: segment::bursts(segments),
        bytes,
    })
}

/// Everything that a run owns.
struct Run {
    setting: Setting,
    segments: Vec<segment::Numbered>,
    runtime: Runtime,
    shared: Arc<Shared>,
    workers: JoinSet<()>,
    /// To end one of them, by its number.
    ends: Vec<AbortHandle>,
    services: Option<Services>,
    /// How many workers were set up at the start.
    ready: u64,
    happened: Arc<Mutex<Vec<LoadEvent>>>,
    /// Dropped last: the workers have been told to end by then.
    _stopper: Stopper,
}

impl Run {
    fn new(
        setting: Setting,
        segments: Vec<segment::Numbered>,
        runtime: Runtime,
        shared: Arc<Shared>,
    ) -> Self {
        let stopper = Stopper(Arc::clone(&shared));
        Self {
            setting,
            segments,
            runtime,
            shared,
            workers: JoinSet::new(),
            ends: Vec::new(),
            services: None,
            ready: 0,
            happened: Arc::default(),
            _stopper: stopper,
        }
    }

    async fn set_up(&mut self) -> Result<(), LoadError> {
        let services = std::mem::take(&mut self.setting.services);
        self.services = Some(Services::start(services).await?);
        let mut outcomes = self.spawn_workers();
        let (mut first, mut left) = (None, self.shared.source.seats().len());
        let mut limit = std::pin::pin!(delay(SET_UP_LIMIT));
        while left > 0 {
            tokio::select! {
                outcome = outcomes.recv() => match outcome {
                    Some(Ok(())) => self.ready += 1,
                    Some(Err(error)) => first = first.or(Some(error)),
                    None => break,
                },
                () = &mut limit => break,
            }
            left -= 1;
        }
        if left > 0 {
            self.give_up_setting_up(left);
        }
        self.shared.source.set_alive(self.ready);
        if self.ready == 0 { Err(self.not_set_up(first).await) } else { Ok(()) }
    }

    /// Ends the workers that are not set up by now.
    fn give_up_setting_up(&self, workers: usize) {
        self.shared.not_set_up.fetch_add(workers as u64, Relaxed);
        let text = format!("set-up: not done after {}", text::duration(SET_UP_LIMIT));
        (0..workers).for_each(|_| self.shared.kinds.count(0, &text));
        let seats = self.shared.source.seats().iter().zip(&self.ends);
        seats.filter(|(seat, _)| !seat.ready.load(Relaxed)).for_each(|(_, end)| end.abort());
    }

    fn spawn_workers(&mut self) -> mpsc::UnboundedReceiver<Ready> {
        let _ours = memory::ours();
        let (sender, outcomes) = mpsc::unbounded_channel();
        let operations: Arc<[Named]> = self.setting.operations.clone().into();
        let gate = Arc::new(Semaphore::new(AT_A_TIME));
        for seat in self.shared.source.seats() {
            let sender = sender.clone();
            let worker = Worker::new(&self.shared, seat, &operations);
            let work = worker.work(Arc::clone(&gate), move |ready| {
                drop(sender.send(ready)); // the run may have been dropped
            });
            self.shared.bytes.fetch_add(size_of_val(&work) as u64, Relaxed);
            self.ends.push(self.workers.spawn(work));
        }
        outcomes
    }

    async fn not_set_up(&mut self, first: Option<OperationError>) -> LoadError {
        self.end_tasks().await;
        let what = format!(
            "none of {} workers could be set up (an operation's `set_up` fails, or takes longer than {})",
            self.shared.source.seats().len(),
            text::duration(SET_UP_LIMIT),
        );
        let error = LoadError::new(LoadErrorKind::SetUp, what);
        match first {
            Some(first) => error.because(first),
            None => error,
        }
    }

    /// Ends the workers and the services, and waits until none of their tasks is left.
    async fn end_tasks(&mut self) -> Vec<crate::load::ServiceFigures> {
        let limit = self.setting.stop_timeout;
        self.shared.source.over();
        let all = async { while self.workers.join_next().await.is_some() {} };
        tokio::select! {
            () = all => {}
            () = delay(limit) => self.workers.shutdown().await,
        }
        match self.services.take() {
            Some(services) => services.stop(limit).await,
            None => Vec::new(),
        }
    }

    async fn drive(mut self) -> LoadReport {
        self.warm_up().await;
        if self.shared.gave_up.load(Relaxed) {
            self.shared.stop_because("operations of its warm-up were in flight after the stop timeout");
        }
        if let Some(services) = &self.services {
            services.measure_from_now();
        }
        let from = Instant::now();
        self.shared.started.store(self.shared.since_epoch(from).max(1), Relaxed);
        let watch = self.watch();
        let monitor = Monitor::start(&self.shared, watch, from);
        let mut beside = self.start_beside(from);
        let mut planned_end = from;
        for at in 0..self.segments.len() {
            if !self.shared.is_stopping() {
                planned_end = self.segment(at).await;
                self.hangs(at);
            }
        }
        let ended = Instant::now();
        self.finished().await;
        let seen = monitor.finish().await;
        self.end_beside(&mut beside).await;
        if let Some(verifier) = &self.setting.verifier {
            verifier.settled(silence(verifier, self.setting.stop_timeout)).await;
        }
        let services = self.end_tasks().await;
        // Now that nothing can end any more.
        let unfinished = finish::Unfinished::count(&self.shared);
        self.report((from, ended, planned_end), &unfinished, seen, services)
    }

    /// Says why the run ends where a segment hangs that was not the last, or had its operations to do.
    fn hangs(&self, at: usize) {
        let (last, count) = (at + 1 == self.segments.len(), self.segments[at].duration().is_none());
        if self.shared.gave_up.load(Relaxed) && (count || !last) {
            self.shared.stop_because("operations were in flight after the stop timeout");
        }
    }

    /// The clock stands still, nothing is due any more, and what hangs is dropped.
    async fn finished(&self) {
        self.shared.finished.store(self.shared.now(), Relaxed);
        if self.shared.gave_up.load(Relaxed) {
            let seats = self.shared.source.seats().iter().zip(&self.ends);
            seats.filter(|(seat, _)| seat.running().is_some()).for_each(|(_, end)| end.abort());
        }
        let limit = Instant::now() + self.setting.stop_timeout.max(Duration::from_secs(1));
        while self.shared.source.is_pacing() && Instant::now() < limit {
            delay(Duration::from_millis(1)).await;
        }
    }

    fn watch(&mut self) -> Watch {
        Watch {
            window: monitor::window(self.setting.window, self.shared.planned),
            processes: std::mem::take(&mut self.setting.processes),
            progress: self.setting.progress,
            thresholds: self.setting.thresholds.clone(),
            stop_early: self.setting.stop_early,
        }
    }
}

/// How long nothing may arrive before what is missing is lost. Core NATS has no second delivery to wait for.
fn silence(verifier: &Verifier, limit: Duration) -> Duration {
    const CORE: Duration = Duration::from_secs(2);
    if verifier.is_acknowledged() { limit } else { limit.min(CORE) }
}
