//! The slope of points that are noisy, by order statistics alone.

/// The two-sided 95 % point of the normal distribution.
const Z_95: f64 = 1.959_964;

/// A slope and its 95 % interval, in units of y per unit of x.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Line {
    pub(super) slope: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

/// The median of the slopes between all pairs of points (Theil 1950, Sen 1968), with Kendall's interval.
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
    let outside = outside(slopes.len(), points.len())?;
    Some(Line {
        slope: median_of_sorted(&slopes)?,
        low: slopes[outside],
        high: slopes[slopes.len() - 1 - outside],
    })
}

/// How many of the sorted slopes lie outside the interval at each end.
///
/// From the variance of Kendall's S without ties. Ties would make it less, so the interval is at least as wide as it
/// must be.
fn outside(slopes: usize, points: usize) -> Option<usize> {
    let n = points as f64;
    let deviation = (n * (n - 1.0) * (2.0 * n + 5.0) / 18.0).sqrt();
    let below = ((slopes as f64 - Z_95 * deviation) / 2.0).floor();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "1 or more, and below a length"
    )]
    (below >= 1.0).then(|| below as usize - 1)
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
