//! Two samples that have nothing to do with each other: Mann and Whitney's U test (1947), which is Wilcoxon's rank-sum test.

use super::super::Interval;
use super::estimate;
use super::ranks::{self, Distribution};

/// Up to so many samples of both sides together it is counted: what 64 a side take is 0.1 s, and little more than a millisecond for 20.
const COUNTED: usize = 128;

/// The probability of a difference at least as large between samples of one distribution, two-sided: twice the smaller tail. `None` without
/// samples of both.
///
/// It is exact, by counting the choices of ranks: where values are equal, over the means of their ranks, as they are
/// (the conditional distribution). Above 128 samples together it is the normal approximation, corrected for ties and continuity.
pub(crate) fn p(base: &[f64], candidate: &[f64]) -> Option<f64> {
    if base.is_empty() || candidate.is_empty() {
        return None;
    }
    let (few, many) = if base.len() <= candidate.len() { (base, candidate) } else { (candidate, base) };
    let doubled = ranks::doubled(&[few, many].concat());
    if doubled.len() > COUNTED {
        return Some(approximate(&doubled, few.len()));
    }
    // Without equal values every rank is whole as it is, and half as many sums are to be counted.
    let is_whole = doubled.iter().all(|rank| rank.is_multiple_of(2));
    let scores: Vec<usize> = doubled.iter().map(|rank| if is_whole { rank / 2 } else { *rank }).collect();
    Some(Distribution::of_choices(&scores, few.len()).two_sided(scores[..few.len()].iter().sum()))
}

#[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 samples")]
fn approximate(doubled: &[usize], few: usize) -> f64 {
    let scores: Vec<f64> = doubled.iter().map(|rank| *rank as f64 / 2.0).collect();
    let (all, few_count) = (scores.len() as f64, few as f64);
    let expected = few_count * (all + 1.0) / 2.0;
    // Of a sum of so many drawn without putting back; the squares have the correction for ties in them.
    let variance = few_count * (all - few_count) / (all * (all - 1.0)) * ranks::squares(&scores);
    ranks::normal_two_sided(scores[..few].iter().sum::<f64>() - expected, 1.0, variance)
}

/// The smallest probability that so many samples can have: that of sides that are wholly apart.
pub(crate) fn least_p(base: usize, candidate: usize) -> f64 {
    let choices = (1..=base.min(candidate))
        .fold(1.0, |choices: f64, taken| choices * whole(base + candidate + 1 - taken) / whole(taken));
    (2.0 / choices).min(1.0)
}

#[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 samples")]
fn whole(count: usize) -> f64 {
    count as f64
}

/// How much further up the candidate is than the base: the median of all differences between one of each (Hodges and Lehmann,
/// 1963), with the two that hold the true shift in at least 95 % of all cases by the exact distribution of U. `None` without samples of both.
///
/// Below 4 a side no two differences are that sure, and the interval is from the smallest to the largest.
pub(crate) fn shift(base: &[f64], candidate: &[f64]) -> Option<Interval> {
    let differences = candidate.iter().flat_map(|to| base.iter().map(move |from| to - from));
    estimate(differences.collect(), distance(base.len(), candidate.len()))
}

fn distance(base: usize, candidate: usize) -> usize {
    if base == 0 || candidate == 0 {
        return 0;
    }
    let all = base + candidate;
    if all > COUNTED {
        let differences = whole(base) * whole(candidate);
        return ranks::normal_unlikely(differences / 2.0, differences * whole(all + 1) / 12.0);
    }
    let scores: Vec<usize> = (1..=all).collect();
    Distribution::of_choices(&scores, base.min(candidate)).unlikely()
}
