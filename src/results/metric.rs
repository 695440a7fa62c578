//! One quantity of a scenario, by rounds.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::stats;
use crate::memory::text;

/// Fewer bytes and blocks of memory never matter by default.
const LEAST_BYTES: f64 = 4096.0;
const LEAST_BLOCKS: f64 = 10.0;

/// One quantity of a scenario, measured once in each round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Metric {
    /// What it is called: `throughput`, `p50`, `p99 of put`, `peak heap`.
    pub name: String,
    /// What sort of quantity it is, on which depends how large a difference matters.
    pub kind: MetricKind,
    /// The unit of the samples.
    pub unit: Unit,
    /// Whether more of it is better.
    pub better: Better,
    /// The value of each round, in order; `None` where a round did not measure it. Always finite.
    pub samples: Vec<Option<f64>>,
    /// The same quantity of the control, in the same rounds; empty where there was none, or it has no such quantity.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub control: Vec<Option<f64>>,
}

/// What sort of quantity a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MetricKind {
    /// Operations, messages or bytes per second.
    Throughput,
    /// A time in the middle of a distribution: p50, mean.
    Median,
    /// A time far out in a distribution: p90 and above, the maximum.
    Tail,
    /// CPU time of an operation.
    Cpu,
    /// Bytes, or blocks, of memory.
    Memory,
    /// How long the whole took.
    Duration,
    /// How many, of what should be none: errors, losses.
    Errors,
    /// Anything else, in the user's own unit.
    Other,
}

/// The unit of a metric's values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// Per second.
    PerSecond,
    /// A number of things.
    Count,
    /// A part of a whole, from 0 to 1.
    Share,
    /// Processors in use.
    Cores,
    /// Anything else, by its name.
    Named(String),
}

/// Whether more of a quantity is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "there is no third")]
pub enum Better {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
}

/// How large a difference matters, as a share of the base: 0.1 is 10 %.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Limits {
    /// A change for the worse of this much is a regression, and one for the better an improvement, if it is significant too.
    pub fail: f64,
    /// A change for the worse of this much is warned of.
    pub warn: f64,
    /// Differences of fewer units than this never matter, whatever share they are.
    pub floor: f64,
}

impl Limits {
    /// Makes limits; `floor` is zero.
    #[must_use]
    pub fn new(warn: f64, fail: f64) -> Self {
        Self { fail, warn, floor: 0.0 }
    }
}

impl Metric {
    /// Makes a metric without samples.
    #[must_use]
    pub fn new(name: impl Into<String>, kind: MetricKind, unit: Unit, better: Better) -> Self {
        Self { name: name.into(), kind, unit, better, samples: Vec::new(), control: Vec::new() }
    }

    /// Returns what was measured, in the order of the rounds, without those that did not measure it.
    #[must_use]
    pub fn values(&self) -> Vec<f64> {
        self.samples.iter().copied().flatten().collect()
    }

    /// Returns the median of the rounds; `None` where none measured it.
    #[must_use]
    pub fn median(&self) -> Option<f64> {
        stats::median(&self.values())
    }

    /// Returns each round's value divided by that of the control, for the rounds that have both; `None` where no round has.
    #[must_use]
    pub fn ratios(&self) -> Option<Vec<f64>> {
        let both = self.samples.iter().zip(&self.control);
        let ratios: Vec<f64> = both
            .filter_map(|(sample, control)| Some(((*sample)?, (*control)?)))
            .filter(|(_, control)| *control > 0.0)
            .map(|(sample, control)| sample / control)
            .collect();
        (!ratios.is_empty()).then_some(ratios)
    }

    /// Returns how large a difference matters between sides that were measured in turn: 10 % of throughput, p50, CPU time and memory, 50 % of a
    /// duration and of times far out. Of memory it takes 4 KiB or 10 blocks too, and of errors 0.1 %.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.with_floor(self.kind.limits())
    }

    /// Returns how large a difference matters from a saved record: 20 % of throughput, p50 and CPU time, of which 10 % are warned
    /// of, since these drift from one hour to the next even as ratios to a control; the others as of [`limits`](Self::limits).
    #[must_use]
    pub fn saved_limits(&self) -> Limits {
        self.with_floor(self.kind.saved_limits())
    }

    /// Most tests leave no heap at all behind, of which a lazily made buffer of 64 bytes would be any share.
    fn with_floor(&self, limits: Limits) -> Limits {
        match (self.kind, &self.unit) {
            (MetricKind::Memory, Unit::Bytes) => Limits { floor: LEAST_BYTES, ..limits },
            (MetricKind::Memory, Unit::Count) => Limits { floor: LEAST_BLOCKS, ..limits },
            _ => limits,
        }
    }

    /// Returns a value of this metric as a person reads it, with its unit.
    #[must_use]
    pub fn text(&self, value: f64) -> String {
        self.unit.text(value)
    }
}

