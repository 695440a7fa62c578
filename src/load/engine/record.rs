//! What operations did, recorded by each thread apart and put together when read.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::load::histogram::{Counts, Recording};
use crate::load::latency::Latency;

/// Threads with a set of their own; further ones share one, at several times the cost.
const MOST_THREADS: usize = 8;

/// Gives each thread of the process a number, from 1.
#[inline]
fn this_thread() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    thread_local!(static NUMBER: Cell<u64> = const { Cell::new(0) });
    NUMBER.with(|number| {
        if number.get() == 0 {
            number.set(LAST.fetch_add(1, Relaxed) + 1);
        }
        number.get()
    })
}

/// What became of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Well,
    Failed,
    TimedOut,
    Injected,
}

/// One operation that has ended; times in nanoseconds of the run's clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Done {
    pub(super) operation: usize,
    pub(super) warm_up: bool,
    /// `None` in a closed loop.
    pub(super) intended: Option<u64>,
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) how: End,
    pub(super) items: u64,
    pub(super) bytes: u64,
}

/// The figures of one operation, of one thread.
#[derive(Debug)]
struct Figures {
    /// Response and lag, where there is an open phase.
    open: Option<[Recording; 2]>,
    service: Recording,
    failed: Recording,
    timed_out: AtomicU64,
    injected: AtomicU64,
    items: AtomicU64,
    bytes: AtomicU64,
}

impl Figures {
    fn new(open: bool) -> Self {
        let [timed_out, injected, items, bytes] = [const { AtomicU64::new(0) }; 4];
        let open = open.then(|| [Recording::new(), Recording::new()]);
        Self { open, service: Recording::new(), failed: Recording::new(), timed_out, injected, items, bytes }
    }

    const fn size(open: bool) -> u64 {
        Recording::BYTES * if open { 4 } else { 2 } + size_of::<Self>() as u64
    }
}

/// The figures of every operation, and of the warm-up last, of one thread.
#[derive(Debug)]
struct Set {
    /// Whose it is; 0 while it is nobody's.
    thread: AtomicU64,
    figures: Box<[Figures]>,
    last_end: AtomicU64,
}

#[derive(Debug)]
pub(super) struct Recorder {
    sets: Box<[Set]>,
    shared: Set,
    operations: usize,
    /// The first operation of each to end, in nanoseconds; `u64::MAX` before that.
    firsts: Box<[AtomicU64]>,
    /// How long an operation of each was polled at a time, at most.
    polls: Box<[AtomicU64]>,
}

/// How to change a figure: plainly by its only writer, or by anyone.
#[derive(Clone, Copy)]
struct Writer {
    alone: bool,
}

impl Writer {
    #[inline]
    fn add(self, cell: &AtomicU64, more: u64) {
        if self.alone {
            cell.store(cell.load(Relaxed) + more, Relaxed);
        } else {
            cell.fetch_add(more, Relaxed);
        }
    }

    #[inline]
    fn record(self, recording: &Recording, nanos: u64) {
        if self.alone { recording.add(nanos) } else { recording.add_shared(nanos) }
    }
}

impl Recorder {
    pub(super) fn new(operations: usize, threads: usize, open: bool) -> Self {
        let set = || Set {
            thread: AtomicU64::new(0),
            figures: (0..=operations).map(|_| Figures::new(open)).collect(),
            last_end: AtomicU64::new(0),
        };
        Self {
            sets: (0..threads.clamp(1, MOST_THREADS).next_power_of_two()).map(|_| set()).collect(),
            shared: set(),
            operations,
            firsts: std::iter::repeat_with(|| AtomicU64::new(u64::MAX)).take(operations).collect(),
            polls: std::iter::repeat_with(AtomicU64::default).take(operations).collect(),
        }
    }

