//! What passes between the benchmark and the process that measures: an order there, a measurement back.

use std::time::Duration;

use isolated_nats::results::Fingerprint;
use isolated_nats::{LoadReport, MemoryReport, time_factor};
use serde::{Deserialize, Serialize};

use super::cell::Cell;

/// What a child has to do.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) job: Job,
    pub(crate) cell: Cell,
    pub(crate) load: Duration,
    pub(crate) seed: u64,
    /// What the application holds besides, in percent of its live heap.
    pub(crate) more_memory: u32,
    /// How many bytes the application loses each heartbeat.
    pub(crate) leak: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Job {
    /// Measure the cell.
    Measure,
    /// Find out whether heartbeats and requests leave something behind, and where.
    SeekLeaks,
}

/// What a child says, in one line of JSON.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Answer {
    Measured(Box<Measurement>),
    Leaks(Vec<Held>),
}

/// What was measured of one cell, once.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Measurement {
    /// From the first connection until every partition had its owner.
    pub(crate) to_stable: Duration,
    /// Until all workers had stopped, one after the other.
    pub(crate) to_stop: Duration,
    /// Of the heap, at rest after the load, with all workers running.
    pub(crate) memory: MemoryReport,
    /// Bytes of heap that were there before, and not given back when all had stopped; `None` where the heap is not measured.
    pub(crate) left_behind: Option<i64>,
    pub(crate) load: LoadReport,
    pub(crate) fingerprint: Fingerprint,
}

/// A place in the program that holds more and more, and how much more at the last look than at the one before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Held {
    /// The innermost function of the user's own, with its file and line.
    pub(crate) place: String,
    pub(crate) bytes: i64,
    pub(crate) blocks: i64,
}

impl Order {
    /// About how long it takes.
    pub(crate) fn expected(&self) -> Duration {
        match self.job {
            Job::Measure => {
                START + PER_WORKER * self.cell.workers + self.load + super::measure::warm_up(self.load)
            }
            Job::SeekLeaks => START + super::leaks::expected(),
        }
    }

    /// After which it is taken for hung. Without optimization it takes long to name the places of a leak.
    pub(crate) fn limit(&self) -> Duration {
        let least = if cfg!(debug_assertions) { Duration::from_secs(240) } else { Duration::from_secs(60) };
        (self.expected() * 4 + least).mul_f64(time_factor())
    }
}

/// What a child takes besides its load, for the server, the process, and each worker: about the median of a full run.
const START: Duration = Duration::from_millis(250);
const PER_WORKER: Duration = Duration::from_millis(5);
