//! Whether the figures of a run can be believed.

mod display;
#[cfg(test)]
mod tests;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::latency::Latency;
use super::machine::MachineFigures;
use super::report::LoadReport;

/// Of what was due, so much must have been started.
const STARTED: f64 = 0.99;
/// This much lag is allowed whatever the response time.
const LEAST_LAG: Duration = Duration::from_millis(1);
/// Of the response time, so much may be lag.
const LAG_SHARE: f64 = 0.25;
/// So much may others use: of one processor, or of the machine where that is more.
const OTHERS: f64 = 0.2;
/// One in so many.
const OTHERS_OF_MACHINE: f64 = 20.0;
/// What `/proc/stat` cannot tell from nothing: two of its ticks.
const TICKS: Duration = Duration::from_millis(20);

/// Whether the figures of a run can be believed: whether the load was what the schedule asked for, and the machine was free for it.
///
/// It says nothing of whether the system under test did well: an operation that failed, was slow or did not end is a
/// finding, which [`Threshold`](super::Threshold)s judge. What makes a run inconclusive is in [`InvalidReason`]; what these rules are
/// about and why is said there.
///
/// A run whose end came early, by a threshold that could not hold any more or by [`LoadHandle::stop`](super::LoadHandle::stop), is not
/// invalid for that: its figures are of the time it lasted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Validity {
    pub(super) reasons: Vec<InvalidReason>,
    not_judged: Vec<String>,
}

/// Why a run is inconclusive. `Display` says it in words, with what to change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum InvalidReason {
    /// No operation ended: there is nothing to believe.
    Empty,
    /// Fewer than 99 % of the operations that were due were started, and it was not for want of workers: the generator is too slow
    /// for the rate. What was not started cannot be slow, so the figures would flatter.
    ///
    /// Operations that failed, or did not end, were started. Dropped ones are a reason of their own. Not judged in closed loops, where nothing is due.
    FellBehind {
        /// Operations that were due while the run lasted.
        planned: u64,
        /// Operations that were started.
        started: u64,
    },
    /// Operations were started late, and it was not for want of workers: 99 in 100 within `p99`, which is more than both 1 ms and a
    /// quarter of the response time's 99th percentile (that of failures, where all failed). Response times are then the
    /// generator's, not the system's.
    ///
    /// Not judged where an operation [held its thread](super::LoadReport::longest_poll) for longer than is allowed: that is a finding.
    /// Not judged in closed loops, and in schedules with bursts: a burst is due all at once, and what the client needs to
    /// send it is the client's.
    Lag {
        /// The lag's 99th percentile.
        p99: Duration,
        /// What was allowed.
        allowed: Duration,
    },
    /// Operations were started late or not at all because all workers were busy: the system was offered less at a time than the
    /// schedule asked for. The response times are right, as they count from the intended start, but the system was spared.
    ///
    /// It takes both: the place of [`Lag`](Self::Lag) or [`FellBehind`](Self::FellBehind), and more outstanding at the end of a window
    /// of the timeline, or in a burst, than there are workers. A system that stands still for a while makes no run invalid that
    /// has enough workers for the time.
    InFlightLimit {
        /// Workers, that is most operations in flight.
        workers: u64,
        /// The most that were outstanding at the end of a window, or in one burst.
        outstanding: u64,
        /// The lag's 99th percentile; `None` when nothing was started.
        p99: Option<Duration>,
    },
    /// Operations were left out because all workers were busy ([`Overflow::Drop`](super::Overflow::Drop)): those that would have been the
    /// slowest, so that the figures flatter.
    Dropped {
        /// How many.
        count: u64,
    },
    /// Messages of core NATS that were sent did not arrive, though nothing was done to the system: a subscription whose
    /// channel was full, mostly, which async-nats does not tell. What was only sent is then counted as done, so that the figures
    /// flatter.
    ///
    /// Source: the verifier. Not judged where it waits for acknowledgements, in a run with events, and without a verifier: loss is then
    /// a finding, or not known.
    NotDelivered {
        /// Messages that must have arrived, once at each receiver.
        expected: u64,
        /// Those that did not in the time for it.
        missing: u64,
    },
    /// Processes that are not part of the test used more than 0.2 processors, or 5 % of the machine where that is more:
    /// latencies are then partly theirs. The limit is exceeded by more than the resolution of `/proc/stat`, 20 ms.
    OtherProcesses {
        /// Processors that they used, on average.
        cores: f64,
        /// What was allowed.
        allowed: f64,
    },
    /// The hypervisor gave as much to other guests.
    Stolen {
        /// Processors that they were given, on average.
        cores: f64,
        /// What was allowed.
        allowed: f64,
    },
}

impl InvalidReason {
    /// Returns whether this can only have made the figures worse than the system deserves: lag of the generator, which counts in
    /// response times, and a machine that others used. What is left undone can make them better.
    #[must_use]
    pub fn is_disturbance(&self) -> bool {
        matches!(self, Self::Lag { .. } | Self::OtherProcesses { .. } | Self::Stolen { .. })
    }
}

