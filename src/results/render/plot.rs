//! Plots by hand: SVG that needs nothing else, and is legible on light and dark pages and without colours.

mod canvas;
mod latency;
mod levels;
mod memory;
mod panel;
mod rounds;
mod scale;
mod style;
mod timeline;

use super::Plot;
use crate::results::comparison::Comparison;
use crate::results::document::Results;
use crate::results::record::Record;
use crate::results::sweep::SweepReport;

/// All that there are figures for, in the order of the report.
pub(super) fn all(results: &Results) -> Vec<Plot> {
    let comparisons = results.comparisons.iter().enumerate();
    let mut plots: Vec<_> =
        comparisons.filter_map(|(place, comparison)| rounds(results, comparison, place)).collect();
    plots.extend(results.sweep.iter().filter_map(|sweep| levels(&results.title, sweep)));
    plots.extend(latency(results));
    for (place, record) in results.records.iter().enumerate() {
        plots.extend(memory(results, record, place));
        plots.extend(timeline(results, record, place));
    }
    plots
}

/// The samples of both sides, round by round.
pub(super) fn rounds(results: &Results, comparison: &Comparison, place: usize) -> Option<Plot> {
    rounds::plot(results, comparison, format!("rounds-{}", place + 1))
}

/// Figures over the levels of a sweep.
pub(super) fn levels(title: &str, sweep: &SweepReport) -> Option<Plot> {
    levels::plot(title, sweep, "figure-over-level".into())
}

/// The distributions of response times.
pub(super) fn latency(results: &Results) -> Option<Plot> {
    latency::plot(results, "latency-distribution".into())
}

/// Memory over the time of the last round.
pub(super) fn memory(results: &Results, record: &Record, place: usize) -> Option<Plot> {
    memory::plot(record, name(results, "memory-over-time", record, place))
}

/// Throughput and p99 over the time of the last round.
pub(super) fn timeline(results: &Results, record: &Record, place: usize) -> Option<Plot> {
    timeline::plot(record, name(results, "load-over-time", record, place))
}

/// A name that a file can have on every system; the place keeps those apart that differ in other letters only.
fn name(results: &Results, what: &str, record: &Record, place: usize) -> String {
    if results.records.len() < 2 {
        return what.into();
    }
    let letters =
        record.title().chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' });
    let letters: String = letters.take(40).collect();
    let words: Vec<_> = letters.split('-').filter(|word| !word.is_empty()).collect();
    let parts = [what.to_owned(), (place + 1).to_string()];
    parts.into_iter().chain(words.into_iter().map(str::to_owned)).collect::<Vec<_>>().join("-")
}
