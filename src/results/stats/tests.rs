use super::ranks::{self, Distribution};
use super::{holm, mad, median, outliers, paired, quantile, two_sample};

#[track_caller]
fn near(found: Option<f64>, expected: f64, tolerance: f64) {
    let found = found.expect("there are samples");
    assert!((found / expected - 1.0).abs() < tolerance, "{found}, not {expected}");
}

fn steps(count: u32, from: f64) -> Vec<f64> {
    (0..count).map(|number| from + f64::from(number)).collect()
}

const A: [f64; 7] = [12.1, 9.4, 11.3, 15.2, 10.8, 13.9, 8.7];
const B: [f64; 8] = [14.0, 16.1, 13.2, 17.5, 12.9, 18.8, 15.6, 11.9];
const PAIRS: [f64; 10] = [1.1, -0.4, 2.3, 0.9, -1.6, 3.2, 0.2, 1.9, 2.8, -0.7];

/// Sides wholly apart: 2 of 252, and 2 of 48 620 choices, as benchstat's table has them.
#[test]
fn sides_apart_have_the_published_probabilities() {
    near(two_sample::p(&steps(5, 0.0), &steps(5, 5.0)), 2.0 / 252.0, 1e-12);
    near(two_sample::p(&steps(9, 20.0), &steps(9, 0.0)), 4.113_533_525_298_231e-5, 1e-12);
    for (base, candidate) in [(3, 3), (5, 5), (4, 9), (20, 20)] {
        let p = two_sample::p(&steps(base, 0.0), &steps(candidate, 100.0));
        near(p, two_sample::least_p(base as usize, candidate as usize), 1e-12);
    }
}

/// Figures of scipy 1.17.1: `mannwhitneyu(a, b, method="exact")`, also of `arange(50)` and the same plus 8.25.
#[test]
fn exact_probabilities_are_those_of_scipy() {
    near(two_sample::p(&A, &B), 0.020_512_820_512_820_513, 1e-12);
    near(two_sample::p(&B, &A), 0.020_512_820_512_820_513, 1e-12);
    near(two_sample::p(&steps(50, 0.0), &steps(50, 8.25)), 0.007_021_899_371_388_251, 1e-10);
}

/// scipy 1.17.1: `permutation_test((a, b), rank_sum, permutation_type="independent", n_resamples=inf)`, where `rank_sum` adds
/// the first side's ranks in `rankdata(concatenate([a, b]))`: all 24 310 choices.
#[test]
fn ties_are_counted_over_their_mean_ranks() {
    let (a, b) = ([1.0, 2.0, 2.0, 3.0, 3.0, 3.0, 4.0, 5.0], [3.0, 3.0, 4.0, 4.0, 5.0, 5.0, 6.0, 6.0, 7.0]);
    near(two_sample::p(&a, &b), 0.014_890_991_361_579_597, 1e-12);
    near(two_sample::p(&[1.0; 20], &[1.0; 20]), 1.0, 1e-12);
}

/// scipy 1.17.1: `mannwhitneyu(a, b, method="asymptotic")` of `[7*i % 101 / 4 for i in range(80)]` and
/// `[7*i % 97 / 4 + 2 for i in range(90)]`, which have ties.
#[test]
fn many_samples_are_approximated_with_ties() {
    let a: Vec<f64> = (0..80).map(|i| f64::from(7 * i % 101) / 4.0).collect();
    let b: Vec<f64> = (0..90).map(|i| f64::from(7 * i % 97) / 4.0 + 2.0).collect();
    near(two_sample::p(&a, &b), 0.154_995_256_857_905_1, 1e-6);
    near(two_sample::p(&[1.0; 90], &[1.0; 90]), 1.0, 1e-12);
}

/// The exact distribution and the approximation agree where one takes over from the other.
#[test]
fn counting_and_approximation_meet() {
    let base = steps(64, 0.0);
    let one_more = [&base[..], &[35.9]].concat();
    let counted = two_sample::p(&base, &steps(64, 8.5));
    near(counted, two_sample::p(&one_more, &steps(64, 8.5)).expect("there are samples"), 0.1);
}

/// Critical values of U, two-sided at 5 % (Siegel, Nonparametric Statistics, 1956, table K; Mann and Whitney's own for small
/// samples): up to the value, so many sums and 0.
#[test]
fn critical_values_of_u_are_the_published_ones() {
    let published =
        [(4, 4, 0), (5, 5, 2), (8, 8, 13), (10, 10, 23), (5, 8, 6), (12, 15, 49), (9, 20, 48), (20, 20, 127)];
    for (base, candidate, critical) in published {
        let scores: Vec<usize> = (1..=base + candidate).collect();
        let found = Distribution::of_choices(&scores, base).unlikely();
        assert_eq!(found, critical + 1, "{base} and {candidate}");
    }
}

/// Critical values of the signed rank sum, two-sided at 5 % (Wilcoxon and Wilcox, 1964; McCornack, 1965).
#[test]
fn critical_values_of_signed_ranks_are_the_published_ones() {
    let published = [(6, 0), (7, 2), (8, 3), (9, 5), (10, 8), (12, 13), (15, 25), (20, 52), (25, 89)];
    for (pairs, critical) in published {
        let scores: Vec<usize> = (1..=pairs).collect();
        assert_eq!(Distribution::of_signs(&scores).unlikely(), critical + 1, "{pairs} pairs");
    }
    assert_eq!(Distribution::of_signs(&[1, 2, 3, 4, 5]).unlikely(), 0);
}

