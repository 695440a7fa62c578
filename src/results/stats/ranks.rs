//! Ranks, and how likely each sum of them is.

use super::{MISSED, MISSED_NORMAL, mean};

/// The ranks of values in ascending order, twice each, so that those of equal values, the mean of theirs, are whole numbers.
pub(super) fn doubled(values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|left, right| values[*left].total_cmp(&values[*right]));
    let mut ranks = vec![0; values.len()];
    let mut before = 0;
    for equal in order.chunk_by(|left, right| values[*left] == values[*right]) {
        // From `before + 1` to `before + equal.len()`, whose mean is half of this.
        equal.iter().for_each(|place| ranks[*place] = 2 * before + equal.len() + 1);
        before += equal.len();
    }
    ranks
}

/// How likely each sum is, from `least` on.
///
/// It is counted in floating point. Counts are exact up to 2^53; above, each addition is off by 2^-53 of its sum, and since
/// nothing is ever subtracted, so many additions in a row as there are ranks leave a probability right to 12 figures or more.
pub(super) struct Distribution {
    least: usize,
    probabilities: Vec<f64>,
}

impl Distribution {
    /// Of the sum of `chosen` of the scores, each choice being as likely as any other.
    pub(super) fn of_choices(scores: &[usize], chosen: usize) -> Self {
        let least = scores.iter().copied().min().unwrap_or(0);
        let mut sorted: Vec<usize> = scores.iter().map(|score| score - least).collect();
        sorted.sort_unstable(); // so that the rows grow late
        // How many choices of so many scores have this sum, over the scores so far.
        let mut rows = vec![Vec::new(); chosen + 1];
        rows[0] = vec![1.0];
        for (number, score) in sorted.iter().copied().enumerate() {
            let left = scores.len() - number - 1;
            // Smaller choices could not be filled up with what is left.
            for size in (chosen.saturating_sub(left + 1)..chosen.min(number + 1)).rev() {
                let (fewer, more) = rows.split_at_mut(size + 1);
                add(&mut more[0], &fewer[size], score);
            }
        }
        let counts = rows.pop().unwrap_or_default();
        let (total, never) =
            (counts.iter().sum::<f64>(), counts.iter().take_while(|count| **count == 0.0).count());
        let probabilities = counts[never..].iter().map(|count| count / total).collect();
        Self { least: chosen * least + never, probabilities }
    }

    /// Of the sum of the scores that have a positive sign, either sign being as likely as the other.
    pub(super) fn of_signs(scores: &[usize]) -> Self {
        let mut probabilities = vec![1.0];
        for score in scores {
            probabilities.iter_mut().for_each(|probability| *probability /= 2.0);
            let halves = probabilities.clone();
            add(&mut probabilities, &halves, *score);
        }
        Self { least: 0, probabilities }
    }

    /// Twice the smaller tail that ends at this sum, at most 1.
    pub(super) fn two_sided(&self, sum: usize) -> f64 {
        let place = sum.saturating_sub(self.least);
        let below: f64 = self.probabilities.iter().take(place + 1).sum();
        let above: f64 = self.probabilities.iter().skip(place).rev().sum();
        (2.0 * below.min(above)).min(1.0)
    }

    /// How many of the smallest sums are together as unlikely as an interval may miss on one side.
    pub(super) fn unlikely(&self) -> usize {
        let mut below = 0.0;
        let reaches = |probability: &&f64| {
            below += **probability;
            below <= MISSED
        };
        self.probabilities.iter().take_while(reaches).count()
    }
}

/// Adds counts to others, so much further up.
fn add(to: &mut Vec<f64>, from: &[f64], by: usize) {
    if from.is_empty() {
        return;
    }
    to.resize(to.len().max(from.len() + by), 0.0);
    to[by..].iter_mut().zip(from).for_each(|(to, from)| *to += from);
}

/// The approximation for many samples: the two-sided probability of a sum that is so far from its mean, with the correction for
/// its being a whole number, where `step` is the distance of two sums.
pub(super) fn normal_two_sided(off: f64, step: f64, variance: f64) -> f64 {
    if variance <= 0.0 {
        return 1.0; // all are equal
    }
    erfc((off.abs() - step / 2.0).max(0.0) / variance.sqrt() / std::f64::consts::SQRT_2).min(1.0)
}

/// The same as of [`Distribution::unlikely`] for many samples, of sums with this mean and variance, from 0 in steps of 1.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
pub(super) fn normal_unlikely(mean: f64, variance: f64) -> usize {
    (mean - MISSED_NORMAL * variance.sqrt()).floor() as usize
}

/// The sum of squared deviations from the mean.
pub(super) fn squares(values: &[f64]) -> f64 {
    let mean = mean(values);
    values.iter().map(|value| (value - mean).powi(2)).sum()
}

/// The complementary error function of what is not negative, right to 1.2e-7 of its value (Press et al., Numerical Recipes, `erfcc`).
fn erfc(value: f64) -> f64 {
    const COEFFICIENTS: [f64; 10] = [
        0.170_872_77,
        -0.822_152_23,
        1.488_515_87,
        -1.135_203_98,
        0.278_868_07,
        -0.186_288_06,
        0.096_784_18,
        0.374_091_96,
        1.000_023_68,
        -1.265_512_23,
    ];
    let place = 1.0 / (1.0 + value / 2.0);
    let exponent = COEFFICIENTS.iter().fold(0.0, |sum, coefficient| sum * place + coefficient);
    place * (exponent - value * value).exp()
}
