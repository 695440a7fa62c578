//! What is aimed at.

#[cfg(test)]
mod tests;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::error::{ResultsError, ResultsErrorKind};
use super::findings::Severity;
use super::metric::Metric;
use super::record::Record;
use crate::memory::text::percent;

/// What is warned of by default: a miss of more than a tenth.
const WARN: f64 = 0.10;
/// What fails by default: a miss of more than a fifth.
const FAIL: f64 = 0.20;
/// What the binary form of a decimal fraction may be off, so that a miss of 10 % is one of 10 %.
const ROUNDING: f64 = 1e-9;

/// What a metric should reach: at least, or at most, so much of its unit.
///
/// A median that misses it by more than 10 % is warned of, by more than 20 % fails; [`bands`](Self::bands) sets others. A miss of less
/// passes, and says so. A metric that no round measured neither passes nor fails; a target of a metric that the record does not have is a
/// mistake in the test, and fails.
///
/// # Examples
///
/// ```
/// use isolated_nats::results::Target;
/// use std::time::Duration;
///
/// let rate = Target::at_least("throughput", 1000.0);
/// let time = Target::time_at_most("p99", Duration::from_millis(5)).bands(0.0, 0.0);
/// assert_eq!((rate.warn, rate.fail), (0.10, 0.20));
/// assert_eq!(time, Target::at_most("p99", 0.005).bands(0.0, 0.0));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Target {
    /// The metric's name.
    pub metric: String,
    /// The value, in the metric's unit.
    pub value: f64,
    /// Whether the value is the least (`true`) or the most (`false`).
    pub at_least: bool,
    /// The share of the value that may be missing before it is warned of: 0.1.
    pub warn: f64,
    /// The share of the value that may be missing before it fails: 0.2.
    pub fail: f64,
}

/// A target, and what was measured of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TargetResult {
    /// The target.
    pub target: Target,
    /// The median of the rounds that can be believed, in the metric's unit; `None` where none of them measured it.
    pub measured: Option<f64>,
    /// How much of the target's value is missing, as a share of it: 0 where it is reached, infinite where the value is 0 and is not
    /// reached; `None` where nothing was measured.
    pub miss: Option<f64>,
    /// [`Good`](Severity::Good) or, where the miss is beyond its bands, [`Warn`](Severity::Warn) or [`Fail`](Severity::Fail);
    /// [`Unknown`](Severity::Unknown) where nothing was measured.
    pub verdict: Severity,
    /// The same in one sentence, with the figures.
    pub text: String,
}

impl Target {
    /// Aims at no less than `value`, in the metric's unit: seconds, bytes, per second.
    #[must_use]
    pub fn at_least(metric: impl Into<String>, value: f64) -> Self {
        Self { metric: metric.into(), value, at_least: true, warn: WARN, fail: FAIL }
    }

    /// Aims at no more than `value`, in the metric's unit: seconds, bytes, per second.
    #[must_use]
    pub fn at_most(metric: impl Into<String>, value: f64) -> Self {
        Self { at_least: false, ..Self::at_least(metric, value) }
    }

    /// Aims at no more than this time, of a metric in seconds.
    #[must_use]
    pub fn time_at_most(metric: impl Into<String>, time: Duration) -> Self {
        Self::at_most(metric, time.as_secs_f64())
    }

    /// Sets how much of the value may be missing before it is warned of, and before it fails, as shares: 0.1 is 10 %; 0.10 and 0.20
    /// by default.
    #[must_use]
    pub fn bands(mut self, warn: f64, fail: f64) -> Self {
        (self.warn, self.fail) = (warn, fail);
        self
    }

    /// Compares the median of the record's rounds that can be [believed](Record::invalid) with it.
    ///
    /// # Errors
    ///
    /// [`Misuse`](ResultsErrorKind::Misuse) where the record has no such metric, the value is not finite, or the bands are not
    /// 0 <= warn <= fail.
    pub fn judge(&self, record: &Record) -> Result<TargetResult, ResultsError> {
        self.check()?;
        let metric = record.believed(&self.metric).ok_or_else(|| self.unknown(record))?;
        let measured = metric.median();
        let miss = measured.map(|measured| self.miss(measured));
        let verdict = miss.map_or(Severity::Unknown, |miss| match miss - ROUNDING {
            miss if miss > self.fail => Severity::Fail,
            miss if miss > self.warn => Severity::Warn,
            _ => Severity::Good,
        });
        let text = match measured.zip(miss) {
            Some(figures) => self.text(&metric, figures, verdict),
            None => self.absent(record),
        };
        Ok(TargetResult { target: self.clone(), measured, miss, verdict, text })
    }

    fn check(&self) -> Result<(), ResultsError> {
        let Self { metric, value, warn, fail, .. } = self;
        let misuse = |what| Err(ResultsError::new(ResultsErrorKind::Misuse, what));
        if !value.is_finite() {
            return misuse(format!("the target of `{metric}` is {value} (give a finite value)"));
        }
        // Not-a-number is in no order.
        if !(*warn >= 0.0 && fail >= warn && fail.is_finite()) {
            return misuse(format!(
                "the bands of the target of `{metric}` are {warn} and {fail} (give shares: 0 <= warn <= fail)"
            ));
        }
        Ok(())
    }

    fn unknown(&self, record: &Record) -> ResultsError {
        let names: Vec<_> = record.metrics.iter().map(|metric| format!("`{}`", metric.name)).collect();
        let there = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let what = format!(
            "a target is set for `{}`, which `{}` does not have (its metrics: {there})",
            self.metric,
            record.title()
        );
        ResultsError::new(ResultsErrorKind::Misuse, what)
    }

    fn miss(&self, measured: f64) -> f64 {
        let missing = if self.at_least { self.value - measured } else { measured - self.value };
        match missing {
            missing if missing <= self.value.abs() * ROUNDING => 0.0,
            _ if self.value == 0.0 => f64::INFINITY,
            _ => missing / self.value.abs(),
        }
    }

    /// `the target of at least 100 /s`.
    fn name(&self, metric: &Metric) -> String {
        let most = if self.at_least { "least" } else { "most" };
        format!("the target of at {most} {}", metric.text(self.value))
    }

    /// Where no round has it that can be believed.
    fn absent(&self, record: &Record) -> String {
        let metric = record.metric(&self.metric);
        let is_doubtful = metric.is_some_and(|metric| metric.median().is_some());
        let why = if is_doubtful { "measured in no round that can be believed" } else { "not measured" };
        let target = metric.map_or_else(String::new, |metric| self.name(metric));
        format!("{} was {why}, so {target} is neither met nor missed", self.metric)
    }

    fn text(&self, metric: &Metric, (measured, miss): (f64, f64), verdict: Severity) -> String {
        let (name, target) = (&self.metric, self.name(metric));
        let measured = metric.text(measured);
        if miss == 0.0 {
            return format!("{name} is {measured} and meets {target}");
        }
        let by = if miss.is_finite() { format!(" by {}", percent(miss)) } else { String::new() };
        let band = match verdict {
            Severity::Fail => format!("more than {}", percent(self.fail)),
            Severity::Warn => {
                format!("more than {}, no more than {}", percent(self.warn), percent(self.fail))
            }
            _ => format!("within {}", percent(self.warn)),
        };
        format!("{name} is {measured} and misses {target}{by} ({band})")
    }
}