    /// What it takes, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        let figures = (self.operations as u64 + 1) * Figures::size(self.shared.figures[0].open.is_some());
        (self.sets.len() as u64 + 1) * (figures + size_of::<Set>() as u64)
    }

    #[inline]
    fn set(&self) -> (&Set, Writer) {
        let thread = this_thread();
        let mask = self.sets.len() - 1; // their number is a power of two
        let from = usize::try_from(thread).unwrap_or_default();
        for step in 0..=mask {
            let set = &self.sets[(from + step) & mask];
            let owner = set.thread.load(Relaxed);
            if owner == thread
                || owner == 0 && set.thread.compare_exchange(0, thread, Relaxed, Relaxed).is_ok()
            {
                return (set, Writer { alone: true });
            }
        }
        (&self.shared, Writer { alone: false })
    }

    /// Records an operation. It neither waits nor allocates.
    #[inline]
    pub(super) fn record(&self, done: &Done) {
        let (set, writer) = self.set();
        let place = if done.warm_up { self.operations } else { done.operation };
        let figures = &set.figures[place];
        let from = done.intended.unwrap_or(done.start);
        match done.how {
            End::Well => {
                writer.record(&figures.service, done.end - done.start);
                if let Some([response, _]) = &figures.open {
                    writer.record(response, done.end.saturating_sub(from));
                }
            }
            End::Injected => writer.add(&figures.injected, 1),
            End::Failed => writer.record(&figures.failed, done.end.saturating_sub(from)),
            End::TimedOut => {
                writer.record(&figures.failed, done.end.saturating_sub(from));
                writer.add(&figures.timed_out, 1);
            }
        }
        if let (Some([_, lag]), Some(intended)) = (&figures.open, done.intended) {
            writer.record(lag, done.start.saturating_sub(intended));
        }
        if done.items > 0 || done.bytes > 0 {
            writer.add(&figures.items, done.items);
            writer.add(&figures.bytes, done.bytes);
        }
        set.last_end.store(done.end, Relaxed); // may be a little less than another thread's
        let first = &self.firsts[done.operation];
        if first.load(Relaxed) == u64::MAX && done.how != End::Injected {
            let _ = first.compare_exchange(u64::MAX, done.end - done.start, Relaxed, Relaxed);
        }
    }

    /// When the last operation ended, in nanoseconds of the run's clock; 0 before any did.
    pub(super) fn last_end(&self) -> u64 {
        self.all().map(|set| set.last_end.load(Relaxed)).max().unwrap_or_default()
    }

    pub(super) fn first(&self, operation: usize) -> Option<u64> {
        Some(self.firsts[operation].load(Relaxed)).filter(|nanos| *nanos != u64::MAX)
    }

    /// Notes for how long an operation was polled, from begin to end, in nanoseconds.
    #[inline]
    pub(super) fn polled(&self, operation: usize, nanos: u64) {
        let longest = &self.polls[operation];
        if nanos > longest.load(Relaxed) {
            longest.fetch_max(nanos, Relaxed); // ever more seldom
        }
    }

    pub(super) fn longest_poll(&self, operation: usize) -> Option<u64> {
        Some(self.polls[operation].load(Relaxed)).filter(|nanos| *nanos > 0)
    }

    /// How many ended well so far.
    pub(super) fn succeeded(&self, operation: usize) -> u64 {
        self.all().map(|set| set.figures[operation].service.count()).sum()
    }

    fn all(&self) -> impl Iterator<Item = &Set> {
        self.sets.iter().chain([&self.shared])
    }

    /// What was recorded so far of one operation; of the warm-up where `operation` is their number.
    pub(super) fn add_to(&self, operation: usize, recorded: &mut Recorded) {
        for set in self.all() {
            let figures = &set.figures[operation];
            figures.service.add_to(&mut recorded.service);
            figures.failed.add_to(&mut recorded.failed);
            if let Some([response, lag]) = &figures.open {
                response.add_to(&mut recorded.response);
                lag.add_to(&mut recorded.lag);
            }
            recorded.timed_out += figures.timed_out.load(Relaxed);
            recorded.injected += figures.injected.load(Relaxed);
            recorded.items += figures.items.load(Relaxed);
            recorded.bytes += figures.bytes.load(Relaxed);
        }
    }

    /// Adds what the monitor needs for a window: response times, or service times in a closed loop, and failures.
    pub(super) fn add_window(&self, closed: bool, well: &mut Counts, failed: &mut Counts) {
        for set in self.all() {
            for figures in &set.figures[..self.operations] {
                match &figures.open {
                    Some([response, _]) if !closed => response.add_to(well),
                    _ => figures.service.add_to(well),
                }
                figures.failed.add_to(failed);
            }
        }
    }
}

/// What was recorded up to a moment.
#[derive(Clone, Debug)]
pub(super) struct Recorded {
    response: Counts,
    service: Counts,
    lag: Counts,
    failed: Counts,
    pub(super) timed_out: u64,
    pub(super) injected: u64,
    pub(super) items: u64,
    pub(super) bytes: u64,
}

impl Recorded {
    pub(super) fn new() -> Self {
        let [response, service, lag, failed] = std::array::from_fn(|_| Counts::new());
        Self { response, service, lag, failed, timed_out: 0, injected: 0, items: 0, bytes: 0 }
    }

    pub(super) fn response(&self) -> Latency {
        Latency::of(&self.response)
    }

    pub(super) fn service(&self) -> Latency {
        Latency::of(&self.service)
    }

    pub(super) fn lag(&self) -> Latency {
        Latency::of(&self.lag)
    }

    pub(super) fn failed(&self) -> Latency {
        Latency::of(&self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(operation: usize, how: End) -> Done {
        let (intended, start, end) = (Some(100), 150, 400);
        Done { operation, warm_up: false, intended, start, end, how, items: 2, bytes: 10 }
    }

    #[test]
    fn more_threads_than_sets_lose_nothing() {
        let recorder = Recorder::new(1, 2, true);
        std::thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| (0..1000).for_each(|_| recorder.record(&done(0, End::Well))));
            }
        });
        let mut recorded = Recorded::new();
        recorder.add_to(0, &mut recorded);
        assert_eq!((recorded.service().count(), recorded.items, recorded.bytes), (6000, 12_000, 60_000));
        assert_eq!(recorded.response().mean().unwrap().as_nanos(), 300);
    }

    #[test]
    fn each_end_is_counted_in_its_own_place() {
        let recorder = Recorder::new(2, 1, true);
        for how in [End::Well, End::Failed, End::TimedOut, End::Injected] {
            recorder.record(&done(1, how));
        }
        recorder.record(&Done { warm_up: true, ..done(1, End::Well) });
        let mut recorded = Recorded::new();
        recorder.add_to(1, &mut recorded);
        let counts =
            (recorded.service().count(), recorded.failed().count(), recorded.timed_out, recorded.injected);
        assert_eq!(counts, (1, 2, 1, 1));
        assert_eq!(recorded.lag().count(), 4);
        let mut warm_up = Recorded::new();
        recorder.add_to(2, &mut warm_up);
        assert_eq!(warm_up.service().count(), 1);
        assert_eq!((recorder.first(0), recorder.first(1)), (None, Some(250)));
    }
}
