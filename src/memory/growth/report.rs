//! The report's text.

use std::fmt;

use super::{GrowthReport, GrowthVerdict, SIGNIFICANT_Z};

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

impl fmt::Display for GrowthReport {
    /// Writes a line for each figure, without a line break at the end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            bytes_per_round, bytes_per_round_low, bytes_per_round_high, rounds, warm_up_rounds, ..
        } = self;
        let [first, second, third] = self.steps_bytes_per_round;
        writeln!(
            f,
            "  growth    {bytes_per_round:.1} bytes per round (95 % interval {bytes_per_round_low:.1} to \
             {bytes_per_round_high:.1})"
        )?;
        writeln!(f, "  rounds    {rounds}, of which the first {warm_up_rounds} are warm-up")?;
        writeln!(f, "  trend     z {:.2} (Mann-Kendall; significant above {SIGNIFICANT_Z})", self.trend_z)?;
        writeln!(
            f,
            "  steps     {first:.1}, {second:.1}, {third:.1} bytes per round from quarter to quarter"
        )?;
        write!(f, "  live      {}", Blocks(&self.live_bytes_by_block))
    }
}

impl fmt::Display for GrowthVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Inconclusive => "inconclusive",
        })
    }
}

/// Blocks as bars between the lowest and the highest.
struct Blocks<'a>(&'a [f64]);

impl fmt::Display for Blocks<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let low = self.0.iter().copied().fold(f64::INFINITY, f64::min);
        let high = self.0.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        for &bytes in self.0 {
            write!(f, "{}", bar(bytes, low, high))?;
        }
        write!(f, " {low:.0} to {high:.0} bytes (medians of {} blocks, oldest first)", self.0.len())
    }
}

/// The bar of a place between `low` and `high`; the lowest when they are the same.
fn bar(bytes: f64, low: f64, high: f64) -> char {
    let share = (bytes - low) / (high - low);
    let reached = (1..BARS.len()).take_while(|&bar| share * BARS.len() as f64 >= bar as f64).count();
    BARS[reached]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_reads_as_a_small_table() {
        let live: Vec<i64> = (0..100).map(|round| 1_000 + 16 * round).collect();
        let expected = "  growth    16.0 bytes per round (95 % interval 16.0 to 16.0)
  rounds    100, of which the first 20 are warm-up
  trend     z 4.46 (Mann-Kendall; significant above 2.33)
  steps     16.0, 16.0, 16.0 bytes per round from quarter to quarter
  live      ▁▁▂▃▃▄▅▆▆▇██ 1360 to 2536 bytes (medians of 12 blocks, oldest first)";
        assert_eq!(GrowthReport::of_live_bytes(&live).unwrap().to_string(), expected);
    }

    #[test]
    fn bars_span_the_range() {
        assert_eq!(bar(0.0, 0.0, 8.0), '▁');
        assert_eq!(bar(7.9, 0.0, 8.0), '█');
        assert_eq!(bar(8.0, 0.0, 8.0), '█');
        assert_eq!(bar(5.0, 5.0, 5.0), '▁');
    }
}
