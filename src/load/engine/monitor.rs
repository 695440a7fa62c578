//! Looks at the run from window to window, on a thread of its own: the timeline, the machine, the progress, the thresholds.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::record::Recorded;
use super::shared::Shared;
use crate::alone::{self, Alone};
use crate::load::figures::LoadCounts;
use crate::load::histogram::{Counts, nanos};
use crate::load::latency::Latency;
use crate::load::machine::{MachineFigures, Sampler};
use crate::load::progress::Progress;
use crate::load::snapshot::LoadSnapshot;
use crate::load::threshold::Threshold;
use crate::load::timeline::{Timeline, Window};
use crate::process::ProcessProbe;
use crate::{memory, poll};

/// Runs shorter than this show no progress.
const WORTH_A_LINE: Duration = Duration::from_secs(3);
const BETWEEN_LINES: Duration = Duration::from_millis(200);
const BETWEEN_CHECKS: Duration = Duration::from_secs(1);

/// What the monitor is told.
pub(super) struct Watch {
    pub(super) window: Duration,
    pub(super) processes: Vec<(String, ProcessProbe)>,
    pub(super) progress: bool,
    pub(super) thresholds: Vec<Threshold>,
    /// Whether thresholds may end the run, and from when.
    pub(super) stop_early: Option<Duration>,
}

/// What the monitor has seen.
pub(super) struct Seen {
    pub(super) timeline: Timeline,
    pub(super) machine: Option<MachineFigures>,
    pub(super) stopped: Option<String>,
}

/// The monitor's thread; dropped, it is told to end.
pub(super) struct Monitor {
    over: Arc<AtomicBool>,
    seen: oneshot::Receiver<Seen>,
}

impl Monitor {
    pub(super) fn start(shared: &Arc<Shared>, watch: Watch, from: Instant) -> Self {
        let _ours = memory::ours();
        let over = Arc::new(AtomicBool::new(false));
        let (sender, seen) = oneshot::channel();
        let (shared, ends) = (Arc::clone(shared), Arc::clone(&over));
        let alone = alone::alone(); // which only the test's own thread knows
        std::thread::Builder::new()
            .name("isolated-nats load".into())
            .spawn(move || {
                let _ours = memory::ours();
                let seen = watch_over(&shared, watch, alone, from, &ends);
                drop(shared);
                drop(sender.send(seen)); // the run may have been dropped
            })
            .expect("a thread can be started");
        Self { over, seen }
    }

    /// Ends it, and returns what it has seen; `None` if it panicked.
    pub(super) async fn finish(mut self) -> Option<Seen> {
        self.over.store(true, Relaxed);
        (&mut self.seen).await.ok()
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        self.over.store(true, Relaxed);
    }
}

fn watch_over(shared: &Shared, watch: Watch, alone: Option<Alone>, from: Instant, over: &AtomicBool) -> Seen {
    let mut sampler = Sampler::start(watch.processes, alone);
    let mut windows = Windows::new(shared, from);
    let long = shared.planned.is_none_or(|planned| planned >= WORTH_A_LINE);
    let mut progress = (watch.progress && long).then(Progress::start).flatten();
    let (mut next, mut line, mut check) =
        (from + watch.window, from + WORTH_A_LINE.min(watch.window * 5), from);
    let mut stopped = None;
    while !over.load(Relaxed) {
        let now = Instant::now();
        if now >= next {
            windows.take(now);
            sampler.sample();
            next = (next + watch.window).max(now);
        }
        if let Some(progress) = progress.as_mut().filter(|_| now >= line) {
            progress.show(&snapshot(shared));
            line = now + BETWEEN_LINES;
        }
        if let Some(grace) =
            watch.stop_early.filter(|grace| stopped.is_none() && now >= (from + *grace).max(check))
        {
            stopped = hopeless(shared, &watch.thresholds, grace);
            check = now + BETWEEN_CHECKS;
        }
        poll::block_until(next.min(now + Duration::from_millis(10)));
    }
    windows.take_rest();
    if let Some(progress) = progress {
        progress.finish();
    }
    Seen { timeline: Timeline { windows: windows.taken }, machine: sampler.finish(), stopped }
}

