//! What a phase is, and what its parts are.

use std::time::Duration;

/// A closed loop: `workers` in flight, each starting its next operation when the last has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Closed {
    pub(crate) workers: usize,
    pub(crate) until: Until,
    /// From the end of a worker's operation to the start of its next.
    pub(crate) think: Duration,
}

/// When a closed loop ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    Time(Duration),
    /// So many operations in all.
    Count(u64),
}

/// One phase, as it was asked for. Rates are per second.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Phase {
    Steady { rate: f64, duration: Duration },
    Burst { size: u64, every: Duration, bursts: u64 },
    Ramp { from: f64, to: f64, duration: Duration },
    Stairs { from: f64, to: f64, steps: u32, step: Duration },
    Spike { base: f64, peak: f64, before: Duration, during: Duration, after: Duration },
    Poisson { rate: f64, duration: Duration, seed: u64 },
    Closed(Closed),
}

/// What a phase of a changing rate consists of: from one rate per second evenly to another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Slope {
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) duration: Duration,
}

impl Phase {
    /// `None` where the end is a count; what does not fit is the longest there is.
    pub(super) fn duration(&self) -> Option<Duration> {
        Some(match *self {
            Self::Steady { duration, .. } | Self::Ramp { duration, .. } | Self::Poisson { duration, .. } => {
                duration
            }
            Self::Burst { every, bursts, .. } => {
                u32::try_from(bursts).map_or(Duration::MAX, |bursts| every.saturating_mul(bursts))
            }
            Self::Stairs { steps, step, .. } => step.saturating_mul(steps),
            Self::Spike { before, during, after, .. } => before.saturating_add(during).saturating_add(after),
            Self::Closed(Closed { until: Until::Time(duration), .. }) => duration,
            Self::Closed(Closed { until: Until::Count(_), .. }) => return None,
        })
    }

    /// Its rates one after the other; `None` where it is no curve.
    pub(super) fn slopes(&self) -> Option<Vec<Slope>> {
        let level = |rate, duration| Slope { from: rate, to: rate, duration };
        Some(match *self {
            Self::Steady { rate, duration } => vec![level(rate, duration)],
            Self::Ramp { from, to, duration } => vec![Slope { from, to, duration }],
            Self::Stairs { from, to, steps, step } => {
                (0..steps).map(|place| level(stair(from, to, steps, place), step)).collect()
            }
            Self::Spike { base, peak, before, during, after } => {
                vec![level(base, before), level(peak, during), level(base, after)]
            }
            Self::Burst { .. } | Self::Poisson { .. } | Self::Closed(_) => return None,
        })
    }
}

fn stair(from: f64, to: f64, steps: u32, place: u32) -> f64 {
    match steps {
        ..=1 => from,
        // The last is `to` itself, which the division might miss by a bit.
        _ if place == steps - 1 => to,
        _ => from + (to - from) * f64::from(place) / f64::from(steps - 1),
    }
}
