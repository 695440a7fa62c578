//! What a run was found to do.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::figures::{
    BurstFigures, ErrorCount, LoadCounts, LoadEvent, LoadSetup, WarmUpFigures, WorkerFigures,
};
use super::latency::Latency;
use super::machine::MachineFigures;
use super::service::ServiceFigures;
use super::threshold::ThresholdResult;
use super::timeline::Timeline;
use super::validity::Validity;
use super::verifier::Verification;
use crate::memory::MemoryReport;

/// What a run of a [`LoadGenerator`](super::LoadGenerator) was found to do: of all its operations together, and of each by name.
///
/// Latencies are of operations that ended well; [`failed`](Self::failed) has those of the others, and a threshold on a percentile
/// counts each of these as slower than any. What was not measured is `None` or empty, never zero. `Display` prints a table, and
/// serde keeps all of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadReport {
    pub(super) name: String,
    pub(super) setup: LoadSetup,
    pub(super) counts: LoadCounts,
    /// From the start of the schedule to its planned end or the end of the last operation, whichever is later.
    pub(super) elapsed: Duration,
    /// How many ended well until the planned end, and how long that was; `None` where there is none, or the run was ended before.
    pub(super) in_time: Option<(u64, Duration)>,
    /// How long the code of an operation ran at a time, at most.
    pub(super) longest_poll: Option<Duration>,
    pub(super) response: Latency,
    pub(super) service: Latency,
    pub(super) lag: Latency,
    pub(super) failed: Latency,
    /// How long the very first operation took, warm-up or not.
    pub(super) first: Option<Duration>,
    pub(super) warm_up: Option<WarmUpFigures>,
    pub(super) errors: Vec<ErrorCount>,
    /// Empty in the report of one operation.
    pub(super) operations: Vec<LoadReport>,
    // What follows is of the run as a whole, and empty in the report of one operation.
    pub(super) workers: Option<WorkerFigures>,
    pub(super) bursts: Vec<BurstFigures>,
    pub(super) services: Vec<ServiceFigures>,
    pub(super) verification: Option<Verification>,
    pub(super) timeline: Timeline,
    pub(super) events: Vec<LoadEvent>,
    pub(super) machine: Option<MachineFigures>,
    pub(super) memory: Option<MemoryReport>,
    pub(super) validity: Validity,
    pub(super) thresholds: Vec<ThresholdResult>,
    /// Why the run ended before its schedule, if it did.
    pub(super) stopped: Option<String>,
}

impl LoadReport {
    /// Returns the operation's name, or `total`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns how the load was generated.
    #[must_use]
    pub fn setup(&self) -> &LoadSetup {
        &self.setup
    }

