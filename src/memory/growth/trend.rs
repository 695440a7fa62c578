//! The slope through blocks, its interval, and whether they rise more often than chance has it.

use std::cmp::Ordering;

use super::window::{Block, median, slope};

/// The two-sided 95 % quantile of the normal distribution.
const NORMAL_95: f64 = 1.96;

/// What blocks say together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Trend {
    /// Theil and Sen: the median of the slopes between any two blocks.
    pub(super) slope: f64,
    /// Sen's 95 % interval.
    pub(super) low: f64,
    pub(super) high: f64,
    /// Mann-Kendall.
    pub(super) z: f64,
}

impl Trend {
    /// Formulas as in Gilbert, Statistical Methods for Environmental Pollution Monitoring (1987), sections 16.4 to 16.5;
    /// blocks are in the order of time.
    pub(super) fn of(blocks: &[Block]) -> Self {
        let pairs = || {
            blocks.iter().enumerate().flat_map(|(place, &a)| blocks[place + 1..].iter().map(move |&b| (a, b)))
        };
        let score = pairs().map(|(earlier, later)| sign(later.bytes - earlier.bytes)).sum::<f64>();
        let deviation = variance_of_score(blocks).sqrt();
        let mut slopes: Vec<f64> = pairs().map(|(earlier, later)| slope(earlier, later)).collect();
        let slope = median(&mut slopes);
        let (low, high) = interval(&slopes, NORMAL_95 * deviation);
        Self { slope, low, high, z: z(score, deviation) }
    }
}

fn sign(difference: f64) -> f64 {
    match difference.total_cmp(&0.0) {
        _ if difference == 0.0 => 0.0,
        Ordering::Greater => 1.0,
        _ => -1.0,
    }
}

/// The variance of the number of rising pairs less that of falling ones, without a trend, corrected for ties.
fn variance_of_score(blocks: &[Block]) -> f64 {
    let term = |count: usize| (count * count.saturating_sub(1) * (2 * count + 5)) as f64;
    let mut bytes: Vec<f64> = blocks.iter().map(|block| block.bytes).collect();
    bytes.sort_by(f64::total_cmp);
    let ties: f64 = bytes.chunk_by(|a, b| a == b).map(|tied| term(tied.len())).sum();
    (term(blocks.len()) - ties) / 18.0
}

/// z with the correction for continuity; 0 when all blocks are tied.
fn z(score: f64, deviation: f64) -> f64 {
    if score == 0.0 || deviation == 0.0 { 0.0 } else { (score - sign(score)) / deviation }
}

/// The slopes whose ranks lie half of `width` outwards from the middle, of sorted slopes; rounded outwards.
fn interval(slopes: &[f64], width: f64) -> (f64, f64) {
    let outside = (slopes.len() as f64 - width) / 2.0;
    let rank = (1..=slopes.len()).take_while(|&rank| rank as f64 <= outside).count().max(1);
    match (slopes.get(rank - 1), slopes.get(slopes.len().wrapping_sub(rank))) {
        (Some(&low), Some(&high)) => (low, high),
        _ => (0.0, 0.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(bytes: &[f64]) -> Vec<Block> {
        bytes.iter().enumerate().map(|(round, &bytes)| Block { round: round as f64, bytes }).collect()
    }

    fn is_near(value: f64, expected: f64) -> bool {
        (value - expected).abs() < 1e-9
    }

    #[test]
    fn the_trend_of_four_figures_is_that_of_a_computation_by_hand() {
        // 10 15 14 20: five pairs rise, one falls, S = 4; the variance is 4 * 3 * 13 / 18. The slopes are
        // 5, 2, 10/3, -1, 5/2 and 6, whose median is (5/2 + 10/3) / 2.
        let trend = Trend::of(&blocks(&[10.0, 15.0, 14.0, 20.0]));
        assert!(is_near(trend.z, 3.0 / (156.0_f64 / 18.0).sqrt()), "{trend:?}");
        assert!(is_near(trend.slope, (2.5 + 10.0 / 3.0) / 2.0), "{trend:?}");
        // Six slopes and a width of 1.96 * 2.944 = 5.77: rank (6 - 5.77) / 2 is below the first, so all of them.
        assert_eq!((trend.low, trend.high), (-1.0, 6.0));
    }

    #[test]
    fn ties_make_the_variance_smaller() {
        // Ten figures, a tie of 3 and one of 2: (10 * 9 * 25 - 3 * 2 * 11 - 2 * 1 * 9) / 18 = 2166 / 18.
        let tied = blocks(&[1.0, 2.0, 2.0, 2.0, 3.0, 4.0, 4.0, 5.0, 6.0, 7.0]);
        assert!(is_near(variance_of_score(&tied), 2166.0 / 18.0));
        // Of 45 pairs 41 rise and 4 are tied.
        assert!(is_near(Trend::of(&tied).z, 40.0 / (2166.0_f64 / 18.0).sqrt()));
        assert!(is_near(variance_of_score(&blocks(&[1.0, 2.0, 3.0, 4.0])), 156.0 / 18.0));
    }

    #[test]
    fn the_interval_has_the_ranks_of_the_table() {
        // Ten rising figures have 45 slopes, and a variance of 125: (45 - 21.91) / 2 = 11.5, the 11th from each end.
        let slopes: Vec<f64> = (1..=45).map(f64::from).collect();
        assert_eq!(interval(&slopes, NORMAL_95 * 125.0_f64.sqrt()), (11.0, 35.0));
    }

    #[test]
    fn a_line_has_its_slope_and_no_width() {
        let line: Vec<f64> = (0..12).map(|round| 7.0 - 3.0 * f64::from(round)).collect();
        let trend = Trend::of(&blocks(&line));
        assert_eq!((trend.slope, trend.low, trend.high), (-3.0, -3.0, -3.0));
        // All 66 pairs fall; the variance is 12 * 11 * 29 / 18.
        assert!(is_near(trend.z, -65.0 / (3828.0_f64 / 18.0).sqrt()), "{trend:?}");
    }

    #[test]
    fn a_line_added_is_added_to_the_slope_and_its_interval() {
        let noise = [3.0, -1.0, 4.0, 1.0, -5.0, 9.0, 2.0, -6.0, 5.0, 3.0];
        let tilted: Vec<f64> =
            noise.iter().zip(0..).map(|(bytes, round)| bytes + 32.0 * f64::from(round)).collect();
        let (flat, tilted) = (Trend::of(&blocks(&noise)), Trend::of(&blocks(&tilted)));
        assert!(is_near(tilted.slope, flat.slope + 32.0), "{flat:?} {tilted:?}");
        assert!(
            is_near(tilted.low, flat.low + 32.0) && is_near(tilted.high, flat.high + 32.0),
            "{flat:?} {tilted:?}"
        );
    }

    #[test]
    fn a_constant_has_no_trend() {
        assert_eq!(Trend::of(&blocks(&[5.0; 9])), Trend { slope: 0.0, low: 0.0, high: 0.0, z: 0.0 });
    }

    #[test]
    fn one_outlier_does_not_move_the_slope() {
        let mut line: Vec<f64> = (0..12).map(f64::from).collect();
        line[6] = 1e9;
        assert_eq!(Trend::of(&blocks(&line)).slope, 1.0);
    }
}
