//! What is normal for a run, and which windows are not.

use std::time::Duration;

use super::super::Window;
use super::super::window::{median, number};
use super::{STEADY_WINDOWS, Steady};

/// What a busy machine does to an operation by itself: no sign of an outage.
const BUSY: Duration = Duration::from_millis(5);

/// What is normal for a run, as its windows before an event show it.
#[derive(Debug)]
pub(super) struct Normal {
    /// Operations that end well, per second.
    rate: f64,
    /// How many fail of those that end.
    failed_share: f64,
    p99: Duration,
    /// How long a window is.
    window: Duration,
}

impl Normal {
    /// What most windows show in which more ended well than failed; `None` with fewer than three of these.
    pub(super) fn of(windows: &[Window]) -> Option<Self> {
        let served = |window: &&Window| window.succeeded > window.failed && !window.length.is_zero();
        let served: Vec<_> = windows.iter().filter(served).collect();
        if served.len() < STEADY_WINDOWS {
            return None;
        }
        let sum = |count: fn(&Window) -> u64| number(served.iter().map(|window| count(window)).sum());
        // Idle windows, as between bursts, count; those of an outage do not.
        let idle = |window: &&Window| window.due == Some(0) && window.succeeded + window.failed == 0;
        let length: Duration =
            windows.iter().filter(|one| served.contains(one) || idle(one)).map(|one| one.length).sum();
        let (succeeded, failed) = (sum(|window| window.succeeded), sum(|window| window.failed));
        Some(Self {
            rate: succeeded / length.as_secs_f64(),
            failed_share: failed / (succeeded + failed),
            p99: median(served.iter().filter_map(|window| Some((window.p99?, 1))))?,
            window: median(served.iter().map(|window| (window.length, 1)))?,
        })
    }

    /// How many windows it takes for so many operations.
    pub(super) fn windows_for(&self, operations: f64) -> usize {
        let each = self.rate * self.window.as_secs_f64();
        // Not one more for a rate that is a hair below.
        let windows = crate::memory::text::whole((operations / each * 0.9).ceil());
        usize::try_from(windows).unwrap_or(usize::MAX).max(1)
    }

    fn usual(&self, window: &Window) -> f64 {
        self.rate * window.length.as_secs_f64()
    }

    /// Whether fewer than half ended well. A burst that takes longer than a window is not short: what is due at once is no
    /// more than usual.
    fn is_short(&self, window: &Window) -> bool {
        let expected = window.due.map_or(self.usual(window), |due| self.usual(window).min(number(due)));
        number(window.succeeded) * 2.0 < expected
    }

    /// Whether more failed than do by chance.
    fn is_failing(&self, window: &Window) -> bool {
        let usual = self.failed_share * number(window.succeeded + window.failed);
        number(window.failed) > 2.0 * usual + 3.0 * usual.sqrt()
    }

    fn is_slow(&self, window: &Window) -> bool {
        window.p99.is_some_and(|p99| p99 > self.p99 * 10 && p99 > BUSY)
    }

    /// Whether one in ten failed, or more.
    fn is_failing_badly(&self, window: &Window) -> bool {
        self.is_failing(window) && window.failed * 10 >= window.succeeded + window.failed
    }

    /// Whether the first of the windows is not as it should be, given those that follow: what may be a late operation of an earlier
    /// trouble, or an accident, must not be alone.
    pub(super) fn is_disturbed(&self, windows: &[Window]) -> bool {
        let surely = |window| self.is_short(window) || self.is_failing_badly(window);
        match windows {
            [] => false,
            [one] => surely(one),
            [one, next, ..] => surely(one) || !self.is_calm(one) && !self.is_calm(next),
        }
    }

    /// Whether nothing is to be seen of a disturbance.
    pub(super) fn is_calm(&self, window: &Window) -> bool {
        !self.is_short(window) && !self.is_failing(window) && !self.is_slow(window)
    }

    /// Whether nothing worked, or more failed than did.
    pub(super) fn is_down(&self, window: &Window) -> bool {
        self.is_short(window) || window.failed > window.succeeded
    }

    /// Whether these windows together are as the run was before.
    pub(super) fn is_steady(&self, windows: &[Window]) -> bool {
        let calm = |window: &Window| {
            let fast = window.p99.is_none_or(|p99| p99 <= (self.p99 * 2).max(BUSY));
            fast && !self.is_failing(window) && !self.is_short(window)
        };
        let expected: f64 =
            windows.iter().map(|window| window.due.map_or_else(|| self.usual(window), number)).sum();
        let succeeded = number(windows.iter().map(|window| window.succeeded).sum());
        // Two may have ended a moment earlier or later than the windows did.
        let near = (succeeded - expected).abs() <= (expected * 0.1).max(2.0);
        succeeded > 0.0 && near && windows.iter().all(calm)
    }

    /// The figures of those windows that are not disturbed; `None` when all are.
    pub(super) fn steady(&self, windows: &[Window]) -> Option<Steady> {
        let calm: Vec<_> = windows.iter().filter(|window| self.is_calm(window)).collect();
        let length: Duration = calm.iter().map(|window| window.length).sum();
        let succeeded = number(calm.iter().map(|window| window.succeeded).sum());
        (!length.is_zero()).then(|| Steady {
            length,
            succeeded_per_second: succeeded / length.as_secs_f64(),
            p50: median(calm.iter().filter_map(|window| Some((window.p50?, 1)))),
            p99: median(calm.iter().filter_map(|window| Some((window.p99?, 1)))),
        })
    }
}
