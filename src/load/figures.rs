//! The parts of a load report, as plain data.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::latency::Latency;

/// How the load was generated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LoadSetup {
    /// The schedule as text, such as `steady 1000/s for 2 s`.
    pub schedule: String,
    /// Whether every phase of it is a closed loop; there is no intended start then, and no lag.
    pub closed: bool,
    /// How long the schedule is, without its warm-up; `None` where its end is a count.
    pub planned: Option<Duration>,
    /// Workers that were set up, that is most operations in flight.
    pub workers: u64,
    /// The runtime's flavour: `current_thread` or `multi_thread`.
    pub flavor: String,
    /// Worker threads of the runtime.
    pub threads: u64,
    /// What the mix, the sizes and the injections were drawn from.
    pub seed: u64,
    /// Sizes of payloads in bytes, smallest and largest.
    pub payload_bytes: (u64, u64),
    /// What the generator allocated for itself before the start, in bytes: pool, histograms, workers. None of it is the test's in a
    /// [`MemoryProbe`](crate::MemoryProbe).
    pub generator_bytes: u64,
}

/// How many operations there were, by what became of them. Operations of the warm-up are in none of these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LoadCounts {
    /// Arrivals that the schedule asked for in the time that the run lasted; `None` in a closed loop.
    pub planned: Option<u64>,
    /// Ended well.
    pub succeeded: u64,
    /// Ended with an error, a panic, or at the time limit.
    pub failed: u64,
    /// Of those that failed, those that reached the time limit of an operation.
    pub timed_out: u64,
    /// Not run, or cut short, because a failure was injected.
    pub injected: u64,
    /// Not started, because as many as allowed were in flight.
    pub dropped: u64,
    /// Not ended when the run was, and dropped.
    pub unfinished: u64,
    /// Items that operations said they had handled.
    pub items: u64,
    /// Bytes that operations said they had moved.
    pub bytes: u64,
}

impl LoadCounts {
    /// Returns how many ended, well or not.
    #[must_use]
    pub fn completed(&self) -> u64 {
        self.succeeded + self.failed
    }

    /// Returns how many did not end well, were not started or did not end: what a percentile's limit counts as slower than any.
    #[must_use]
    pub fn unserved(&self) -> u64 {
        self.failed + self.dropped + self.unfinished
    }
}

/// Errors of one kind: those whose texts differ in their digits alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ErrorCount {
    /// The text with each number as `#`.
    pub kind: String,
    /// How often.
    pub count: u64,
    /// The first one's text, as it was.
    pub example: String,
}

/// The operations of the warm-up, which are in no other figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WarmUpFigures {
    /// How long it was planned to last.
    pub planned: Duration,
    /// How many ended well.
    pub succeeded: u64,
    /// How many failed; those that had not ended when the schedule began are in no figure.
    pub failed: u64,
    /// From intended start to end, of those that ended well.
    pub response: Latency,
}

/// What became of the workers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WorkerFigures {
    /// How many were asked for.
    pub asked: u64,
    /// How many were set up at the start.
    pub started: u64,
    /// How many joined during the run, each in the place of one that left.
    pub joined: u64,
    /// How many left during the run.
    pub left: u64,
    /// How many could not be set up; each is one error of a kind that begins with `set-up: `.
    pub failed: u64,
    /// How long setting up took, of those that were.
    pub set_up: Latency,
}

/// One burst of a schedule of bursts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BurstFigures {
    /// When it was due, from the start of the run.
    pub at: Duration,
    /// How many operations it had.
    pub size: u64,
    /// How many of them ended well.
    pub succeeded: u64,
    /// How many of them ended otherwise, or not at all.
    pub failed: u64,
    /// From its start until the last of its operations ended; `None` when some did not end.
    pub drained: Option<Duration>,
}

impl BurstFigures {
    /// Returns which share of its operations ended well, from 0 to 1.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "53 bits are more than a share needs")]
    pub fn served_share(&self) -> f64 {
        self.succeeded as f64 / self.size as f64
    }
}

/// Something that was done to the system during the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LoadEvent {
    /// What was done, as the test names it.
    pub name: String,
    /// When it was begun, from the start of the run (the end of its warm-up).
    pub at: Duration,
    /// How long it took.
    pub took: Duration,
    /// Why it failed, if it did.
    pub error: Option<String>,
}
