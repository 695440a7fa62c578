//! Medians, quantiles and the interval of a median.

use crate::random::Random;

const RESAMPLES: usize = 2000;

/// Returns the quantile, linear between the two nearest samples; `None` without samples.
#[must_use]
pub fn quantile(samples: &[f64], share: f64) -> Option<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = share * sorted.len().checked_sub(1)? as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    Some(below + (above - below) * place.fract())
}

/// Returns the median; `None` without samples.
#[must_use]
pub fn median(samples: &[f64]) -> Option<f64> {
    quantile(samples, 0.5)
}

/// A median and its 95 % bootstrap interval (percentiles of the medians of 2 000 resamples).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The median of the samples.
    pub median: f64,
    /// The interval's lower end.
    pub low: f64,
    /// The interval's upper end.
    pub high: f64,
}

/// What an estimate says about a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The whole interval is at or below the limit.
    Within,
    /// The whole interval is above the limit.
    Over,
    /// The limit is inside the interval.
    Inconclusive,
}

impl Estimate {
    /// Estimates from samples; `None` with fewer than two.
    #[must_use]
    pub fn of(samples: &[f64], random: &mut Random) -> Option<Self> {
        if samples.len() < 2 {
            return None;
        }
        let mut resample = || {
            let drawn: Vec<f64> = samples.iter().map(|_| samples[random.below(samples.len())]).collect();
            median(&drawn)
        };
        let medians = (0..RESAMPLES).map(|_| resample()).collect::<Option<Vec<_>>>()?;
        Some(Self {
            median: median(samples)?,
            low: quantile(&medians, 0.025)?,
            high: quantile(&medians, 0.975)?,
        })
    }

    /// Judges against a limit.
    #[must_use]
    pub fn judge(&self, limit: f64) -> Verdict {
        if self.high <= limit {
            Verdict::Within
        } else if self.low > limit {
            Verdict::Over
        } else {
            Verdict::Inconclusive
        }
    }
}

/// Returns the 95 % interval of a share, of Wilson (1927); 0 to 1 without trials.
#[must_use]
pub fn wilson(hits: usize, trials: usize) -> (f64, f64) {
    const Z: f64 = 1.96;
    if trials == 0 {
        return (0.0, 1.0);
    }
    let (trials, share) = (trials as f64, hits as f64 / trials as f64);
    let weight = 1.0 + Z * Z / trials;
    let middle = (share + Z * Z / (2.0 * trials)) / weight;
    let half = Z / weight * (share * (1.0 - share) / trials + Z * Z / (4.0 * trials * trials)).sqrt();
    ((middle - half).max(0.0), (middle + half).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_a_share_holds_it_and_is_never_empty() {
        let near = |(low, high): (f64, f64), expected: (f64, f64)| {
            assert!((low - expected.0).abs() < 5e-4 && (high - expected.1).abs() < 5e-4, "{low} {high}");
        };
        near(wilson(0, 10), (0.0, 0.2775));
        near(wilson(5, 10), (0.2366, 0.7634));
        near(wilson(10, 10), (0.7225, 1.0));
        near(wilson(0, 0), (0.0, 1.0));
    }

    #[test]
    fn a_quantile_lies_between_its_neighbours() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(quantile(&[0.0, 10.0], 0.9), Some(9.0));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn the_interval_holds_the_median_and_decides() {
        let samples: Vec<f64> = (0..101).map(|number| 1.0 + f64::from(number) / 1000.0).collect();
        let estimate = Estimate::of(&samples, &mut Random::new(7)).unwrap();
        assert!(estimate.low < estimate.median && estimate.median < estimate.high, "{estimate:?}");
        assert!((estimate.median - 1.05).abs() < 1e-9);
        assert_eq!(estimate.judge(1.2), Verdict::Within);
        assert_eq!(estimate.judge(1.05), Verdict::Inconclusive);
        assert_eq!(estimate.judge(1.0), Verdict::Over);
        assert_eq!(Estimate::of(&[1.0], &mut Random::new(7)), None);
    }
}
