//! The one bounded wait, and the one place that sleeps.

use std::time::{Duration, Instant};

/// The first pause; each next one doubles, up to the last.
const FIRST_PAUSE: Duration = Duration::from_micros(500);

/// A point in time that the waits of one operation share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    start: Instant,
    limit: Duration,
}

impl Deadline {
    pub(crate) fn after(limit: Duration) -> Self {
        Self { start: Instant::now(), limit }
    }

    pub(crate) fn limit(&self) -> Duration {
        self.limit
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// Returns what is left, zero once it has passed.
    pub(crate) fn remaining(&self) -> Duration {
        self.limit.saturating_sub(self.elapsed())
    }

    pub(crate) fn has_passed(&self) -> bool {
        self.remaining().is_zero()
    }
}

/// Asks until there is an answer, or returns `None` when `limit` has passed; asks at least once.
pub(crate) fn until<T>(
    limit: Duration,
    longest_pause: Duration,
    mut ask: impl FnMut() -> Option<T>,
) -> Option<T> {
    let deadline = Deadline::after(limit);
    let mut pause = FIRST_PAUSE.min(longest_pause);
    loop {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        let remaining = deadline.remaining();
        if remaining.is_zero() {
            return None;
        }
        #[expect(clippy::disallowed_methods, reason = "this is the one wait that the others go through")]
        std::thread::sleep(pause.min(remaining));
        pause = (pause * 2).min(longest_pause);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_answer_ends_the_wait() {
        let mut asked = 0;
        let answer = until(Duration::from_secs(60), Duration::from_millis(1), || {
            asked += 1;
            (asked == 3).then_some(asked)
        });
        assert_eq!(answer, Some(3));
    }

    #[test]
    fn no_answer_ends_at_the_limit_and_asks_once_more_then() {
        let mut asked = 0;
        let answer: Option<()> = until(Duration::ZERO, Duration::from_secs(60), || {
            asked += 1;
            None
        });
        assert_eq!((answer, asked), (None, 1));
    }
}
