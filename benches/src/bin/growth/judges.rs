//! Who judges a series.

use isolated_nats::{GrowthReport, GrowthVerdict};
use isolated_nats_benches::Error;

/// Judges of the same series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judge {
    /// The crate's verdict.
    Crate,
    /// Fail when the slope of least squares is above the ceiling by 1.96 standard errors; there is no third answer.
    LeastSquares,
    /// Fail when the last figure is above the first by more than the ceiling for each round.
    LastLessFirst,
}

impl Judge {
    pub(crate) fn judge(self, live: &[i64], ceiling: f64) -> Result<GrowthVerdict, Error> {
        let either = |fails| if fails { GrowthVerdict::Fail } else { GrowthVerdict::Pass };
        Ok(match self {
            Self::Crate => GrowthReport::of_live_bytes(live)?.verdict(ceiling),
            Self::LeastSquares => either(least_squares_z(live, ceiling) > 1.96),
            Self::LastLessFirst => either(last_less_first(live) > ceiling * (live.len() - 1) as f64),
        })
    }
}

/// The slope less the ceiling, in standard errors of the slope; without any residuals, infinite above the ceiling.
fn least_squares_z(live: &[i64], ceiling: f64) -> f64 {
    let count = live.len() as f64;
    let middle = (count - 1.0) / 2.0;
    let mean = live.iter().map(|&bytes| bytes as f64).sum::<f64>() / count;
    let centred =
        || live.iter().enumerate().map(|(round, &bytes)| (round as f64 - middle, bytes as f64 - mean));
    let squares: f64 = centred().map(|(round, _)| round * round).sum();
    let slope = centred().map(|(round, bytes)| round * bytes).sum::<f64>() / squares;
    let residuals: f64 = centred().map(|(round, bytes)| (bytes - slope * round).powi(2)).sum();
    let error = (residuals / (count - 2.0) / squares).sqrt();
    if slope == ceiling { 0.0 } else { (slope - ceiling) / error }
}

fn last_less_first(live: &[i64]) -> f64 {
    match live {
        [first, .., last] => (last - first) as f64,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn least_squares_are_those_of_a_computation_by_hand() {
        // 0 1 1: the slope is 1/2, the residuals are -1/6, 1/3, -1/6: 1/6 over 1 and over 2.
        let expected = 0.5 / (1.0_f64 / 12.0).sqrt();
        assert!((least_squares_z(&[0, 1, 1], 0.0) - expected).abs() < 1e-9);
        assert_eq!(least_squares_z(&[5; 9], 0.0), 0.0);
    }
}
