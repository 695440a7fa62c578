//! Rank statistics, computed exactly where that is possible.
//!
//! | module | what it computes |
//! | --- | --- |
//! | `ranks` | ranks of values, and distributions of rank sums by counting |
//! | `two_sample` | Mann and Whitney's U test, and the shift of one sample against another |
//! | `paired` | Wilcoxon's signed-rank test, and the shift of pairs |

mod ranks;
#[cfg(test)]
mod tests;

pub(crate) mod paired;
pub(crate) mod two_sample;

/// Beyond this modified z-score, a sample is far from the others (Iglewicz and Hoaglin, 1993).
const FAR: f64 = 3.5;
/// And so much of the median it must be off: in samples that hardly differ, anything is far by its score.
const OFF: f64 = 0.1;
/// The deviation of a normal distribution is so many of its median absolute deviations, and so many of its mean ones.
const OF_MEDIAN_DEVIATION: f64 = 1.482_602_218_505_602;
const OF_MEAN_DEVIATION: f64 = 1.253_314_137_315_5;
/// How often an interval misses the true value, on each side.
const MISSED: f64 = 0.025;
/// The normal distribution has so much beyond this.
const MISSED_NORMAL: f64 = 1.959_963_984_540_054;

/// The median; `None` without samples.
pub(crate) fn median(samples: &[f64]) -> Option<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    median_of_sorted(&sorted)
}

fn median_of_sorted(sorted: &[f64]) -> Option<f64> {
    let above = *sorted.get(sorted.len() / 2)?;
    let below = sorted[(sorted.len() - 1) / 2];
    Some(below + (above - below) / 2.0)
}

/// The quantile, linear between the two nearest samples; `None` without samples, and where `share` is not from 0 to 1.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a place among samples"
)]
pub(crate) fn quantile(samples: &[f64], share: f64) -> Option<f64> {
    if !(0.0..=1.0).contains(&share) {
        return None;
    }
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = share * sorted.len().checked_sub(1)? as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    Some(below + (above - below) * place.fract())
}

/// The median absolute deviation from the median, not scaled; `None` without samples.
pub(crate) fn mad(samples: &[f64]) -> Option<f64> {
    let middle = median(samples)?;
    median(&deviations(samples, middle))
}

fn deviations(samples: &[f64], middle: f64) -> Vec<f64> {
    samples.iter().map(|sample| (sample - middle).abs()).collect()
}

/// The positions of the samples that are far from the others: modified z-score above 3.5 (Iglewicz and Hoaglin) and more than 10 % off the median.
///
/// Where more than half of the samples are equal, so that their median deviation is 0, the mean deviation takes its place.
pub(crate) fn outliers(samples: &[f64]) -> Vec<usize> {
    let Some(middle) = median(samples) else { return Vec::new() };
    let deviations = deviations(samples, middle);
    let deviation = match median(&deviations) {
        Some(median) if median > 0.0 => median * OF_MEDIAN_DEVIATION,
        _ => mean(&deviations) * OF_MEAN_DEVIATION,
    };
    let is_far = |off: f64| off > FAR * deviation && off > OFF * middle.abs();
    let far = deviations.iter().enumerate().filter(|(_, off)| is_far(**off));
    far.map(|(place, _)| place).collect()
}

#[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 samples")]
fn mean(samples: &[f64]) -> f64 {
    samples.iter().sum::<f64>() / samples.len() as f64
}

/// Probabilities corrected for how many there are, after Holm (1979), in their order: rejecting those below alpha rejects a true hypothesis
/// in at most alpha of all cases, however they depend on each other.
pub(crate) fn holm(probabilities: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    order.sort_by(|left, right| probabilities[*left].total_cmp(&probabilities[*right]));
    let mut adjusted = vec![0.0; probabilities.len()];
    let mut largest: f64 = 0.0;
    let mut left = order.iter().map(|_| 1.0).sum::<f64>();
    for place in order {
        largest = largest.max((left * probabilities[place]).min(1.0));
        adjusted[place] = largest;
        left -= 1.0;
    }
    adjusted
}

/// The median of sorted values, and those at this distance from both ends: what Hodges and Lehmann (1963) estimate. Where the
/// distance is 0, as with few samples, all values are between the ends.
fn estimate(mut values: Vec<f64>, distance: usize) -> Option<super::Interval> {
    values.sort_by(f64::total_cmp);
    let value = median_of_sorted(&values)?;
    let place = distance.saturating_sub(1).min((values.len() - 1) / 2);
    Some(super::Interval { value, low: values[place], high: values[values.len() - 1 - place] })
}
