//! A distribution drawn in the terminal.

use std::fmt;
use std::time::Duration;

use crate::load::histogram::nanos;
use crate::load::latency::{Latency, rank};
use crate::load::report::LoadReport;
use crate::memory::text::{count, duration, percent, whole};

/// Most rows of a drawing.
const ROWS: usize = 20;
/// Columns of the longest bar.
const BAR: usize = 24;
/// Where rows begin within each power of ten, the finest first.
const STEPS: [&[f64]; 4] = [
    &[1.0, 1.25, 1.6, 2.0, 2.5, 3.2, 4.0, 5.0, 6.4, 8.0],
    &[1.0, 1.6, 2.5, 4.0, 6.4],
    &[1.0, 2.0, 5.0],
    &[1.0],
];
/// What is marked beside its row.
const MARKS: [(f64, &str); 4] = [(50.0, "p50"), (90.0, "p90"), (99.0, "p99"), (99.9, "p99.9")];

impl LoadReport {
    /// Returns a drawing of the response times of the operations that ended well: see [`Latency::histogram`].
    #[must_use]
    pub fn histogram(&self) -> impl fmt::Display + use<> {
        self.response().histogram()
    }
}

impl Latency {
    /// Returns a drawing for a terminal: at most 20 rows of at most 80 columns, with a bar, a count, its share, and the percentiles that
    /// are in it. Each row begins at a round number and is wider than the one above by about the same factor. Without a sample it says so.
    #[must_use]
    pub fn histogram(&self) -> impl fmt::Display + use<> {
        Drawing(draw(self))
    }
}

struct Drawing(String);

impl fmt::Display for Drawing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Samples by row.
struct Rows {
    /// Where each row begins, and the last one ends, in nanoseconds.
    edges: Vec<u64>,
    counts: Vec<u64>,
}

impl Rows {
    fn of(latency: &Latency) -> Option<Self> {
        let (min, max) = (nanos(latency.min()?), nanos(latency.max()?));
        // What is beyond the last bucket is in it.
        let (.., end, _) = latency.buckets().last()?;
        let edges = edges(min, max.min(nanos(end) - 1));
        let mut counts = vec![0; edges.len() - 1];
        for (low, high, number) in latency.buckets() {
            // As a percentile, a bucket is at its middle; that of the smallest sample may begin below it.
            let middle = nanos(low + (high - low) / 2).max(min).min(edges[edges.len() - 1] - 1);
            let row = edges.partition_point(|edge| *edge <= middle);
            counts[row.saturating_sub(1)] += number;
        }
        Some(Self { edges, counts })
    }

    /// Beside each row, the percentiles that are in it.
    fn marks(&self) -> Vec<String> {
        let total = self.counts.iter().sum();
        let ranks = MARKS.map(|(percent, name)| (rank(percent, total).unwrap_or(0), name));
        let mut seen = 0;
        let row = |number: &u64| {
            let before = seen;
            seen += number;
            let there = ranks.iter().filter(|(rank, _)| (before + 1..=seen).contains(rank));
            there.map(|(_, name)| *name).collect::<Vec<_>>().join(" ")
        };
        self.counts.iter().map(row).collect()
    }
}