/// scipy 1.17.1: `wilcoxon(pairs, method="exact")`.
#[test]
fn signed_ranks_are_counted_as_by_scipy() {
    near(paired::p(&PAIRS), 0.105_468_75, 1e-12);
    near(paired::p(&steps(10, 1.0)), paired::least_p(10), 1e-12);
    assert_eq!(paired::p(&[]), None);
}

/// Counted by hand in Python over all 2^10 signs of `rankdata(abs(d))` without the ranks of the zeros; scipy's exact method takes
/// no zeros.
#[test]
fn equal_pairs_are_ranked_and_left_out() {
    let pairs = [0.0, 1.0, 1.0, -1.0, 2.0, 3.0, 0.0, -2.0, 4.0, 4.0, 5.0, 2.0];
    near(paired::p(&pairs), 0.042_968_75, 1e-12);
    near(paired::p(&[0.0; 12]), 1.0, 1e-12);
}

/// scipy 1.17.1: `wilcoxon([(37*i % 211 - 80) / 7 for i in range(210)], method="asymptotic", correction=True, zero_method="pratt")`.
#[test]
fn many_pairs_are_approximated() {
    let pairs: Vec<f64> = (0..210).map(|i| f64::from(37 * i % 211 - 80) / 7.0).collect();
    near(paired::p(&pairs), 2.362_295_737_673_563_7e-7, 1e-5);
}

/// numpy: the median of `subtract.outer(b, a)` and its 11th values from both ends (critical value 10); that of the 55 means, and
/// their 9th from both ends (critical value 8).
#[test]
fn shifts_have_their_exact_intervals() {
    let shift = two_sample::shift(&A, &B).expect("there are samples");
    assert!((shift.value - 3.5).abs() < 1e-9 && (shift.low - 0.6).abs() < 1e-9, "{shift:?}");
    assert!((shift.high - 6.7).abs() < 1e-9, "{shift:?}");
    let shift = paired::shift(&PAIRS).expect("there are pairs");
    assert!((shift.value - 1.0).abs() < 1e-9 && (shift.low + 0.25).abs() < 1e-9, "{shift:?}");
    assert!((shift.high - 2.15).abs() < 1e-9, "{shift:?}");
    assert_eq!((two_sample::shift(&[], &A), paired::shift(&[])), (None, None));
}

/// With few samples the interval is all there is, and never empty.
#[test]
fn few_samples_have_the_widest_interval() {
    let shift = two_sample::shift(&[1.0, 2.0], &[4.0, 8.0]).expect("there are samples");
    assert_eq!([shift.value, shift.low, shift.high], [4.5, 2.0, 7.0]);
    let shift = paired::shift(&[3.0]).expect("there is a pair");
    assert_eq!([shift.value, shift.low, shift.high], [3.0, 3.0, 3.0]);
}

/// The interval of the shift excludes 0 when the test says so at 5 %, at the border too: U is 23 and 24 of 10 and 10.
#[test]
fn the_interval_and_the_test_agree() {
    for moved in 0..20_u32 {
        let (base, candidate) = (steps(10, 0.0), steps(10, f64::from(moved) + 0.5));
        let p = two_sample::p(&base, &candidate).expect("there are samples");
        let shift = two_sample::shift(&base, &candidate).expect("there are samples");
        assert_eq!(p <= 0.05, shift.low > 0.0, "{moved}: {p}, {shift:?}");
    }
}

/// Holm's own procedure by hand: 0.01 × 4, 0.02 × 3, then 0.03 × 2 = 0.06, and 0.2 × 1.
#[test]
fn holm_keeps_the_order() {
    let adjusted = holm(&[0.02, 0.2, 0.01, 0.03]);
    let expected = [0.06, 0.2, 0.04, 0.06];
    assert!(
        adjusted.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-12),
        "{adjusted:?}"
    );
    assert_eq!(holm(&[0.6, 0.7]), [1.0, 1.0]);
    assert!(holm(&[]).is_empty());
}

#[test]
fn medians_are_in_the_middle() {
    assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
    assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
    assert_eq!(median(&[]), None);
    // numpy 2: `quantile(a, 0.9)`.
    near(quantile(&[2.1, 3.3, 1.0, 9.9, 2.2], 0.9), 7.26, 1e-12);
    assert_eq!(quantile(&[4.0, 2.0], 1.0), Some(4.0));
    assert_eq!((quantile(&[], 0.5), quantile(&[1.0], 1.1)), (None, None));
    // scipy 1.17.1: `median_abs_deviation`.
    near(mad(&[2.1, 3.3, 1.0, 9.9, 2.2]), 1.1, 1e-12);
    assert_eq!(mad(&[]), None);
}

#[test]
fn outliers_are_far_and_not_only_by_their_score() {
    assert_eq!(outliers(&[2.1, 2.6, 2.4, 2.5, 2.3, 2.1, 2.3, 2.6, 8.2, 8.3]), [8, 9]);
    // 2 % off in samples that differ by 0.1 %.
    assert!(outliers(&[1.0, 1.001, 0.999, 1.0, 1.02]).is_empty());
    // More than half are equal.
    assert_eq!(outliers(&[10.0, 10.0, 10.0, 10.0, 10.0, 30.0]), [5]);
    assert!(outliers(&[0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0]).is_empty());
    assert!(outliers(&[5.0; 8]).is_empty());
    assert!(outliers(&[]).is_empty());
}

#[test]
fn ranks_of_ties_are_their_mean() {
    assert_eq!(ranks::doubled(&[5.0, 1.0, 5.0, 9.0]), [5, 2, 5, 8]);
}
