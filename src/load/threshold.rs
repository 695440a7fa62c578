//! Limits on what a run may do.
//!
//! | module | what it decides |
//! | --- | --- |
//! | `value` | quantities with their units, read and written |
//! | `parse`, `text` | a threshold from its text, and its text again |
//! | `possible` | which thresholds say nothing, or can never be met |
//! | `judge`, `figures` | what was found in a report, or so far, and whether it will do |
//! | `result` | what is told of it |

mod figures;
mod judge;
mod parse;
mod possible;
mod result;
mod text;
mod value;

use std::time::Duration;

pub use result::{LoadOutcome, ThresholdResult, ThresholdVerdict};
pub use value::ThresholdValue;
pub(super) use value::rate_text;

use super::error::{LoadError, LoadErrorKind};
use super::schedule::Rate;

/// How near its limit a figure is when it is warned of: within a tenth of it.
const WARN: f64 = 0.1;

/// A limit on one figure of a run, of all operations or of one: typed, or text such as `p99<5ms for put`.
///
/// The text is `figure limit`, then, if wanted, ` for name` and ` warn share`:
///
/// | text | bounds |
/// | --- | --- |
/// | `p99<5ms`, `p99.9<=20ms`, `mean<2ms`, `max<1s` | the response time; in a closed loop, where no start is intended, the service time |
/// | `response p99<5ms`, `service p99<5ms`, `lag p99<1ms` | that time, whatever the schedule |
/// | `delivery p99<20ms` | the time to delivery of each service of the run; `for name` is one service |
/// | `set-up p99<1s` | the set-up of the workers |
/// | `errors<1%`, `errors<10` | operations that failed, and, of the run as a whole, workers that could not be set up: their share of those that ended, or their count |
/// | `dropped<=0`, `unfinished<1%` | arrivals not started, operations not ended: their count, or their share of all arrivals |
/// | `rate>=1000/s` | operations that ended well, per second |
/// | `achieved>=99%` | the same as a share of the rate offered; not in a closed loop |
/// | `lost<=0`, `duplicates<=0`, `reordered<=0` | messages, by the run's verifier |
/// | `rss_growth<10%`, `rss_growth<8MiB` | resident memory of this process, of the report given to `with`; `for label` is another process |
/// | `peak_heap<8MiB` | the most heap held, of the same report |
///
/// Times are in `ns`, `us`, `ms`, `s` or `min`, sizes in `B`, `KiB`, `MiB` or `GiB`.
///
/// A percentile, and `max`, counts each operation that failed, was dropped or did not end as slower than any: errors make no run fast.
/// `mean` is of those that ended well. Injected failures count nowhere. Where nothing was measured, the threshold has **failed**.
///
/// A figure that will do, but is within a tenth of its limit, is [`Warned`](ThresholdVerdict::Warned) of; ` warn 20%` or
/// [`warn_at`](Self::warn_at) say otherwise. For `achieved>=99%` it is the tenth of what may be missing: below 99.1 %.
///
/// # Examples
///
/// ```
/// use isolated_nats::Threshold;
/// use std::time::Duration;
///
/// let text: Threshold = "p99<=5ms for put".parse()?;
/// assert_eq!(text, Threshold::p99_at_most(Duration::from_millis(5)).of_operation("put"));
/// assert!("p99<0ms".parse::<Threshold>().is_err()); // no run could meet it
/// # Ok::<(), isolated_nats::LoadError>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct Threshold(Result<Rule, Unreadable>);

/// Text given as a threshold that is none, until it can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Unreadable {
    text: String,
    why: String,
}