fn draw(latency: &Latency) -> String {
    let Some(rows) = Rows::of(latency) else {
        return "  no sample\n".into();
    };
    let (total, most) = (latency.count(), rows.counts.iter().copied().max().unwrap_or(1));
    let numbers: Vec<_> = rows.counts.iter().map(|number| count(*number)).collect();
    let width = numbers.iter().map(String::len).max().unwrap_or(0);
    let edge = |at: usize| duration(Duration::from_nanos(rows.edges[at]));
    let mut text = String::new();
    for ((row, number), marks) in rows.counts.iter().enumerate().zip(rows.marks()) {
        let (from, to) = (edge(row), edge(row + 1));
        let (bar, shown, share) = (bar(*number, most), &numbers[row], share(*number, total));
        let line = format!("  {from:>7} – {to:>7}  {bar:<BAR$}  {shown:>width$}  {share:>7}  {marks}");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// As fine as fits, and no row at either end that no sample can be in.
fn edges(min: u64, max: u64) -> Vec<u64> {
    let of = |steps: &&[f64]| {
        let all = all_edges(steps);
        let first = all.partition_point(|edge| *edge <= min).saturating_sub(1);
        let end = all.partition_point(|edge| *edge <= max).min(all.len() - 1);
        all[first..=end].to_vec()
    };
    let fits = STEPS.iter().map(of).find(|edges| edges.len() <= ROWS + 1);
    fits.unwrap_or_else(|| vec![min, max])
}

/// Zero, and all edges from a nanosecond to a day.
fn all_edges(steps: &[f64]) -> Vec<u64> {
    let decades = (0..14).map(|power| 10_f64.powi(power));
    let edges = decades.flat_map(|decade| steps.iter().map(move |step| whole((step * decade).round())));
    let mut all: Vec<u64> = std::iter::once(0).chain(edges).chain([u64::MAX]).collect();
    all.dedup();
    all
}

/// Blocks, in eighths of a column; what is there is seen.
fn bar(number: u64, most: u64) -> String {
    let eighths = whole((number as f64 / most as f64 * (BAR * 8) as f64).round());
    let eighths = usize::try_from(eighths.max(u64::from(number > 0))).unwrap_or(BAR * 8);
    let part = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8];
    "█".repeat(eighths / 8) + part
}

fn share(number: u64, total: u64) -> String {
    let share = number as f64 / total as f64;
    if number > 0 && share < 0.0005 { "< 0.1 %".into() } else { percent(share) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::latency::latency_of;

    fn drawn(nanos: impl IntoIterator<Item = u64>) -> String {
        latency_of(nanos).histogram().to_string()
    }

    #[test]
    fn without_samples_it_says_so() {
        assert_eq!(drawn([]), "  no sample\n");
    }

    #[test]
    fn one_sample_and_equal_ones_are_one_row() {
        let bar = "█".repeat(24);
        let one = format!("   200 µs –  250 µs  {bar}  1  100.0 %  p50 p90 p99 p99.9\n");
        assert_eq!(drawn([230_000]), one);
        assert_eq!(drawn([230_000; 7]), one.replace("  1  ", "  7  "));
        assert_eq!(drawn([0]), format!("      0 s – 1.00 ns  {bar}  1  100.0 %  p50 p90 p99 p99.9\n"));
    }

    #[test]
    fn two_heaps_are_seen_and_what_is_between_them() {
        // Of those from 125 to 160 µs, two share a bucket with 160 µs and more.
        let near = (0..900).map(|i| 100_000 + i * 100);
        let text = drawn(near.chain([510_000; 50]).chain([900_000]));
        let expected = "   100 µs –  125 µs  █████████████████▎        250   26.3 %
   125 µs –  160 µs  ████████████████████████  348   36.6 %  p50
   160 µs –  200 µs  ████████████████████▉     302   31.8 %  p90
   200 µs –  250 µs                              0    0.0 %
   250 µs –  320 µs                              0    0.0 %
   320 µs –  400 µs                              0    0.0 %
   400 µs –  500 µs                              0    0.0 %
   500 µs –  640 µs  ███▌                       50    5.3 %  p99
   640 µs –  800 µs                              0    0.0 %
   800 µs – 1.00 ms  ▏                           1    0.1 %  p99.9
";
        assert_eq!(text, expected, "\n{text}");
    }

    #[test]
    fn a_row_is_from_its_edge_up_to_the_next() {
        let rows = Rows::of(&latency_of([999, 1_000, 1_249, 1_250, 1_599, 1_600])).unwrap();
        assert_eq!(rows.edges, [800, 1_000, 1_250, 1_600, 2_000]);
        assert_eq!(rows.counts.iter().sum::<u64>(), 6);
        assert_eq!([rows.counts[0], rows.counts[3]], [1, 1]);
    }

    #[test]
    fn whatever_is_in_it_it_has_20_rows_of_80_columns_and_every_sample() {
        for top in [1, 10, 1_000, 1_000_000, 1_000_000_000, 80_000_000_000, 1 << 45, u64::MAX / 1_000] {
            for bottom in [0, 1, 7, 999, 1_000_000] {
                let latency = latency_of((0..500).map(|i| bottom + top / 500 * i));
                let (rows, text) = (Rows::of(&latency).unwrap(), latency.histogram().to_string());
                assert_eq!(rows.counts.iter().sum::<u64>(), 500);
                assert!(rows.counts[0] > 0 && rows.counts[rows.counts.len() - 1] > 0, "{text}");
                assert!(text.lines().count() <= 20, "{text}");
                assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
            }
        }
    }
}
