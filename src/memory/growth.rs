//! Whether rounds of the same work leave bytes behind.
//!
//! | module | what it decides |
//! | --- | --- |
//! | `window` | which rounds count, and their medians |
//! | `trend` | the slope, its interval, and whether there is a trend at all |
//! | `report` | the text |
//! | `error` | what a failed check says |
//! | `rounds` | the rounds themselves |
//!
//! Every threshold below was chosen by simulation; `cargo run --release --manifest-path benches/Cargo.toml --bin growth`
//! prints how often the verdict is wrong, on series with and without a leak, beside two simpler methods.

mod error;
mod report;
mod rounds;
mod trend;
mod window;

pub use error::{GrowthError, GrowthErrorKind};

use serde::{Deserialize, Serialize};

use trend::Trend;
use window::Window;

/// A trend is significant above this z: one false alarm in a hundred without a trend (one-sided normal quantile).
const SIGNIFICANT_Z: f64 = 2.33;

/// The share of the mean step that every step has in steady growth. A single jump has a step near zero beside a large
/// one; the noise of a clear leak rarely takes two thirds of a step away.
const EVERY_STEP: f64 = 1.0 / 3.0;

/// The share of the mean step that the last step has in steady growth. A cache that fills up with a time constant of a
/// third of the rounds has 0.49.
const LAST_STEP: f64 = 0.6;

/// How much each round of the same work leaves behind, from the live heap bytes after each round.
///
/// # What it cannot tell
///
/// - Growth that does not go on through all the rounds after the warm-up, or comes in one or two jumps, is never a
///   [`Fail`](GrowthVerdict::Fail): a cache that has grown once looks the same. A jump within the last blocks moves few
///   medians and can be a [`Pass`](GrowthVerdict::Pass).
/// - A cache that fills steadily until the last fifth of the rounds is a leak to it. Run more rounds, or fill it before the
///   first.
/// - Noise that remembers for longer than a block narrows the interval more than it should.
///
/// # How it is computed
///
/// The first fifth of the rounds is warm-up and left out. What follows is cut into 8 to 12 blocks of equal length, and
/// the median of each block is taken, so that spikes and sawteeth shorter than a block have no weight. Bytes per round
/// is the Theil-Sen slope through the medians, its interval is Sen's, and the trend is the Mann-Kendall test with
/// correction for ties. So that a jump is not taken for a leak, growth must also be steady: see
/// [`GrowthVerdict::Fail`].
///
/// # Examples
///
/// ```
/// use isolated_nats::{GrowthReport, GrowthVerdict};
///
/// let leaky: Vec<i64> = (0..50).map(|round| 4_000 + 16 * round).collect();
/// let report = GrowthReport::of_live_bytes(&leaky)?;
/// assert_eq!(report.bytes_per_round, 16.0);
/// assert_eq!(report.verdict(0.0), GrowthVerdict::Fail);
/// assert_eq!(report.verdict(16.0), GrowthVerdict::Pass);
/// report.assert_at_most(16.0);
/// # Ok::<(), isolated_nats::GrowthError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GrowthReport {
    /// How many rounds there were, with the warm-up; at least [`MIN_ROUNDS`](Self::MIN_ROUNDS).
    pub rounds: usize,
    /// How many of them, the first ones, were left out as warm-up: a fifth, rounded up.
    pub warm_up_rounds: usize,
    /// Bytes left behind by a round, as the median of the slopes between blocks; negative when live bytes shrink.
    pub bytes_per_round: f64,
    /// The lower end of the 95 % interval of [`bytes_per_round`](Self::bytes_per_round).
    pub bytes_per_round_low: f64,
    /// The upper end of the same interval.
    pub bytes_per_round_high: f64,
    /// Mann-Kendall's z of the blocks: standard deviations by which they rise (above 0) or fall more often than they
    /// would in random order; 0 for a constant series.
    pub trend_z: f64,
    /// Bytes per round from each quarter of the rounds after the warm-up to the next, by the quarters' medians; oldest
    /// first.
    pub steps_bytes_per_round: [f64; 3],
    /// The median of live bytes in each block of the rounds after the warm-up, 8 to 12 of them, oldest first.
    pub live_bytes_by_block: Vec<f64>,
}

/// What a [`GrowthReport`] says about a ceiling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GrowthVerdict {
    /// The whole interval is at or below the ceiling, give or take
    /// [`RESOLUTION_BYTES_PER_ROUND`](GrowthReport::RESOLUTION_BYTES_PER_ROUND).
    Pass,
    /// The whole interval is above the ceiling, the trend is significant (z above 2.33), and the growth above the
    /// ceiling is steady: each of the three steps between quarters has a third of their mean or more, the last one 0.6.
    Fail,
    /// Neither: noise hides the answer, or there was growth, but in jumps or ever slower. More rounds tell.
    Inconclusive,
}