/// A threshold that could be read.
#[derive(Clone, Debug, PartialEq)]
struct Rule {
    figure: Figure,
    /// Which time it is of; only for figures of a time.
    time: Option<Time>,
    relation: Relation,
    limit: ThresholdValue,
    /// Of one operation, service or process.
    name: Option<String>,
    warn: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Figure {
    Percentile(f64),
    Mean,
    Max,
    Errors,
    Dropped,
    Unfinished,
    Rate,
    Achieved,
    Lost,
    Duplicates,
    Reordered,
    RssGrowth,
    PeakHeap,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Time {
    Response,
    Service,
    Lag,
    Delivery,
    SetUp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    Below,
    AtMost,
    AtLeast,
    Above,
}

impl Figure {
    fn is_time(self) -> bool {
        matches!(self, Self::Percentile(_) | Self::Mean | Self::Max)
    }

    /// Whether more of it is better.
    fn should_be_high(self) -> bool {
        matches!(self, Self::Rate | Self::Achieved)
    }

    /// Whether ` for name` is an operation's name.
    fn is_of_operations(self, time: Option<Time>) -> bool {
        match self {
            Self::Percentile(_) | Self::Mean | Self::Max => {
                !matches!(time, Some(Time::Delivery | Time::SetUp))
            }
            Self::Errors | Self::Dropped | Self::Unfinished | Self::Rate | Self::Achieved => true,
            Self::Lost | Self::Duplicates | Self::Reordered | Self::RssGrowth | Self::PeakHeap => false,
        }
    }
}

impl Threshold {
    /// `percent` of the operations, such as 99.9, take at most `latency`: `p99.9<=5ms`.
    #[must_use]
    pub fn percentile_at_most(percent: f64, latency: Duration) -> Self {
        Self::at_most(Figure::Percentile(percent), ThresholdValue::Time(latency))
    }

    /// 99 in a hundred operations take at most `latency`: `p99<=5ms`.
    #[must_use]
    pub fn p99_at_most(latency: Duration) -> Self {
        Self::percentile_at_most(99.0, latency)
    }

    /// The operations that end well take at most `latency` on average: `mean<=2ms`.
    #[must_use]
    pub fn mean_at_most(latency: Duration) -> Self {
        Self::at_most(Figure::Mean, ThresholdValue::Time(latency))
    }

    /// No operation takes more than `latency`, or fails: `max<=1s`.
    #[must_use]
    pub fn max_at_most(latency: Duration) -> Self {
        Self::at_most(Figure::Max, ThresholdValue::Time(latency))
    }

    /// At most this share of the operations that end fails, from 0 to less than 1: `errors<=1%` is 0.01.
    #[must_use]
    pub fn errors_at_most_share(share: f64) -> Self {
        Self::at_most(Figure::Errors, ThresholdValue::Share(share))
    }

    /// At most so many operations fail: `errors<=10`.
    #[must_use]
    pub fn errors_at_most(operations: u64) -> Self {
        Self::at_most(Figure::Errors, ThresholdValue::Count(operations))
    }

    /// At most so many arrivals are dropped because as many operations as allowed were in flight: `dropped<=0`.
    #[must_use]
    pub fn dropped_at_most(arrivals: u64) -> Self {
        Self::at_most(Figure::Dropped, ThresholdValue::Count(arrivals))
    }

    /// At most so many operations have not ended when the run does: `unfinished<=0`.
    #[must_use]
    pub fn unfinished_at_most(operations: u64) -> Self {
        Self::at_most(Figure::Unfinished, ThresholdValue::Count(operations))
    }

    /// At least so many operations end well per second: `rate>=1000/s`.
    #[must_use]
    pub fn rate_at_least(rate: Rate) -> Self {
        Self::at_least(Figure::Rate, ThresholdValue::PerSecond(rate.as_per_second()))
    }

    /// At least this share of the rate offered is achieved, above 0 and up to 1: `achieved>=99%` is 0.99.
    #[must_use]
    pub fn achieved_at_least_share(share: f64) -> Self {
        Self::at_least(Figure::Achieved, ThresholdValue::Share(share))
    }

    /// The verifier misses at most so many messages: `lost<=0`.
    #[must_use]
    pub fn lost_at_most(messages: u64) -> Self {
        Self::at_most(Figure::Lost, ThresholdValue::Count(messages))
    }

    /// The verifier sees at most so many messages again: `duplicates<=0`.
    #[must_use]
    pub fn duplicates_at_most(messages: u64) -> Self {
        Self::at_most(Figure::Duplicates, ThresholdValue::Count(messages))
    }

    /// The verifier sees at most so many messages after a later one: `reordered<=0`.
    #[must_use]
    pub fn reordered_at_most(messages: u64) -> Self {
        Self::at_most(Figure::Reordered, ThresholdValue::Count(messages))
    }

    /// Resident memory grows by at most this share of what it was at the start: `rss_growth<=10%` is 0.1.
    #[must_use]
    pub fn rss_growth_at_most_share(share: f64) -> Self {
        Self::at_most(Figure::RssGrowth, ThresholdValue::Share(share))
    }

    /// At most so many bytes of heap are held at any moment: `peak_heap<=8MiB`.
    #[must_use]
    pub fn peak_heap_at_most(bytes: u64) -> Self {
        Self::at_most(Figure::PeakHeap, ThresholdValue::Bytes(i64::try_from(bytes).unwrap_or(i64::MAX)))
    }

    /// Bounds the response time (intended start to end), as `response p99<5ms` does.
    #[must_use]
    pub fn of_response(self) -> Self {
        self.of_time(Time::Response)
    }

    /// Bounds the service time (actual start to end), as `service p99<5ms` does.
    #[must_use]
    pub fn of_service(self) -> Self {
        self.of_time(Time::Service)
    }

    /// Bounds the lag (intended to actual start), as `lag p99<5ms` does.
    #[must_use]
    pub fn of_lag(self) -> Self {
        self.of_time(Time::Lag)
    }

    /// Bounds the time to delivery that services recorded, as `delivery p99<5ms` does.
    #[must_use]
    pub fn of_delivery(self) -> Self {
        self.of_time(Time::Delivery)
    }

    /// Bounds the set-up of workers, as `set-up p99<1s` does.
    #[must_use]
    pub fn of_set_up(self) -> Self {
        self.of_time(Time::SetUp)
    }

    /// Bounds one operation; default all of them together. Of a delivery it is a service, of resident memory a process.
    #[must_use]
    pub fn of_operation(self, name: &str) -> Self {
        self.with(|rule| rule.name = Some(name.into()))
    }

    /// Warns where the figure is within this share of its limit, from 0 (never) to less than 1; default 0.1.
    #[must_use]
    pub fn warn_at(self, share: f64) -> Self {
        self.with(|rule| rule.warn = share)
    }

    fn at_most(figure: Figure, limit: ThresholdValue) -> Self {
        Self::of(figure, Relation::AtMost, limit)
    }

    fn at_least(figure: Figure, limit: ThresholdValue) -> Self {
        Self::of(figure, Relation::AtLeast, limit)
    }

    fn of(figure: Figure, relation: Relation, limit: ThresholdValue) -> Self {
        Self(Ok(Rule { figure, time: None, relation, limit, name: None, warn: WARN }))
    }

    fn of_time(self, time: Time) -> Self {
        self.with(|rule| rule.time = Some(time))
    }

    fn with(mut self, change: impl FnOnce(&mut Rule)) -> Self {
        if let Ok(rule) = &mut self.0 {
            change(rule);
        }
        self
    }

    /// Refuses one that names an operation that does not exist, or that cannot be met.
    pub(crate) fn check(&self, operations: &[String]) -> Result<(), LoadError> {
        let refused = |why| LoadError::new(LoadErrorKind::Threshold, why);
        match &self.0 {
            Ok(rule) => {
                let found = possible::check(rule).and_then(|()| possible::known(rule, operations));
                found.map_err(|why| refused(format!("threshold `{rule}`: {why}")))
            }
            Err(unreadable) => Err(refused(unreadable.why.clone())),
        }
    }
}

#[cfg(test)]
mod tests;
