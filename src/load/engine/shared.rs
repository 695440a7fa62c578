//! What all parts of a run share.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use super::kinds::Kinds;
use super::mixture::Mixture;
use super::record::{Done, End, Recorder};
use super::seat::{Seat, Turn};
use super::source::Source;
use crate::load::histogram::{Recording, nanos};
use crate::load::random::mix;

/// Shares of operations that do not take place, from 0 to 1.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::load) struct Injections {
    pub(in crate::load) failures: f64,
    pub(in crate::load) cancellations: f64,
}

/// What becomes of an operation by injection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Injected {
    No,
    /// It is not run.
    Failure,
    /// It is dropped where it first waits.
    Cancellation,
}

#[derive(Debug)]
pub(in crate::load) struct Shared {
    /// The start of the run's clock.
    pub(super) epoch: Instant,
    pub(super) source: Source,
    pub(super) recorder: Recorder,
    pub(super) mixture: Mixture,
    pub(super) names: Vec<String>,
    pub(super) kinds: Kinds,
    pub(super) injections: Injections,
    pub(super) seed: u64,
    pub(super) limit: Option<Duration>,
    /// How many of each operation had ended well at the last planned end that has come.
    pub(super) in_time: Box<[AtomicU64]>,
    /// How long setting up a worker took.
    pub(super) set_up: Recording,
    pub(super) joined: AtomicU64,
    pub(super) left: AtomicU64,
    pub(super) not_set_up: AtomicU64,
    /// When the schedule started, in nanoseconds of the run's clock; 0 before that.
    pub(super) started: AtomicU64,
    /// When it ended, with what was in flight; 0 before that.
    pub(super) finished: AtomicU64,
    /// The run is to end.
    pub(super) stopping: AtomicBool,
    /// Why, where it is not for a threshold or because the schedule is over.
    pub(super) stopped: OnceLock<String>,
    /// Something was still in flight after the stop timeout.
    pub(super) gave_up: AtomicBool,
    pub(super) all_closed: bool,
    pub(super) all_open: bool,
    pub(super) planned: Option<Duration>,
    pub(super) bursts: super::tally::Bursts,
    /// What the futures of the operations take, in bytes.
    pub(super) bytes: AtomicU64,
}

impl Shared {
    #[inline]
    pub(super) fn now(&self) -> u64 {
        nanos(self.epoch.elapsed())
    }

    #[inline]
    pub(super) fn since_epoch(&self, at: Instant) -> u64 {
        nanos(at.saturating_duration_since(self.epoch))
    }

    /// From the start of the schedule to its end, or so far.
    pub(super) fn elapsed(&self) -> Duration {
        match self.started.load(Relaxed) {
            0 => Duration::ZERO,
            started => {
                let end = match self.finished.load(Relaxed) {
                    0 => self.now(),
                    finished => finished,
                };
                Duration::from_nanos(end.saturating_sub(started))
            }
        }
    }

    /// Ends the run as if its schedule were over.
    pub(in crate::load) fn stop(&self) {
        self.stopping.store(true, Relaxed);
        self.source.changed.notify_one();
    }

    /// The same, and the report says why.
    pub(in crate::load) fn stop_because(&self, why: &str) {
        let _ours = crate::memory::ours();
        let _ = self.stopped.set(why.to_owned()); // the first counts
        self.stop();
    }

    /// A planned end has come, of which the last one counts.
    pub(super) fn mark_in_time(&self) {
        for (operation, in_time) in self.in_time.iter().enumerate() {
            in_time.store(self.recorder.succeeded(operation), Relaxed);
        }
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Relaxed)
    }

    #[expect(clippy::cast_precision_loss, reason = "53 bits are more than a share needs")]
    #[inline]
    pub(super) fn injected(&self, seat: &Seat) -> Injected {
        let Injections { failures, cancellations } = self.injections;
        if failures == 0.0 && cancellations == 0.0 {
            return Injected::No;
        }
        let drawn = (mix(self.seed ^ 0x1417, seat.sequence()) >> 11) as f64 / (1_u64 << 53) as f64;
        match drawn {
            drawn if drawn < failures => Injected::Failure,
            drawn if drawn < failures + cancellations => Injected::Cancellation,
            _ => Injected::No,
        }
    }

    /// Records what became of the operation under way in a seat.
    #[inline]
    pub(super) fn record(&self, seat: &Seat, operation: usize, turn: Turn, end: u64, how: End) {
        let start = seat.start.load(Relaxed);
        let (items, bytes) = seat.moved();
        let Turn { intended, warm_up, sequence } = turn;
        self.recorder.record(&Done { operation, warm_up, intended, start, end, how, items, bytes });
        if !warm_up {
            self.bursts.record(sequence, intended, end, how);
        }
        seat.end.store(end, Relaxed);
        if intended.is_some() {
            self.source.done();
        }
    }
}

/// Dropped, it ends a run: the last of what its owner does.
#[derive(Debug)]
pub(super) struct Stopper(pub(super) Arc<Shared>);

impl Drop for Stopper {
    fn drop(&mut self) {
        self.0.stopping.store(true, Relaxed);
        self.0.source.over();
    }
}
