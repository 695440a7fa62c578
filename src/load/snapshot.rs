//! A run as it is at one moment.

use std::time::Duration;

use super::figures::LoadCounts;
use super::latency::Latency;

/// What a run has done so far. `operations` has the same for each operation.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LoadSnapshot {
    /// `total` or the operation's name.
    pub name: String,
    /// Since the start of the schedule; zero during set-up and warm-up.
    pub elapsed: Duration,
    /// The schedule's length, where it has one.
    pub planned: Option<Duration>,
    /// So far.
    pub counts: LoadCounts,
    /// Arrivals due and operations started, but not ended; of those that wait, 65 536 at most are seen before the end.
    pub outstanding: u64,
    /// So far, from intended start to end (closed loop: service), of those that ended well.
    pub response: Latency,
    /// So far.
    pub service: Latency,
    /// So far.
    pub lag: Latency,
    /// One for each operation; empty in one operation's.
    pub operations: Vec<LoadSnapshot>,
}
