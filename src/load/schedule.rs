//! When operations are due: pure plans.
//!
//! | module | what it decides |
//! | --- | --- |
//! | `phase` | what a phase is: how long, how many |
//! | `curve` | which whole operations a changing rate comes to |
//! | `plan` | open phases in one piece: the intended starts |
//! | `check` | what cannot be run, and what to change |
//! | `text` | a schedule as a person reads it |

use std::time::Duration;

mod check;
mod curve;
mod phase;
mod plan;
#[cfg(test)]
mod tests;
mod text;

use super::error::LoadError;
use phase::Phase;
pub(super) use phase::{Closed, Until};
#[cfg(test)]
use plan::Burst;
pub(super) use plan::{Arrivals, Plan};

/// Operations per second.
///
/// Any number can be one; those that are not above 0, finite and at most 1 000 000 000 per second are refused when the load is
/// started. `Display` prints `1000/s`.
///
/// ```
/// use isolated_nats::Rate;
///
/// assert_eq!(Rate::per_minute(90.0), Rate::per_second(1.5));
/// assert_eq!(Rate::per_second(1_000.0).to_string(), "1000/s");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Rate(f64);

impl Rate {
    /// Returns a rate of so many operations per second.
    #[must_use]
    pub const fn per_second(operations: f64) -> Self {
        Self(operations)
    }

    /// Returns a rate of so many operations per minute.
    #[must_use]
    pub const fn per_minute(operations: f64) -> Self {
        Self(operations / 60.0)
    }

    /// Returns how many operations it is per second.
    #[must_use]
    pub const fn as_per_second(self) -> f64 {
        self.0
    }
}

/// When operations are due: one phase, or several after each other.
///
/// In an open phase ([`steady`](Self::steady), [`burst`](Self::burst), [`ramp`](Self::ramp), [`stairs`](Self::stairs),
/// [`spike`](Self::spike), [`poisson`](Self::poisson)) each operation has an intended start that does not depend on how long the
/// others take, as with independent users: a system that stalls makes them wait, and the response times show it. In a
/// closed phase ([`closed`](Self::closed), [`closed_count`](Self::closed_count)) each worker starts its next operation when
/// its last has ended: right for the most that a system can do, and blind to how long anybody waits for it.
///
/// Intended starts are computed from the beginning of the phase, never from the one before, so that no error grows. Rates
/// that change are followed exactly: operation number k, counted from 0, is due when the integral of the rate has
/// come to k. The first is thus due at once, and there are as many as the integral has whole operations at the end. Steady
/// phases, ramps, stairs and spikes right after each other are one such curve: a fraction of an operation is carried
/// from one to the next, and the last one's is left out. A phase of bursts, a Poisson or a closed phase ends the curve.
///
/// No function here fails or panics. What cannot be run is refused when the load is started, by
/// [`LoadErrorKind::Schedule`](super::LoadErrorKind::Schedule): rates that are not above 0 (of two in a ramp, stairs or a spike, one
/// may be 0) or above 1 000 000 000/s, no time, no workers or more than 100 000, bursts of nothing, more than 10 000 bursts or
/// steps, more than 1 000 000 000 operations of a Poisson phase, open phases without one operation, and more than a day.
///
/// `Display` prints it as `steady 1000/s for 2 s, then burst 500 each 1 s, 3 times`.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use isolated_nats::{Rate, Schedule};
///
/// let second = Duration::from_secs(1);
/// let schedule = Schedule::steady(Rate::per_second(4.0), second).then(Schedule::burst(3, second, 2));
/// let due: Vec<u128> = schedule.arrivals().map(|due| due.as_millis()).collect();
/// assert_eq!(due, [0, 250, 500, 750, 1000, 1000, 1000, 2000, 2000, 2000]);
/// assert_eq!(schedule.operations(), Some(10));
/// assert_eq!(schedule.duration(), Some(3 * second));
/// assert_eq!(schedule.to_string(), "steady 4/s for 1 s, then burst 3 each 1 s, 2 times");
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a schedule does nothing until a load generator has it"]
pub struct Schedule {
    phases: Vec<Phase>,
}

/// A stretch of a schedule that is run in one piece.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Segment {
    /// Open phases, one right after the other.
    Open(Plan),
    /// A closed loop.
    Closed(Closed),
}

impl Schedule {
    /// Returns operations at equal distances, the first at once.
    pub fn steady(rate: Rate, duration: Duration) -> Self {
        Self::of(Phase::Steady { rate: rate.0, duration })
    }

    /// Returns `bursts` times `size` operations that are all due at once, the first at once and each `every` after the one before;
    /// the phase ends `every` after its last.
    pub fn burst(size: u64, every: Duration, bursts: u64) -> Self {
        Self::of(Phase::Burst { size, every, bursts })
    }

    /// Returns a rate that rises or falls evenly, `from` one `to` the other; one of them may be 0.
    pub fn ramp(from: Rate, to: Rate, duration: Duration) -> Self {
        Self::of(Phase::Ramp { from: from.0, to: to.0, duration })
    }

