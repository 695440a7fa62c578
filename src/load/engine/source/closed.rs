//! The closed loop, in which a worker makes its own turns.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::task::Poll;
use std::time::Duration;

use super::{CLOSED, Seat, Source, Turn};
use crate::load::histogram::nanos;
use crate::load::schedule::{Closed, Until};

impl Source {
    /// Begins a closed loop at `from`, in nanoseconds of the run's clock.
    pub(in crate::load::engine) fn close_loop(&self, closed: &Closed, base: u64, from: u64, warm_up: bool) {
        self.workers.store(closed.workers, Relaxed);
        let count = if let Until::Count(count) = closed.until { count } else { u64::MAX };
        let end =
            if let Until::Time(time) = closed.until { from.saturating_add(nanos(time)) } else { u64::MAX };
        self.ends_at.store(end, Relaxed);
        self.count.store(count, Relaxed);
        self.claimed.store(0, Relaxed);
        // Small enough that the last workers end together, large enough that the count is rarely touched.
        self.chunk.store((count / (closed.workers as u64 * 100)).clamp(1, 64), Relaxed);
        self.think.store(nanos(closed.think), Relaxed);
        for seat in &self.seats {
            seat.begun.store(0, Relaxed);
            seat.block_left.store(0, Relaxed);
        }
        self.begin(base, warm_up, CLOSED);
        self.wake_all();
    }

    /// Whether the count of a closed loop has been begun as a whole.
    pub(super) fn is_used_up(&self) -> bool {
        self.mode.load(Relaxed) == CLOSED
            && self.claimed.load(SeqCst) >= self.count.load(Relaxed)
            && self.seats.iter().all(|seat| seat.block_left.load(Acquire) == 0 || !seat.ready.load(Relaxed))
    }

    #[inline]
    pub(super) fn poll_closed(&self, seat: &Seat) -> Poll<Option<Turn>> {
        let workers = self.workers.load(Relaxed);
        if seat.worker >= workers {
            return Poll::Pending;
        }
        // The end of its last operation is a reading of the clock that it need not repeat.
        let begun = seat.begun.load(Relaxed);
        let now = if begun == 0 { self.now() } else { seat.end.load(Relaxed) };
        let number = if self.ended.load(Relaxed) {
            None
        } else if now >= self.ends_at.load(Relaxed) {
            self.ended.store(true, SeqCst); // for all
            None
        } else if self.count.load(Relaxed) == u64::MAX {
            Some(begun * workers as u64 + seat.worker as u64)
        } else {
            self.claim(seat)
        };
        let Some(number) = number else {
            self.changed.notify_one();
            return Poll::Pending;
        };
        seat.begun.store(begun + 1, Relaxed);
        let sequence = self.base.load(Relaxed) + number;
        Poll::Ready(Some(Turn { sequence, intended: None, warm_up: self.warm_up.load(Relaxed) }))
    }

    #[inline]
    fn claim(&self, seat: &Seat) -> Option<u64> {
        let left = seat.block_left.load(Relaxed);
        seat.claim();
        if left > 0 {
            seat.block_left.store(left - 1, Release);
            let number = seat.block.load(Relaxed);
            seat.block.store(number + 1, Relaxed);
            return Some(number);
        }
        let (count, chunk) = (self.count.load(Relaxed), self.chunk.load(Relaxed));
        // Seen by all who see that the count is used up: something is left to be begun here.
        seat.block_left.store(u64::MAX, Relaxed);
        let first = self.claimed.fetch_add(chunk, SeqCst);
        let left = count.saturating_sub(first).min(chunk);
        seat.block.store(first + 1, Relaxed);
        seat.block_left.store(left.saturating_sub(1), Release);
        if left == 0 {
            seat.end();
            return None;
        }
        Some(first)
    }

    /// How long to pause after an operation of a closed loop; zero in an open phase.
    #[inline]
    pub(in crate::load::engine) fn think(&self) -> Duration {
        Duration::from_nanos(if self.mode.load(Relaxed) == CLOSED { self.think.load(Relaxed) } else { 0 })
    }

    /// Pauses after an operation of a closed loop, no longer than the loop itself.
    pub(in crate::load::engine) async fn pause_after(&self, seat: &Seat, think: Duration) {
        let segment = self.segments.load(Relaxed);
        let mut rest = std::pin::pin!(crate::poll::delay(think));
        std::future::poll_fn(|context| {
            let goes_on = self.mode.load(SeqCst) == CLOSED
                && self.segments.load(Relaxed) == segment
                && !self.ended.load(Relaxed)
                && !seat.leave.load(Relaxed);
            if goes_on { rest.as_mut().poll(context) } else { Poll::Ready(()) }
        })
        .await;
    }
}
