//! What was measured, side by side.

use super::super::model::{Block, Section, Table};
use super::super::{plot, words};
use crate::load::Latency;
use crate::memory::text::{count, duration};
use crate::results::document::Results;
use crate::results::metric::Metric;
use crate::results::record::Record;
use crate::results::stats;

pub(in super::super) fn records(results: &Results) -> Option<Section> {
    if results.records.is_empty() {
        return None;
    }
    let mut section = Section::new("Measurements");
    section.table(latencies(&results.records));
    section.plots(plot::latency(results));
    for (place, record) in results.records.iter().enumerate() {
        record_blocks(&mut section, results, record, place);
    }
    Some(section)
}

fn record_blocks(section: &mut Section, results: &Results, record: &Record, place: usize) {
    section.head(record.title());
    let control = record.control.as_ref().map(|name| format!(", in turn with the control {name}"));
    let quick = if record.quick { ", a quick run" } else { "" };
    let rounds = words::plural(record.rounds, "round");
    let begun = record.taken;
    section.say(format!("{rounds}{}{quick}, begun {begun}", control.unwrap_or_default()));
    if record.metrics.is_empty() {
        section.say("No metric was measured.");
    }
    let mut table = metrics(record);
    // What the signs mean is said once.
    let known = place.checked_sub(1).and_then(|before| metrics(&results.records[before]).legend);
    table.legend = table.legend.filter(|legend| known.as_ref() != Some(legend));
    section.table(table);
    section.plots(plot::memory(results, record, place));
    section.plots(plot::timeline(results, record, place));
    let load = record.load.as_ref().map(|load| ("The load of the last round", load.to_string()));
    let memory = record.memory.as_ref().map(|memory| ("The memory of the last round", memory.to_string()));
    let whole =
        |(title, text): (&str, String)| Block::Whole { title: format!("{title}: {}", record.title()), text };
    section.blocks.extend(load.into_iter().chain(memory).map(whole));
}

fn metrics(record: &Record) -> Table {
    let controlled = record.metrics.iter().any(|metric| !metric.control.is_empty());
    let titles = ["metric", "n", "median", "MAD", "min", "max"];
    let mut table = Table::new(titles.into_iter().chain(controlled.then_some("control")));
    for metric in &record.metrics {
        table.row(cells(metric, controlled));
    }
    let mut table = table.explained();
    let absent = table.legend.take().map(|legend| format!("; {legend}")).unwrap_or_default();
    let control = if controlled { "; control: its median" } else { "" };
    table.legend = Some(format!(
        "n: rounds that measured it; MAD: median absolute deviation from the median{control}{absent}"
    ));
    table
}

fn cells(metric: &Metric, controlled: bool) -> Vec<String> {
    let values = metric.values();
    let figure = |value| words::figure(&metric.unit, value);
    let mut cells = vec![
        metric.name.clone(),
        values.len().to_string(),
        figure(metric.median()),
        figure(stats::mad(&values)),
        figure(values.iter().copied().reduce(f64::min)),
        figure(values.iter().copied().reduce(f64::max)),
    ];
    if controlled {
        let control: Vec<f64> = metric.control.iter().copied().flatten().collect();
        cells.push(figure(stats::median(&control)));
    }
    cells
}

fn latencies(records: &[Record]) -> Table {
    let mut table = Table::new(["times of all rounds", "n", "min", "p50", "p90", "p99", "p99.9", "max"]);
    for record in records {
        if let Some(latency) = record.latency.as_ref().filter(|latency| latency.count() > 0) {
            table.row(times(record.title(), latency));
        }
    }
    let absent = table.rows.iter().any(|row| row.cells.iter().any(|cell| cell == words::ABSENT));
    let legend = || format!("{}: fewer operations than it takes to tell", words::ABSENT);
    table.legend = absent.then(legend);
    table
}

fn times(title: &str, latency: &Latency) -> Vec<String> {
    // Of fewer operations than this, a percentile is the maximum and says nothing of its own.
    let at = |percent: f64, least| (latency.count() >= least).then(|| latency.percentile(percent)).flatten();
    let percentiles = [at(50.0, 2), at(90.0, 10), at(99.0, 100), at(99.9, 1000)];
    let times = [latency.min()].into_iter().chain(percentiles).chain([latency.max()]);
    let text = |time: Option<_>| time.map_or_else(|| words::ABSENT.into(), duration);
    [title.into(), count(latency.count())].into_iter().chain(times.map(text)).collect()
}
