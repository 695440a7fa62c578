//! Percentiles and moments of what was recorded.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::histogram::{Counts, bounds};

/// A distribution of times, at most 0.4 % off at any percentile.
///
/// Count, mean, standard deviation, minimum and maximum are exact, to the nanosecond of the clock. Source: `Instant`, the
/// system's monotonic clock, read before and after each operation. Without a sample each figure is `None`, never zero.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    count: u64,
    sum_nanos: u128,
    /// A whole number, since a fraction does not survive every text.
    sum_of_squares: u128,
    min_nanos: Option<u64>,
    max_nanos: Option<u64>,
    /// Bucket and count of those that are not empty, in ascending order.
    buckets: Vec<(u32, u64)>,
}

impl Latency {
    pub(super) fn of(counts: &Counts) -> Self {
        let buckets: Vec<_> =
            (0..).zip(&counts.buckets).filter(|(_, count)| **count > 0).map(|(at, n)| (at, *n)).collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        let measured = |value| (count > 0).then_some(value);
        Self {
            count,
            sum_nanos: counts.sum,
            sum_of_squares: whole(counts.squares),
            min_nanos: measured(counts.min),
            max_nanos: measured(counts.max),
            buckets,
        }
    }

    /// Adds the samples of another.
    #[cfg(feature = "results")]
    pub(crate) fn add(&mut self, other: &Self) {
        let mut buckets: std::collections::BTreeMap<u32, u64> = self.buckets.iter().copied().collect();
        for (bucket, count) in &other.buckets {
            *buckets.entry(*bucket).or_default() += count;
        }
        self.buckets = buckets.into_iter().collect();
        self.count += other.count;
        self.sum_nanos += other.sum_nanos;
        self.sum_of_squares += other.sum_of_squares;
        self.min_nanos = self.min_nanos.into_iter().chain(other.min_nanos).min();
        self.max_nanos = self.max_nanos.max(other.max_nanos);
    }

    /// Without any sample.
    #[cfg(test)]
    pub(super) fn none() -> Self {
        Self {
            count: 0,
            sum_nanos: 0,
            sum_of_squares: 0,
            min_nanos: None,
            max_nanos: None,
            buckets: Vec::new(),
        }
    }

    /// Returns how many times were recorded.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Returns the time that `percent` of the samples did not exceed, by nearest rank: `percentile(50.0)` of two samples is
    /// the smaller one. `None` without a sample, and where `percent` is not from 0 to 100.
    #[must_use]
    pub fn percentile(&self, percent: f64) -> Option<Duration> {
        if !(0.0..=100.0).contains(&percent) {
            return None;
        }
        self.at_rank(rank(percent, self.count)?)
    }

    /// The time of the sample with this rank in ascending order, from 1.
    pub(super) fn at_rank(&self, rank: u64) -> Option<Duration> {
        let (min, max) = (self.min_nanos?, self.max_nanos?);
        if rank <= 1 {
            return Some(Duration::from_nanos(min));
        }
        if rank >= self.count {
            return (rank == self.count).then(|| Duration::from_nanos(max));
        }
        let mut seen = 0;
        let bucket = self.buckets.iter().find(|(_, count)| {
            seen += count;
            seen >= rank
        })?;
        let (low, high) = bounds(usize::try_from(bucket.0).ok()?);
        Some(Duration::from_nanos((low + (high - low) / 2).clamp(min, max)))
    }

    /// Returns the mean.
    #[must_use]
    pub fn mean(&self) -> Option<Duration> {
        let mean = self.sum_nanos.checked_div(u128::from(self.count))?;
        u64::try_from(mean).ok().map(Duration::from_nanos)
    }

    /// Returns the standard deviation of the samples (divided by their count less one); `None` below two samples.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "53 bits are more than a deviation needs")]
    pub fn standard_deviation(&self) -> Option<Duration> {
        if self.count < 2 {
            return None;
        }
        let (count, sum) = (self.count as f64, self.sum_nanos as f64);
        let variance = ((self.sum_of_squares as f64 - sum * (sum / count)) / (count - 1.0)).max(0.0);
        Some(Duration::from_secs_f64(variance.sqrt() / 1e9))
    }

    /// Returns the shortest time.
    #[must_use]
    pub fn min(&self) -> Option<Duration> {
        self.min_nanos.map(Duration::from_nanos)
    }

    /// Returns the longest time.
    #[must_use]
    pub fn max(&self) -> Option<Duration> {
        self.max_nanos.map(Duration::from_nanos)
    }