impl Validity {
    /// Returns whether there is no reason not to believe the figures. What could not be judged is no reason: see
    /// [`not_judged`](Self::not_judged).
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.reasons.is_empty()
    }

    /// Returns why the run is inconclusive, those of the load before those of the machine; empty when it is not.
    #[must_use]
    pub fn reasons(&self) -> &[InvalidReason] {
        &self.reasons
    }

    /// Returns what could not be judged, and why; empty when all was.
    #[must_use]
    pub fn not_judged(&self) -> &[String] {
        &self.not_judged
    }

    /// Judges a report that is otherwise complete.
    pub(super) fn of(report: &LoadReport) -> Self {
        let mut validity = Self::default();
        if report.counts.completed() == 0 {
            validity.reasons.push(InvalidReason::Empty);
        }
        validity.reasons.extend(pace(report));
        if report.counts.dropped > 0 {
            validity.reasons.push(InvalidReason::Dropped { count: report.counts.dropped });
        }
        validity.reasons.extend(delivery(report));
        match &report.machine {
            Some(machine) => validity.judge_machine(machine),
            None => validity.not_judged.push("other processes: this process could not be sampled".to_owned()),
        }
        validity
    }

    fn judge_machine(&mut self, machine: &MachineFigures) {
        let allowed = (machine.machine_cores.unwrap_or(1) as f64 / OTHERS_OF_MACHINE).max(OTHERS);
        let too_much = |cpu: Duration| {
            let beyond = machine.in_cores(cpu.saturating_sub(TICKS));
            // Thousandths: what serde_json reads back to the last digit.
            (beyond > allowed).then(|| (machine.in_cores(cpu) * 1000.0).round() / 1000.0)
        };
        if let Some(cores) = machine.other_cpu.and_then(too_much) {
            self.reasons.push(InvalidReason::OtherProcesses { cores, allowed });
        }
        if let Some(cores) = machine.steal_cpu.and_then(too_much) {
            self.reasons.push(InvalidReason::Stolen { cores, allowed });
        }
        if machine.other_cpu.is_none() {
            let why = "other processes: what they use is not known here (it takes Linux's /proc/stat)";
            self.not_judged.push(why.to_owned());
        }
        if machine.own_process.is_none() {
            let why = "other tests of this process: what they use counts as the client's (run it under nextest, with \
                       `#[isolated_nats(process)]`, or with `--test-threads=1`)";
            self.not_judged.push(why.to_owned());
        }
    }
}

/// Whether operations were started when they were due.
fn pace(report: &LoadReport) -> Option<InvalidReason> {
    let workers = report.setup.workers;
    let outstanding = most_outstanding(report);
    let p99 = report.lag.percentile(99.0);
    let allowed = allowed_lag(report);
    let late = p99.filter(|p99| *p99 > allowed);
    let behind = fell_behind(report);
    if outstanding > workers && (behind.is_some() || late.is_some()) {
        return Some(InvalidReason::InFlightLimit { workers, outstanding, p99 });
    }
    // What holds the thread makes all others late: that is a finding.
    let held = report.longest_poll.is_some_and(|poll| poll > allowed);
    let lag =
        late.filter(|_| report.bursts.is_empty() && !held).map(|p99| InvalidReason::Lag { p99, allowed });
    behind.or(lag)
}

fn fell_behind(report: &LoadReport) -> Option<InvalidReason> {
    let counts = &report.counts;
    let planned = counts.planned?;
    // Lag is recorded when an operation ends; of those that did not, each worker had one at most.
    let started = report.lag.count() + counts.unfinished.min(report.setup.workers);
    let missing = planned.saturating_sub(started).saturating_sub(counts.dropped);
    let too_many = missing as f64 > planned as f64 * (1.0 - STARTED);
    too_many.then_some(InvalidReason::FellBehind { planned, started })
}

/// Whether what was sent arrived, where it must have.
fn delivery(report: &LoadReport) -> Option<InvalidReason> {
    let verification = report.verification.as_ref()?;
    let missing = verification.lost() + verification.in_flight();
    let must_arrive = !verification.is_acknowledged() && report.events.is_empty();
    let expected = verification.total().expected;
    (must_arrive && missing > 0).then_some(InvalidReason::NotDelivered { expected, missing })
}

fn allowed_lag(report: &LoadReport) -> Duration {
    let p99 = |latency: &Latency| latency.percentile(99.0);
    let response = p99(report.response()).or_else(|| p99(report.failed())).unwrap_or_default();
    response.mul_f64(LAG_SHARE).max(LEAST_LAG)
}

fn most_outstanding(report: &LoadReport) -> u64 {
    let windows = report.timeline.windows.iter().map(|window| window.outstanding);
    windows.chain(report.bursts.iter().map(|burst| burst.size)).max().unwrap_or(0)
}