    /// Returns `steps` steady rates after each other, each for the time of one `step`: the first is `from`, the last is `to`, and the
    /// others lie between them at equal distances. A single step is `from`. One of the two may be 0.
    pub fn stairs(from: Rate, to: Rate, steps: u32, step: Duration) -> Self {
        Self::of(Phase::Stairs { from: from.0, to: to.0, steps, step })
    }

    /// Returns a steady `base` that jumps to `peak` and back: the base for the time `before`, the peak `during` the next, and the
    /// base for the time `after`. The base may be 0, and so may the times before and after.
    pub fn spike(base: Rate, peak: Rate, before: Duration, during: Duration, after: Duration) -> Self {
        Self::of(Phase::Spike { base: base.0, peak: peak.0, before, during, after })
    }

    /// Returns operations at random, each independent of all others: a Poisson process with that mean rate. The same seed gives the
    /// same starts; the first is not at once, but after a random time.
    pub fn poisson(rate: Rate, duration: Duration, seed: u64) -> Self {
        Self::of(Phase::Poisson { rate: rate.0, duration, seed })
    }

    /// Returns a closed loop: so many workers, each of which starts its next operation when its last has ended, until the time is over.
    pub fn closed(workers: usize, duration: Duration) -> Self {
        Self::of(Phase::Closed(Closed { workers, until: Until::Time(duration), think: Duration::ZERO }))
    }

    /// Returns a closed loop as [`closed`](Self::closed), that ends when so many operations were started in all and have ended.
    pub fn closed_count(workers: usize, operations: u64) -> Self {
        Self::of(Phase::Closed(Closed { workers, until: Until::Count(operations), think: Duration::ZERO }))
    }

    /// Sets how long a worker of a closed phase waits after each operation before it starts the next one; default 0. It is set for all
    /// closed phases that the schedule has by now, and does nothing to open ones.
    pub fn think(mut self, time: Duration) -> Self {
        for phase in &mut self.phases {
            if let Phase::Closed(closed) = phase {
                closed.think = time;
            }
        }
        self
    }

    /// Returns all phases of some schedules, each right after the one before; without any, it is refused when started.
    pub fn phases(phases: impl IntoIterator<Item = Schedule>) -> Self {
        Self { phases: phases.into_iter().flat_map(|schedule| schedule.phases).collect() }
    }

    /// Returns this schedule with another right after it.
    pub fn then(self, next: Schedule) -> Self {
        Self::phases([self, next])
    }

    /// Returns the planned length of all phases; `None` where a closed phase ends by its count. A sum that does not fit is
    /// [`Duration::MAX`].
    #[must_use]
    pub fn duration(&self) -> Option<Duration> {
        let add = |sum: Duration, phase: &Phase| Some(sum.saturating_add(phase.duration()?));
        self.phases.iter().try_fold(Duration::ZERO, add)
    }

    /// Returns how many operations are planned, exactly; `None` when a phase is a closed loop that ends by time, and when the
    /// schedule cannot be run. A Poisson phase is gone through to count it.
    #[must_use]
    pub fn operations(&self) -> Option<u64> {
        self.check().ok()?;
        if self
            .phases
            .iter()
            .any(|phase| matches!(phase, Phase::Closed(Closed { until: Until::Time(_), .. })))
        {
            return None;
        }
        let count = |segment: Segment| match segment {
            Segment::Open(plan) => plan.count(),
            Segment::Closed(Closed { until: Until::Count(count), .. }) => count,
            Segment::Closed(_) => 0,
        };
        Some(self.segments().into_iter().map(count).sum())
    }

    /// Returns the intended starts of the open phases, from the start of the schedule, never falling: to look at a plan. A closed phase
    /// has none, and what follows one that ends by its count is not known and left out; of a schedule that cannot be run
    /// there are none at all.
    pub fn arrivals(&self) -> impl Iterator<Item = Duration> + use<> {
        let mut open = Vec::new();
        let mut start = Duration::ZERO;
        if self.check().is_ok() {
            for run in self.runs() {
                if !matches!(run[0], Phase::Closed(_)) {
                    open.push((start, Arrivals::of(run)));
                }
                let lengths = run.iter().map(Phase::duration).collect::<Option<Vec<_>>>();
                let Some(lengths) = lengths else { break };
                start += lengths.into_iter().sum::<Duration>();
            }
        }
        let from = |(start, due): (Duration, Arrivals)| due.map(move |due| start + Duration::from_nanos(due));
        open.into_iter().flat_map(from)
    }

    /// Refuses what cannot be run.
    pub(super) fn check(&self) -> Result<(), LoadError> {
        check::check(self)
    }

    /// What is run in one piece each, in order. To be called of a schedule that is checked.
    pub(super) fn segments(&self) -> Vec<Segment> {
        let segment = |run: &[Phase]| match run[0] {
            Phase::Closed(closed) => Segment::Closed(closed),
            _ => Segment::Open(Plan::of(run)),
        };
        self.runs().map(segment).collect()
    }

    /// Open phases after each other in one, and each closed phase by itself; none is empty.
    fn runs(&self) -> impl Iterator<Item = &[Phase]> {
        self.phases
            .chunk_by(|one, next| !matches!(one, Phase::Closed(_)) && !matches!(next, Phase::Closed(_)))
    }

    fn of(phase: Phase) -> Self {
        Self { phases: vec![phase] }
    }
}