fn hopeless(shared: &Shared, thresholds: &[Threshold], grace: Duration) -> Option<String> {
    let so_far = snapshot(shared);
    let why = thresholds.iter().find_map(|threshold| threshold.hopeless(&so_far))?;
    shared.stop();
    let (after, grace) = (memory::text::duration(so_far.elapsed), memory::text::duration(grace));
    Some(format!("after {after}, with a grace of {grace}: {why}"))
}

/// The windows so far.
struct Windows<'a> {
    shared: &'a Shared,
    from: Instant,
    /// When the present one began.
    begun: Instant,
    due: u64,
    failed: u64,
    /// What was recorded when the present window began, and now.
    before: Counts,
    well: Counts,
    failures: Counts,
    taken: Vec<Window>,
}

impl<'a> Windows<'a> {
    fn new(shared: &'a Shared, from: Instant) -> Self {
        let [before, well, failures] = std::array::from_fn(|_| Counts::new());
        Self { shared, from, begun: from, due: 0, failed: 0, before, well, failures, taken: Vec::new() }
    }

    fn take(&mut self, now: Instant) {
        self.well.clear();
        self.failures.clear();
        self.shared.recorder.add_window(self.shared.all_closed, &mut self.well, &mut self.failures);
        let latency = Latency::of(&self.well.since(&self.before));
        let (due, failed) = (self.shared.source.due(), self.failures.total());
        self.taken.push(Window {
            at: self.begun.saturating_duration_since(self.from),
            length: now.saturating_duration_since(self.begun),
            due: (!self.shared.all_closed).then(|| due - self.due),
            succeeded: latency.count(),
            failed: failed - self.failed,
            outstanding: self.shared.source.waiting() + self.shared.source.in_flight(),
            p50: latency.percentile(50.0),
            p99: latency.percentile(99.0),
            max: latency.percentile(100.0),
        });
        std::mem::swap(&mut self.before, &mut self.well);
        (self.begun, self.due, self.failed) = (now, due, failed);
    }

    /// The last window, if anything happened in it.
    fn take_rest(&mut self) {
        self.take(Instant::now());
        let nothing =
            |window: &Window| window.succeeded + window.failed + window.due.unwrap_or_default() == 0;
        if self.taken.last().is_some_and(nothing) {
            self.taken.pop();
        }
    }
}

/// What the run has done so far.
pub(in crate::load) fn snapshot(shared: &Shared) -> LoadSnapshot {
    let mut total = Recorded::new();
    let operations: Vec<_> = (0..shared.mixture.len())
        .map(|operation| {
            let mut recorded = Recorded::new();
            shared.recorder.add_to(operation, &mut recorded);
            shared.recorder.add_to(operation, &mut total);
            part(shared, &shared.names[operation], &recorded, shared.source.dropped(operation))
        })
        .collect();
    let dropped = operations.iter().map(|operation| operation.counts.dropped).sum();
    let mut all = part(shared, "total", &total, dropped);
    all.counts.planned = shared.all_open.then(|| shared.source.due());
    all.outstanding = shared.source.waiting() + shared.source.in_flight();
    all.operations = operations;
    all
}

fn part(shared: &Shared, name: &str, recorded: &Recorded, dropped: u64) -> LoadSnapshot {
    let service = recorded.service();
    let counts = LoadCounts {
        succeeded: service.count(),
        failed: recorded.failed().count(),
        timed_out: recorded.timed_out,
        injected: recorded.injected,
        items: recorded.items,
        bytes: recorded.bytes,
        dropped,
        ..LoadCounts::default()
    };
    LoadSnapshot {
        name: name.to_owned(),
        elapsed: shared.elapsed(),
        planned: shared.planned,
        counts,
        outstanding: 0,
        response: if shared.all_closed { service.clone() } else { recorded.response() },
        service,
        lag: recorded.lag(),
        operations: Vec::new(),
    }
}

/// The window after which there would be more than `most`.
pub(super) fn window(asked: Option<Duration>, planned: Option<Duration>) -> Duration {
    const SHORTEST: Duration = Duration::from_millis(10);
    const MOST: u64 = 1000;
    let asked = asked.unwrap_or(Duration::from_millis(100)).max(SHORTEST);
    planned.map_or(asked, |planned| asked.max(Duration::from_nanos(nanos(planned) / MOST)))
}
