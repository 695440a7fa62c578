//! Figures of one window, and of several taken together.

use std::time::Duration;

use super::Window;

impl Window {
    /// Returns when it ended, from the start of the run.
    #[must_use]
    pub fn end(&self) -> Duration {
        self.at + self.length
    }

    /// Returns how many operations ended well per second; `None` for a window without a length.
    #[must_use]
    pub fn succeeded_per_second(&self) -> Option<f64> {
        (!self.length.is_zero()).then(|| number(self.succeeded) / self.length.as_secs_f64())
    }

    /// Takes windows that follow each other together; `None` for none.
    ///
    /// The p50 is the median of theirs, each counted as often as it had operations. The p99 is the largest of theirs: that of all
    /// operations together is not above it.
    pub(super) fn merged(windows: &[Self]) -> Option<Self> {
        let (first, last) = (windows.first()?, windows.last()?);
        let sum = |count: fn(&Self) -> u64| windows.iter().map(count).sum();
        let known = windows.iter().all(|window| window.due.is_some());
        Some(Self {
            at: first.at,
            length: last.end().saturating_sub(first.at),
            due: known.then(|| sum(|window| window.due.unwrap_or(0))),
            succeeded: sum(|window| window.succeeded),
            failed: sum(|window| window.failed),
            outstanding: last.outstanding,
            p50: median(windows.iter().filter_map(|window| Some((window.p50?, window.succeeded)))),
            p99: windows.iter().filter_map(|window| window.p99).max(),
            max: windows.iter().filter_map(|window| window.max).max(),
        })
    }
}

/// The median of values that count so often; `None` when nothing counts.
pub(super) fn median(values: impl IntoIterator<Item = (Duration, u64)>) -> Option<Duration> {
    let mut values: Vec<_> = values.into_iter().filter(|(_, count)| *count > 0).collect();
    values.sort_unstable();
    let all: u64 = values.iter().map(|(_, count)| count).sum();
    let mut seen = 0;
    let middle = values.iter().find(|(_, count)| {
        seen += count;
        seen * 2 >= all
    });
    middle.map(|(value, _)| *value)
}

#[expect(clippy::cast_precision_loss, reason = "53 bits are more than a rate needs")]
pub(super) fn number(count: u64) -> f64 {
    count as f64
}