    /// Returns the buckets that hold a sample, in ascending order: from, up to but without, how many. Empty without a sample.
    pub fn buckets(&self) -> impl Iterator<Item = (Duration, Duration, u64)> {
        self.buckets.iter().map(|(bucket, count)| {
            let (low, high) = bounds(usize::try_from(*bucket).unwrap_or(usize::MAX));
            (Duration::from_nanos(low), Duration::from_nanos(high), *count)
        })
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
fn whole(value: f64) -> u128 {
    value.round() as u128
}

/// The rank, from 1, of a percentile among `count` samples; `None` without any.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "`as` saturates"
)]
pub(super) fn rank(percent: f64, count: u64) -> Option<u64> {
    // What a decimal fraction such as 99.9 has too much must not lift the rank by one.
    let rank = (percent / 100.0 * count as f64 * (1.0 - 1e-12)).ceil() as u64;
    (count > 0).then(|| rank.clamp(1, count))
}

#[cfg(test)]
pub(super) use tests::of as latency_of;

#[cfg(test)]
mod tests {
    use super::super::histogram::Recording;
    use super::*;

    pub(in crate::load) fn of(nanos: impl IntoIterator<Item = u64>) -> Latency {
        let recording = Recording::new();
        nanos.into_iter().for_each(|value| recording.add(value));
        let mut counts = Counts::new();
        recording.add_to(&mut counts);
        Latency::of(&counts)
    }

    fn nanos(duration: Option<Duration>) -> Option<u128> {
        duration.map(|duration| duration.as_nanos())
    }

    #[test]
    fn the_deviation_of_four_five_and_six_is_one() {
        let latency = of([4, 5, 6]);
        assert_eq!(nanos(latency.mean()), Some(5));
        assert_eq!(nanos(latency.standard_deviation()), Some(1));
        let latency = of([4_000_000, 5_000_000, 6_000_000]);
        assert_eq!(nanos(latency.mean()), Some(5_000_000));
        assert_eq!(nanos(latency.standard_deviation()), Some(1_000_000));
    }

    #[test]
    fn percentiles_of_1_2_10_and_100_samples_are_by_nearest_rank() {
        let at = |latency: &Latency| [50.0, 90.0, 99.0, 100.0].map(|p| nanos(latency.percentile(p)).unwrap());
        assert_eq!(at(&of([7])), [7; 4]);
        assert_eq!(at(&of([3, 9])), [3, 9, 9, 9]);
        assert_eq!(at(&of(1..=10)), [5, 9, 10, 10]);
        assert_eq!(at(&of(1..=100)), [50, 90, 99, 100]);
        assert_eq!(nanos(of(1..=1000).percentile(99.9)).map(|p| p.abs_diff(999) <= 4), Some(true));
    }

    #[test]
    fn less_than_a_microsecond_is_told_apart() {
        let latency = of([30, 31, 200]);
        assert_eq!([50.0, 100.0].map(|p| nanos(latency.percentile(p))), [Some(31), Some(200)]);
    }

    #[test]
    fn without_samples_nothing_is_known() {
        let latency = of([]);
        assert_eq!(latency, Latency::none());
        assert_eq!((latency.count(), latency.percentile(50.0), latency.mean()), (0, None, None));
        assert_eq!((latency.min(), latency.max(), latency.standard_deviation()), (None, None, None));
    }

    #[test]
    fn an_impossible_percentile_is_none() {
        for percent in [-1.0, 100.1, f64::NAN, f64::INFINITY] {
            assert_eq!(of([1]).percentile(percent), None);
        }
    }

    #[test]
    fn a_percentile_is_at_most_four_thousandths_off() {
        let values: Vec<u64> = (0..20_000).map(|i: u64| 100 + i * i * 37).collect();
        let latency = of(values.iter().copied());
        for percent in [0.1, 1.0, 25.0, 50.0, 75.0, 99.0, 99.9, 99.99] {
            let exact = values[usize::try_from(rank(percent, 20_000).unwrap()).unwrap() - 1] as f64;
            let got = latency.percentile(percent).unwrap().as_nanos() as f64;
            assert!((got / exact - 1.0).abs() <= 0.004, "{percent}: {got} for {exact}");
        }
    }

    #[test]
    fn it_survives_json() {
        let latency = of([1, 1000, 1_000_000_000]);
        let text = serde_json::to_string(&latency).unwrap();
        assert_eq!(serde_json::from_str::<Latency>(&text).unwrap(), latency);
    }
}
