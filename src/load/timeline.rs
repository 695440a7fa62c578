//! A run window by window: steady, outage, recovery.

mod display;
mod recovery;
mod window;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use recovery::{Outage, Recovery, Steady};

/// One window of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Window {
    /// When it began, from the start of the run.
    pub at: Duration,
    /// How long it was: a little more than asked for when the machine was busy.
    pub length: Duration,
    /// Arrivals that were due in it; `None` in a closed loop.
    pub due: Option<u64>,
    /// Operations that ended well in it.
    pub succeeded: u64,
    /// Operations that failed in it.
    pub failed: u64,
    /// Arrivals due and operations started, but not ended, when it ended.
    pub outstanding: u64,
    /// Of the operations that ended well in it, from intended start to end; `None` when there was none.
    pub p50: Option<Duration>,
    /// The same, of 99 in a hundred.
    pub p99: Option<Duration>,
    /// The same, of all.
    pub max: Option<Duration>,
}

/// A run window by window, in order, without its warm-up. The windows are those in which operations *ended*.
///
/// `Display` prints a table of at most 40 rows, each of as many windows as that takes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Timeline {
    pub(super) windows: Vec<Window>,
}

impl Timeline {
    /// Returns the windows, in order and without gaps; empty when the run ended before the first one did.
    #[must_use]
    pub fn windows(&self) -> &[Window] {
        &self.windows
    }

    /// Returns the window that holds a moment of the run; `None` after the last.
    #[must_use]
    pub fn at(&self, moment: Duration) -> Option<&Window> {
        self.windows.iter().find(|window| (window.at..window.end()).contains(&moment))
    }
}
