//! Two samples that were taken in pairs, by their differences: Wilcoxon's signed-rank test (1945).

use super::super::Interval;
use super::estimate;
use super::ranks::{self, Distribution};

/// Up to so many pairs it is counted.
const COUNTED: usize = 200;

/// The probability of differences that are at least as far from being as often above as below 0, two-sided: twice the smaller tail. `None`
/// without any.
///
/// It is exact, by counting over the signs. Differences of equal size have the mean of their ranks; those of 0 are ranked with the others,
/// and then left out, as they have no sign (Pratt, 1959). Above 200 pairs it is the normal approximation with both corrections.
pub(crate) fn p(differences: &[f64]) -> Option<f64> {
    if differences.is_empty() {
        return None;
    }
    let sizes: Vec<f64> = differences.iter().map(|difference| difference.abs()).collect();
    let ranked = ranks::doubled(&sizes).into_iter().zip(differences);
    let ranked: Vec<(usize, f64)> = ranked
        .map(|(rank, difference)| (rank, *difference))
        .filter(|(_, difference)| *difference != 0.0)
        .collect();
    let scores: Vec<usize> = ranked.iter().map(|(rank, _)| *rank).collect();
    let above: usize = ranked.iter().filter(|(_, difference)| *difference > 0.0).map(|(rank, _)| rank).sum();
    if scores.len() > COUNTED {
        return Some(approximate(&scores, above));
    }
    Some(Distribution::of_signs(&scores).two_sided(above))
}

#[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 pairs")]
fn approximate(doubled: &[usize], above: usize) -> f64 {
    let sum: f64 = doubled.iter().map(|rank| *rank as f64).sum();
    let variance: f64 = doubled.iter().map(|rank| (*rank as f64).powi(2)).sum::<f64>() / 4.0;
    ranks::normal_two_sided(above as f64 - sum / 2.0, 2.0, variance)
}

/// The smallest probability that so many pairs can have: that of differences that are all above 0, or all below.
pub(crate) fn least_p(pairs: usize) -> f64 {
    let doublings = i32::try_from(pairs).unwrap_or(i32::MAX);
    (2.0 * 0.5_f64.powi(doublings)).min(1.0)
}

/// The middle of the differences: the median of the means of every two of them, and of each with itself (Hodges and Lehmann, 1963), with the
/// two that hold the true one in at least 95 % of all cases by the exact distribution of the signed ranks. `None` without any.
///
/// Below 6 pairs no two means are that sure, and the interval is from the smallest to the largest.
pub(crate) fn shift(differences: &[f64]) -> Option<Interval> {
    let from = |place: usize| {
        differences[place..].iter().map(move |other| f64::midpoint(differences[place], *other))
    };
    let means = (0..differences.len()).flat_map(from);
    estimate(means.collect(), distance(differences.len()))
}

#[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 pairs")]
fn distance(pairs: usize) -> usize {
    if pairs > COUNTED {
        let count = pairs as f64;
        let mean = count * (count + 1.0) / 4.0;
        return ranks::normal_unlikely(mean, mean * (2.0 * count + 1.0) / 6.0);
    }
    let scores: Vec<usize> = (1..=pairs).collect();
    Distribution::of_signs(&scores).unlikely()
}
