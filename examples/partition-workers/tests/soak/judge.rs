//! Whether a quantity grows for as long as the test runs.

use std::fmt;
use std::time::Duration;

use isolated_nats::Series;

/// What a series says about growth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It grows by no more than is allowed.
    Passes,
    /// It grows by more, and steadily.
    Fails,
    /// There are too few samples, too much noise, or it grew only for a while: a longer run tells.
    Inconclusive,
}

/// A series with its verdict. All figures are in the unit of the series.
#[derive(Clone, Debug)]
pub struct Judged {
    what: &'static str,
    unit: &'static str,
    samples: usize,
    /// The median of each quarter of the samples, the oldest first; `None` with fewer than there are quarters.
    quarters: Option<[f64; 4]>,
    /// What was added over the run, by the robust slope: the estimate, and the ends of its 95 % interval.
    growth: Option<[f64; 3]>,
    allowed: f64,
    pub verdict: Verdict,
}

/// The part of the mean step from quarter to quarter that each step of a leak has at least. What fills up, or jumps once, has less.
const STEADY: f64 = 1.0 / 3.0;

/// Judges by the slope of Theil and Sen, which the series computes without its first fifth, and by quarters: growth that fails is
/// certainly above what is allowed over the run, and goes on in each quarter.
pub fn judge(what: &'static str, unit: &'static str, series: &Series, allowed: f64) -> Judged {
    let quarters = quarters(series);
    let growth = growth(series);
    let verdict = match (quarters, growth) {
        (Some(quarters), Some([_, low, _])) if low > allowed && is_steady(quarters) => Verdict::Fails,
        (Some(_), Some([_, _, high])) if high <= allowed => Verdict::Passes,
        _ => Verdict::Inconclusive,
    };
    Judged { what, unit, samples: series.len(), quarters, growth, allowed, verdict }
}

fn growth(series: &Series) -> Option<[f64; 3]> {
    let slope = series.slope_per_hour()?;
    let run: Duration = series.last()?.at - series.first()?.at;
    let hours = run.as_secs_f64() / 3600.0;
    Some([slope.per_hour, slope.low, slope.high].map(|per_hour| per_hour * hours))
}

fn quarters(series: &Series) -> Option<[f64; 4]> {
    let values: Vec<f64> = series.points().map(|point| point.value).collect();
    let cut = |quarter: usize| quarter * values.len() / 4;
    let of = |quarter: usize| median(&values[cut(quarter)..cut(quarter + 1)]);
    (values.len() >= 4).then(|| [0, 1, 2, 3].map(of))
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { (sorted[middle - 1] + sorted[middle]) / 2.0 }
}

fn is_steady(quarters: [f64; 4]) -> bool {
    let mean = (quarters[3] - quarters[0]) / 3.0;
    mean > 0.0 && quarters.windows(2).all(|pair| pair[1] - pair[0] >= STEADY * mean)
}

impl fmt::Display for Judged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, unit, samples, allowed, verdict, .. } = self;
        write!(f, "{what}: {verdict:?} ({samples} samples; allowed over the run {allowed:.0} {unit}")?;
        match self.growth {
            Some([estimate, low, high]) => write!(f, ", growth {estimate:.1}, {low:.1} to {high:.1}")?,
            None => f.write_str(", growth not known from so few")?,
        }
        if let Some(quarters) = self.quarters {
            write!(f, "; medians of the quarters {quarters:.1?}")?;
        }
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One value each minute.
    fn judged(count: u32, value: impl Fn(f64) -> f64) -> Judged {
        let mut series = Series::default();
        for minute in 0..count {
            series.push(Duration::from_secs(60) * minute, value(f64::from(minute)));
        }
        judge("heap", "bytes", &series, 1000.0)
    }

    /// Some noise that looks the same each time, from -1 to 1.
    fn noise(minute: f64) -> f64 {
        (minute * 12.9898).sin() * (minute * 78.233).cos()
    }

    #[test]
    fn a_leak_fails_with_and_without_noise() {
        assert_eq!(judged(100, |minute| 50.0 * minute).verdict, Verdict::Fails);
        assert_eq!(judged(100, |minute| 50.0 * minute + 500.0 * noise(minute)).verdict, Verdict::Fails);
    }

    #[test]
    fn what_stays_or_grows_by_less_than_allowed_passes() {
        for each in [0.0, -50.0, 5.0] {
            assert_eq!(judged(100, |minute| each * minute + 100.0 * noise(minute)).verdict, Verdict::Passes);
        }
    }

    #[test]
    fn what_has_filled_up_is_no_leak() {
        let cache = judged(100, |minute| 50_000.0 * (1.0 - (-minute / 10.0).exp()));
        assert_ne!(cache.verdict, Verdict::Fails, "{cache}");
        let jump = judged(100, |minute| if minute < 60.0 { 0.0 } else { 50_000.0 });
        assert_ne!(jump.verdict, Verdict::Fails, "{jump}");
    }

    #[test]
    fn too_few_samples_or_too_much_noise_tell_nothing() {
        assert_eq!(judged(19, |minute| 500.0 * minute).verdict, Verdict::Inconclusive);
        assert_eq!(judged(0, |_| 0.0).verdict, Verdict::Inconclusive);
        assert_eq!(judged(40, |minute| 100_000.0 * noise(minute)).verdict, Verdict::Inconclusive);
    }

    #[test]
    fn the_figures_are_in_the_text() {
        let leak = judged(100, |minute| 50.0 * minute).to_string();
        assert_eq!(
            leak,
            "heap: Fails (100 samples; allowed over the run 1000 bytes, growth 4950.0, 4950.0 to 4950.0; \
             medians of the quarters [600.0, 1850.0, 3100.0, 4350.0])"
        );
        assert!(judged(3, |_| 0.0).to_string().ends_with("growth not known from so few)"));
    }
}
