//! What a worker and its operations know of each other.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::task::Waker;
use std::time::Instant;

use super::pool::Pool;

/// One operation to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    pub(super) sequence: u64,
    /// In nanoseconds of the run's clock; `None` in a closed loop.
    pub(super) intended: Option<u64>,
    pub(super) warm_up: bool,
}

/// No operation is under way.
const IDLE: u32 = 0;
/// One is being taken up.
const CLAIMING: u32 = u32::MAX;
const NOT_INTENDED: u64 = u64::MAX;

/// The place of one worker. Its fields change while it is polled, on one thread at a time, so that plain loads and stores
/// do; others only look.
pub(in crate::load) struct Seat {
    pub(in crate::load) worker: usize,
    pub(in crate::load) pool: Pool,
    /// The start of the run's clock.
    pub(in crate::load) epoch: Instant,
    /// Set by the worker's first poll; a task's waker is the same for its whole life.
    pub(super) waker: OnceLock<Waker>,
    /// The operation under way, from 1; or `IDLE`, or `CLAIMING`.
    running: AtomicU32,
    sequence: AtomicU64,
    intended: AtomicU64,
    warm_up: AtomicBool,
    pub(super) start: AtomicU64,
    /// When its last poll began.
    pub(super) polled: AtomicU64,
    /// When its last operation ended, in nanoseconds of the run's clock.
    pub(super) end: AtomicU64,
    /// Operations of the present closed loop that it has begun.
    pub(super) begun: AtomicU64,
    /// Of the numbers that it has taken from the count of a closed loop, those that are left.
    pub(super) block: AtomicU64,
    pub(super) block_left: AtomicU64,
    /// To be set up anew after the operation under way.
    pub(super) leave: AtomicBool,
    /// Whether it may be in the list of those that wait.
    pub(super) listed: AtomicBool,
    /// Whether it takes part.
    pub(super) ready: AtomicBool,
    items: AtomicU64,
    bytes: AtomicU64,
}

impl Seat {
    pub(super) fn new(worker: usize, pool: Pool, epoch: Instant) -> Self {
        let [sequence, intended, start, polled, end, begun, block, block_left, items, bytes] =
            [const { AtomicU64::new(0) }; 10];
        let [warm_up, leave, listed, ready] = [const { AtomicBool::new(false) }; 4];
        let (waker, running) = (OnceLock::new(), AtomicU32::new(IDLE));
        Self {
            worker,
            pool,
            epoch,
            waker,
            running,
            sequence,
            intended,
            warm_up,
            start,
            polled,
            end,
            begun,
            block,
            block_left,
            leave,
            listed,
            ready,
            items,
            bytes,
        }
    }

    #[inline]
    pub(super) fn begin(&self, operation: usize, turn: Turn) {
        self.sequence.store(turn.sequence, Relaxed);
        self.intended.store(turn.intended.unwrap_or(NOT_INTENDED), Relaxed);
        self.warm_up.store(turn.warm_up, Relaxed);
        self.running.store(u32::try_from(operation).map_or(u32::MAX, |operation| operation + 1), Relaxed);
    }

    /// Says that it is about to take up an operation.
    #[inline]
    pub(super) fn claim(&self) {
        self.running.store(CLAIMING, Relaxed);
    }

    #[inline]
    pub(super) fn end(&self) {
        self.running.store(IDLE, Relaxed);
    }

    #[inline]
    pub(super) fn turn(&self) -> Turn {
        let intended = Some(self.intended.load(Relaxed)).filter(|intended| *intended != NOT_INTENDED);
        Turn { sequence: self.sequence.load(Relaxed), intended, warm_up: self.warm_up.load(Relaxed) }
    }

    /// The number of the operation under way.
    #[inline]
    pub(in crate::load) fn sequence(&self) -> u64 {
        self.sequence.load(Relaxed)
    }

    /// When the operation under way was due, or else when it was started.
    #[inline]
    pub(in crate::load) fn due(&self) -> u64 {
        match self.intended.load(Relaxed) {
            NOT_INTENDED => self.start.load(Relaxed),
            intended => intended,
        }
    }

    /// The operation under way.
    pub(super) fn running(&self) -> Option<usize> {
        match self.running.load(Relaxed) {
            IDLE | CLAIMING => None,
            operation => usize::try_from(operation - 1).ok(),
        }
    }

    /// Whether no operation is under way, or about to be.
    pub(super) fn is_idle(&self) -> bool {
        self.running.load(Relaxed) == IDLE
    }

    pub(super) fn wake(&self) {
        if let Some(waker) = self.waker.get() {
            waker.wake_by_ref();
        }
    }

    pub(in crate::load) fn add_items(&self, items: u64) {
        self.items.fetch_add(items, Relaxed);
    }

    pub(in crate::load) fn add_bytes(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Relaxed);
    }

    /// What was added since the last call.
    #[inline]
    pub(super) fn moved(&self) -> (u64, u64) {
        let take = |cell: &AtomicU64| if cell.load(Relaxed) == 0 { 0 } else { cell.swap(0, Relaxed) };
        (take(&self.items), take(&self.bytes))
    }
}

impl fmt::Debug for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seat")
            .field("worker", &self.worker)
            .field("running", &self.running())
            .finish_non_exhaustive()
    }
}