    /// Returns how many operations ended, well or not; those of the warm-up are not in it.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.completed()
    }

    /// Returns how many operations failed: with an error, a panic, or at the time limit. Injected failures are not in it.
    #[must_use]
    pub fn errors(&self) -> u64 {
        self.counts.failed
    }

    /// Returns the counts of what became of the operations.
    #[must_use]
    pub fn counts(&self) -> &LoadCounts {
        &self.counts
    }

    /// Returns the errors by kind, the most frequent first; empty when there was none.
    #[must_use]
    pub fn errors_by_kind(&self) -> &[ErrorCount] {
        &self.errors
    }

    /// Returns how long the run took: from the start of its schedule to its planned end, or to the end of its last operation if
    /// that is later.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Returns the rate that the schedule asked for, in operations per second, averaged over its length, or over the time
    /// until it was ended; `None` in a closed loop, and where phases of both kinds are mixed.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "53 bits are more than a rate needs")]
    pub fn offered_per_second(&self) -> Option<f64> {
        let planned = self.setup.planned?.min(self.elapsed); // less where the run was ended before
        (!planned.is_zero()).then_some(self.counts.planned? as f64 / planned.as_secs_f64())
    }

    /// Returns how many operations ended well per second: until the planned end, whatever ended after that; without a planned end, and
    /// in a run that was ended before it, of [`elapsed`](Self::elapsed). 0 when none did.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "53 bits are more than a rate needs")]
    pub fn achieved_per_second(&self) -> f64 {
        let (count, time) = self.in_time.unwrap_or((self.counts.succeeded, self.elapsed));
        if time.is_zero() { 0.0 } else { count as f64 / time.as_secs_f64() }
    }

    /// Returns the times from intended start to end: what a user of the system would have waited. In a closed loop, where no start
    /// is intended, it is [`service`](Self::service).
    #[must_use]
    pub fn response(&self) -> &Latency {
        if self.setup.closed { &self.service } else { &self.response }
    }

    /// Returns the times from actual start to end.
    #[must_use]
    pub fn service(&self) -> &Latency {
        &self.service
    }

    /// Returns the times from intended to actual start, of every operation that was started; empty in a closed loop.
    #[must_use]
    pub fn lag(&self) -> &Latency {
        &self.lag
    }

    /// Returns the times from intended start (in a closed loop: actual start) to end of the operations that failed.
    #[must_use]
    pub fn failed(&self) -> &Latency {
        &self.failed
    }

    /// Returns how long the very first operation took from its actual start, cold as everything was.
    #[must_use]
    pub fn first(&self) -> Option<Duration> {
        self.first
    }

    /// Returns how long the code of an operation held its thread at a time, at most: a poll of its future from begin to end, by the
    /// clock, so with what else the processor was given to meanwhile. Nothing else of a `current_thread` runtime runs in that
    /// time. `None` before any was polled.
    #[must_use]
    pub fn longest_poll(&self) -> Option<Duration> {
        self.longest_poll
    }

    /// Returns the figures of the warm-up; `None` when there was none.
    #[must_use]
    pub fn warm_up(&self) -> Option<&WarmUpFigures> {
        self.warm_up.as_ref()
    }

    /// Returns the report of one operation, by its name.
    #[must_use]
    pub fn operation(&self, name: &str) -> Option<&LoadReport> {
        self.operations.iter().find(|operation| operation.name == name)
    }

    /// Returns the reports of the operations, in the order of the builder.
    #[must_use]
    pub fn operations(&self) -> &[LoadReport] {
        &self.operations
    }

    /// Returns what became of the workers; `None` in the report of one operation.
    #[must_use]
    pub fn workers(&self) -> Option<&WorkerFigures> {
        self.workers.as_ref()
    }

    /// Returns the bursts of the schedule, in order; empty when it has none.
    #[must_use]
    pub fn bursts(&self) -> &[BurstFigures] {
        &self.bursts
    }

    /// Returns the figures of the consuming services, one for each name, in the order of the builder.
    #[must_use]
    pub fn services(&self) -> &[ServiceFigures] {
        &self.services
    }

    /// Returns what the verifier found; `None` without one.
    #[must_use]
    pub fn verification(&self) -> Option<&Verification> {
        self.verification.as_ref()
    }

    /// Returns the run window by window.
    #[must_use]
    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// Returns what was done to the system during the run, in the order in which it was begun.
    #[must_use]
    pub fn events(&self) -> &[LoadEvent] {
        &self.events
    }

    /// Returns CPU time and memory of this process and others during the run; `None` where it could not be read.
    #[must_use]
    pub fn machine(&self) -> Option<&MachineFigures> {
        self.machine.as_ref()
    }

    /// Returns whether the figures can be believed, and if not, why.
    #[must_use]
    pub fn validity(&self) -> &Validity {
        &self.validity
    }

    /// Returns the thresholds of the builder, each with what was found.
    #[must_use]
    pub fn thresholds(&self) -> &[ThresholdResult] {
        &self.thresholds
    }

    /// Returns why the run ended before its schedule; `None` when it did not.
    #[must_use]
    pub fn stopped(&self) -> Option<&str> {
        self.stopped.as_deref()
    }
}