impl MetricKind {
    /// Whether it is another an hour later on the same machine, so that ratios to a control say more than values.
    pub(super) fn drifts(self) -> bool {
        !matches!(self, Self::Memory | Self::Errors)
    }

    /// What matters of it between sides that were measured in turn, whatever its unit.
    pub(super) fn limits(self) -> Limits {
        match self {
            Self::Throughput | Self::Median | Self::Cpu | Self::Memory | Self::Other => {
                Limits::new(0.05, 0.10)
            }
            Self::Tail | Self::Duration => Limits::new(0.25, 0.50),
            Self::Errors => Limits { floor: 0.001, ..Limits::new(0.05, 0.10) },
        }
    }

    /// The same from a saved record.
    pub(super) fn saved_limits(self) -> Limits {
        match self {
            Self::Throughput | Self::Median | Self::Cpu => Limits::new(0.10, 0.20),
            _ => self.limits(),
        }
    }
}

impl Unit {
    /// Returns a value as a person reads it: `1.31 MiB`, `12.3 ms`, `98 712 /s`.
    #[must_use]
    pub fn text(&self, value: f64) -> String {
        let sign = if value < 0.0 { "-" } else { "" };
        match self {
            Self::Seconds => {
                format!("{sign}{}", text::duration(Duration::from_secs_f64(value.abs().min(1e15))))
            }
            Self::Bytes => text::bytes(value),
            Self::PerSecond => format!("{} /s", number(value)),
            // Half a thing is a median's; whole ones have no decimals.
            Self::Count if value.fract() == 0.0 => format!("{sign}{}", text::count(text::whole(value.abs()))),
            Self::Count => number(value),
            Self::Share => format!("{} %", number(value * 100.0)),
            Self::Cores => format!("{value:.2} cores"),
            Self::Named(name) => format!("{} {name}", number(value)),
        }
    }
}

/// `98 712`, `9.87`, `0.0123`: whole from a hundred on, else three figures.
fn number(value: f64) -> String {
    let sign = if value < 0.0 { "-" } else { "" };
    match value.abs() {
        0.0 => "0".into(),
        size @ 99.95.. => format!("{sign}{}", text::count(text::whole(size.round()))),
        size @ 9.995.. => format!("{sign}{size:.1}"),
        size @ 0.9995.. => format!("{sign}{size:.2}"),
        size @ 0.000_999_5.. => format!("{sign}{size:.4}"),
        size => format!("{sign}{size:.2e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_their_unit() {
        for (unit, value, text) in [
            (Unit::Seconds, 0.0123, "12.3 ms"),
            (Unit::Seconds, -2.0, "-2.00 s"),
            (Unit::Bytes, 1024.0 * 1024.0, "1.00 MiB"),
            (Unit::PerSecond, 98_712.4, "98 712 /s"),
            (Unit::PerSecond, 0.5, "0.5000 /s"),
            (Unit::Count, 0.0, "0"),
            (Unit::Count, 26.0, "26"),
            (Unit::Count, 2.5, "2.50"),
            (Unit::Share, 0.125, "12.5 %"),
            (Unit::Cores, 1.5, "1.50 cores"),
            (Unit::Named("messages".into()), -1234.0, "-1 234 messages"),
        ] {
            assert_eq!(unit.text(value), text);
        }
    }

    #[test]
    fn a_ratio_takes_both_values_of_one_round() {
        let mut metric = Metric::new("p50", MetricKind::Median, Unit::Seconds, Better::Lower);
        assert_eq!(metric.ratios(), None);
        metric.samples = vec![Some(2.0), None, Some(6.0), Some(1.0)];
        metric.control = vec![Some(1.0), Some(1.0), Some(3.0), Some(0.0)];
        assert_eq!(metric.ratios(), Some(vec![2.0, 2.0]));
        assert_eq!(metric.median(), Some(2.0));
    }
}
