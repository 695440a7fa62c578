//! Which rounds count, and their medians.

/// How many rounds are warm-up: one in this many. Lazies and pools are filled in the first few rounds; a longer warm-up
/// is found by its slowing down.
const WARM_UP_IS_ONE_IN: usize = 5;

/// Few enough that the sawteeth and the memory of the noise fit into a block, enough for the trend to be significant.
/// Twenty raise false alarms on noise with memory: the benchmark `growth` has AR(1) noise.
const MOST_BLOCKS: usize = 12;

/// A block has at least this many rounds; one alone would not be a median.
const ROUNDS_OF_A_BLOCK: usize = 2;

/// The rounds after the warm-up, in bytes above the first figure: the differences of large figures stay exact.
#[derive(Clone, Debug)]
pub(super) struct Window {
    pub(super) warm_up_rounds: usize,
    pub(super) blocks: Vec<Block>,
    quarters: Vec<Block>,
    origin: i64,
}

/// Consecutive rounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Block {
    /// The middle of its rounds, counted from the end of the warm-up.
    pub(super) round: f64,
    /// The median of its live bytes, above the first figure of all.
    pub(super) bytes: f64,
}

impl Window {
    /// Needs a figure at least, and is meant for [`MIN_ROUNDS`](super::GrowthReport::MIN_ROUNDS) or more.
    pub(super) fn of(live: &[i64]) -> Self {
        let warm_up_rounds = live.len().div_ceil(WARM_UP_IS_ONE_IN);
        let origin = live[0];
        let kept: Vec<f64> = live[warm_up_rounds..].iter().map(|&bytes| difference(bytes, origin)).collect();
        let blocks = cut(&kept, MOST_BLOCKS.min(kept.len() / ROUNDS_OF_A_BLOCK));
        Self { warm_up_rounds, blocks, quarters: cut(&kept, 4), origin }
    }

    /// Bytes per round from quarter to quarter.
    pub(super) fn steps(&self) -> [f64; 3] {
        std::array::from_fn(|step| slope(self.quarters[step], self.quarters[step + 1]))
    }

    pub(super) fn live_bytes_by_block(&self) -> Vec<f64> {
        self.blocks.iter().map(|block| self.origin as f64 + block.bytes).collect()
    }
}

/// The slope between two blocks in different places.
pub(super) fn slope(earlier: Block, later: Block) -> f64 {
    (later.bytes - earlier.bytes) / (later.round - earlier.round)
}

/// The median of values that are sorted in place; 0 without values.
pub(super) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    match (values.get(values.len().saturating_sub(1) / 2), values.get(values.len() / 2)) {
        (Some(&below), Some(&above)) => f64::midpoint(below, above),
        _ => 0.0,
    }
}

fn difference(bytes: i64, origin: i64) -> f64 {
    (i128::from(bytes) - i128::from(origin)) as f64
}

fn cut(kept: &[f64], blocks: usize) -> Vec<Block> {
    let edge = |block: usize| block * kept.len() / blocks;
    let block = |place: usize| {
        let (start, end) = (edge(place), edge(place + 1));
        let round = f64::midpoint(start as f64, (end - 1) as f64);
        Block { round, bytes: median(&mut kept[start..end].to_vec()) }
    };
    (0..blocks).map(block).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_in_the_middle() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&mut [4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median(&mut []), 0.0);
    }

    #[test]
    fn the_first_fifth_is_left_out_and_the_rest_is_in_blocks() {
        for (rounds, warm_up, blocks) in
            [(20, 4, 8), (21, 5, 8), (30, 6, 12), (100, 20, 12), (10_000, 2_000, 12)]
        {
            let live: Vec<i64> = (0..rounds).collect();
            let window = Window::of(&live);
            assert_eq!((window.warm_up_rounds, window.blocks.len()), (warm_up, blocks), "{rounds} rounds");
        }
    }

    #[test]
    fn every_round_after_the_warm_up_is_in_one_block() {
        let live: Vec<i64> = (0..33).map(|round| 10 * round).collect();
        let blocks = Window::of(&live).blocks;
        // 26 rounds in 12 blocks: 10 blocks of 2 and 2 of 3, the middles of which are half a round further.
        assert_eq!(blocks[0], Block { round: 0.5, bytes: 75.0 });
        assert_eq!(blocks[11], Block { round: 24.0, bytes: 310.0 });
        assert!(blocks.windows(2).all(|pair| slope(pair[0], pair[1]) == 10.0), "{blocks:?}");
    }

    #[test]
    fn differences_are_exact_far_from_zero() {
        let live: Vec<i64> = (0..20).map(|round| i64::MAX - 100 + round).collect();
        assert_eq!(Window::of(&live).steps(), [1.0, 1.0, 1.0]);
        assert_eq!(difference(i64::MAX, i64::MIN), 18_446_744_073_709_551_615.0);
    }
}
