//! The one bounded wait; the only place in the crate that sleeps.
//!
//! A wait names a state that holds, never a time: a condition is tried at a growing interval until it holds or its
//! limit is over. Every limit is multiplied by [`time_factor`], so that a slow machine needs one variable.

mod timer;
mod waits;

use std::sync::OnceLock;
use std::time::{Duration, Instant};

pub(crate) use timer::{Delay, delay};
pub use waits::{Condition, WaitError, all_of, any_of, eventually, in_sequence};

/// How long a wait polls at its first interval, before it backs off.
const EAGER: Duration = Duration::from_millis(50);
const FIRST_INTERVAL: Duration = Duration::from_micros(500);
const LAST_INTERVAL: Duration = Duration::from_millis(10);

/// Returns the factor by which every limit of this crate is multiplied.
///
/// It is read once from `ISOLATED_NATS_TIME_FACTOR`, a decimal number from 0.001 to 1000; 1 when the variable is
/// unset or empty. Any other value is an error of the next start. A factor of 4 suits an emulated or heavily loaded machine.
#[must_use]
pub fn time_factor() -> f64 {
    static FACTOR: OnceLock<f64> = OnceLock::new();
    *FACTOR.get_or_init(|| {
        std::env::var("ISOLATED_NATS_TIME_FACTOR").ok().and_then(|text| parse_factor(&text)).unwrap_or(1.0)
    })
}

fn parse_factor(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|factor| (0.001..=1000.0).contains(factor))
}

/// A limit as it is on this machine; a limit too long to be counted is as long as can be.
pub(crate) fn scaled(limit: Duration) -> Duration {
    Duration::try_from_secs_f64(limit.as_secs_f64() * time_factor()).unwrap_or(Duration::MAX)
}

/// A point in time after which a wait is over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    started: Instant,
    limit: Duration,
}

impl Deadline {
    /// A deadline `limit` from now, already scaled by [`time_factor`].
    pub(crate) fn after(limit: Duration) -> Self {
        Self { started: Instant::now(), limit: scaled(limit) }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// What is left; zero once it is over.
    pub(crate) fn remaining(&self) -> Duration {
        self.limit.saturating_sub(self.elapsed())
    }

    pub(crate) fn is_over(&self) -> bool {
        self.remaining().is_zero()
    }
}

/// The interval before the next try, given how long the wait has lasted.
fn interval(elapsed: Duration) -> Duration {
    interval_from(FIRST_INTERVAL, elapsed)
}

fn interval_from(first: Duration, elapsed: Duration) -> Duration {
    if elapsed < EAGER { first } else { (elapsed / 50).clamp(first, LAST_INTERVAL) }
}

/// Tries `attempt` until it gives a value or the deadline is over; it is tried at least once.
///
/// Blocks the calling thread: call it on a thread of ours, or in a blocking function of the public API.
pub(crate) fn until<T>(deadline: &Deadline, attempt: impl FnMut() -> Option<T>) -> Option<T> {
    until_each(FIRST_INTERVAL, deadline, attempt)
}

/// The same at a first interval of one's own, for a state that comes within milliseconds and is cheap to look at.
pub(crate) fn until_each<T>(
    first: Duration,
    deadline: &Deadline,
    mut attempt: impl FnMut() -> Option<T>,
) -> Option<T> {
    loop {
        if let Some(value) = attempt() {
            return Some(value);
        }
        if deadline.is_over() {
            return None;
        }
        sleep(interval_from(first, deadline.elapsed()).min(deadline.remaining()));
    }
}

/// Blocks the thread for a moment between two looks of a wait that an async function makes by itself.
pub(crate) fn block_for(moment: Duration) {
    sleep(moment);
}

/// Blocks the thread until a point in time, for work that is due then.
#[cfg(feature = "load")]
pub(crate) fn block_until(at: Instant) {
    sleep(at.saturating_duration_since(Instant::now()));
}

/// Lets the system wake this thread when it is due, and not up to 50 µs later to wake others with it. Linux only.
#[cfg(feature = "load")]
pub(crate) fn without_slack() {
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1)); // a system without it is less punctual
}

#[expect(clippy::disallowed_methods, reason = "this is the one bounded wait that the lint points to")]
fn sleep(duration: Duration) {
    std::thread::sleep(duration);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_ends_with_the_first_value() {
        let mut tries = 0;
        let got = until(&Deadline::after(Duration::from_secs(5)), || {
            tries += 1;
            (tries == 3).then_some("held")
        });
        assert_eq!((got, tries), (Some("held"), 3));
    }

    #[test]
    fn a_wait_that_never_holds_ends_at_its_limit_and_was_tried() {
        let mut tries = 0;
        let got: Option<()> = until(&Deadline::after(Duration::ZERO), || {
            tries += 1;
            None
        });
        assert_eq!((got, tries), (None, 1));
    }

    #[test]
    fn the_interval_is_short_at_first_and_bounded_later() {
        assert_eq!(interval(Duration::ZERO), FIRST_INTERVAL);
        assert_eq!(interval(Duration::from_millis(49)), FIRST_INTERVAL);
        assert_eq!(interval(Duration::from_millis(100)), Duration::from_millis(2));
        assert_eq!(interval(Duration::from_secs(60)), LAST_INTERVAL);
    }

    #[test]
    fn only_a_positive_number_is_a_factor() {
        assert_eq!(parse_factor(" 2.5 "), Some(2.5));
        for bad in ["", "0", "1e-8", "-1", "many", "inf", "NaN", "1e9"] {
            assert_eq!(parse_factor(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_limit_beyond_counting_is_the_longest_one() {
        assert_eq!(scaled(Duration::MAX), Duration::MAX);
    }
}
