//! The slope of points that are noisy, by order statistics alone.

/// The two-sided 95 % point of the normal distribution.
const Z_95: f64 = 1.959_964;
/// A likeness that chance gives one series in ten is taken for real: overlooking one costs more than a wider interval.
const Z_NOTICED: f64 = 1.281_552;
const MOST_ALIKE: f64 = 0.95;

/// A slope and its 95 % interval, in units of y per unit of x.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Line {
    pub(super) slope: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

/// The median of the slopes between all pairs of points (Theil 1950, Sen 1968), with Kendall's interval, widened as far
/// as neighbours are alike.
///
/// Pairs of one x have no slope and are left out. `None` when there are too few points for an interval: it takes six of
/// different x.
pub(super) fn theil_sen(points: &[(f64, f64)]) -> Option<Line> {
    let mut slopes: Vec<f64> = points
        .iter()
        .enumerate()
        .flat_map(|(index, left)| points[index + 1..].iter().map(move |right| (left, right)))
        .filter(|(left, right)| left.0 != right.0)
        .map(|(left, right)| (right.1 - left.1) / (right.0 - left.0))
        .collect();
    slopes.sort_unstable_by(f64::total_cmp);
    let _enough = rank(slopes.len(), points.len(), 1.0)?;
    let slope = median_of_sorted(&slopes)?;
    let alike = likeness(points, slope);
    let outside = rank(slopes.len(), points.len(), (1.0 + alike) / (1.0 - alike)).unwrap_or(1) - 1;
    Some(Line { slope, low: slopes[outside], high: slopes[slopes.len() - 1 - outside] })
}

/// Which of the sorted slopes, counted from 1 at either end, bounds the interval; `None` when none does.
///
/// From the variance of Kendall's S without ties, times `inflation`. Ties would make it less, so the interval is at least
/// as wide as it must be.
fn rank(slopes: usize, points: usize, inflation: f64) -> Option<usize> {
    let n = points as f64;
    let deviation = (inflation * n * (n - 1.0) * (2.0 * n + 5.0) / 18.0).sqrt();
    let below = ((slopes as f64 - Z_95 * deviation) / 2.0).floor();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "1 or more, and below a length"
    )]
    (below >= 1.0).then_some(below as usize)
}

/// The correlation of each point's distance from the line with that of the next, from 0 to [`MOST_ALIKE`].
///
/// Points that follow their neighbours count for fewer than they are: n of them for n (1 - r) / (1 + r).
fn likeness(points: &[(f64, f64)], slope: f64) -> f64 {
    let rests: Vec<f64> = points.iter().map(|(x, y)| y - slope * x).collect();
    let n = rests.len() as f64;
    let mean = rests.iter().sum::<f64>() / n;
    let square: f64 = rests.iter().map(|rest| (rest - mean).powi(2)).sum();
    let product: f64 = rests.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean)).sum();
    // A sample shows less than there is, by about (1 + 4 r) / n (Kendall 1954). Rounding alone has no square.
    let alike = if square > 0.0 { product / square } else { 0.0 };
    let corrected = (alike + 1.0 / n) / (1.0 - 4.0 / n).max(0.5);
    if alike * n.sqrt() > Z_NOTICED { corrected.clamp(0.0, MOST_ALIKE) } else { 0.0 }
}

/// Cuts the points into at most `blocks` runs of about equal size and returns the median x and y of each.
pub(super) fn block_medians(points: &[(f64, f64)], blocks: usize) -> Vec<(f64, f64)> {
    let blocks = blocks.min(points.len());
    (0..blocks)
        .filter_map(|block| {
            let run = &points[block * points.len() / blocks..(block + 1) * points.len() / blocks];
            Some((median(run.iter().map(|point| point.0))?, median(run.iter().map(|point| point.1))?))
        })
        .collect()
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    median_of_sorted(&values)
}

fn median_of_sorted(values: &[f64]) -> Option<f64> {
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    if values.len() % 2 == 1 { Some(upper) } else { Some(values[middle - 1] / 2.0 + upper / 2.0) }
}