impl GrowthReport {
    /// The fewest rounds that are judged: a fifth of them is warm-up, and the others make 8 blocks of 2.
    pub const MIN_ROUNDS: usize = 20;

    /// What the interval may reach above a ceiling and still pass, in bytes per round: a pointer's worth. Without it no
    /// noisy series could pass a ceiling of 0.
    pub const RESOLUTION_BYTES_PER_ROUND: f64 = 8.0;

    /// Computes the report from the live heap bytes after each round, oldest first.
    ///
    /// The figures may be negative, as those of a counter that starts at 0 after something was allocated.
    ///
    /// # Errors
    ///
    /// [`GrowthErrorKind::TooFewRounds`] with fewer than [`MIN_ROUNDS`](Self::MIN_ROUNDS) figures.
    pub fn of_live_bytes(live: &[i64]) -> Result<Self, GrowthError> {
        if live.len() < Self::MIN_ROUNDS {
            return Err(GrowthError::too_few_rounds(live.len()));
        }
        let window = Window::of(live);
        let trend = Trend::of(&window.blocks);
        Ok(Self {
            rounds: live.len(),
            warm_up_rounds: window.warm_up_rounds,
            bytes_per_round: trend.slope,
            bytes_per_round_low: trend.low,
            bytes_per_round_high: trend.high,
            trend_z: trend.z,
            steps_bytes_per_round: window.steps(),
            live_bytes_by_block: window.live_bytes_by_block(),
        })
    }

    /// Judges against a ceiling in bytes per round; 0 asks for no growth at all, within the resolution.
    ///
    /// A ceiling that is not a number is [`Inconclusive`](GrowthVerdict::Inconclusive).
    #[must_use]
    pub fn verdict(&self, at_most_bytes_per_round: f64) -> GrowthVerdict {
        if self.is_above(at_most_bytes_per_round) && self.is_steady_above(at_most_bytes_per_round) {
            GrowthVerdict::Fail
        } else if self.bytes_per_round_high <= at_most_bytes_per_round + Self::RESOLUTION_BYTES_PER_ROUND {
            GrowthVerdict::Pass
        } else {
            GrowthVerdict::Inconclusive
        }
    }

    /// Checks a ceiling in bytes per round.
    ///
    /// # Errors
    ///
    /// [`GrowthErrorKind::Grew`] when the verdict is [`Fail`](GrowthVerdict::Fail), and
    /// [`GrowthErrorKind::Inconclusive`] when it is [`Inconclusive`](GrowthVerdict::Inconclusive): what is not known to
    /// stay below the ceiling does not pass.
    pub fn check_at_most(&self, bytes_per_round: f64) -> Result<(), GrowthError> {
        match self.verdict(bytes_per_round) {
            GrowthVerdict::Pass => Ok(()),
            GrowthVerdict::Fail => Err(GrowthError::grew(self, bytes_per_round)),
            GrowthVerdict::Inconclusive => Err(GrowthError::inconclusive(self, bytes_per_round)),
        }
    }

    /// Asserts a ceiling in bytes per round.
    ///
    /// # Panics
    ///
    /// When [`check_at_most`](Self::check_at_most) has an error, thus also on an inconclusive verdict; the text says
    /// then about how many rounds would resolve it.
    #[track_caller]
    pub fn assert_at_most(&self, bytes_per_round: f64) {
        if let Err(error) = self.check_at_most(bytes_per_round) {
            panic!("{error}");
        }
    }

    fn is_above(&self, ceiling: f64) -> bool {
        self.bytes_per_round_low > ceiling && self.trend_z > SIGNIFICANT_Z
    }

    /// Whether it grew, but not as a leak does.
    fn is_unsteady_above(&self, ceiling: f64) -> bool {
        self.bytes_per_round > ceiling && self.trend_z > SIGNIFICANT_Z && !self.is_steady_above(ceiling)
    }

    fn is_steady_above(&self, ceiling: f64) -> bool {
        let above = self.steps_bytes_per_round.map(|step| step - ceiling);
        let mean = above.iter().sum::<f64>() / 3.0;
        above.iter().all(|&step| step > 0.0 && step >= EVERY_STEP * mean) && above[2] >= LAST_STEP * mean
    }
}

#[cfg(test)]
mod tests;
