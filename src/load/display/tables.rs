//! Counts and times, a row for each operation.

use super::{line, shortened};
use crate::load::latency::Latency;
use crate::load::report::LoadReport;
use crate::load::threshold::rate_text;
use crate::memory::text::{bytes, count, duration, percent, table};

/// Columns of an operation's name.
const NAME: usize = 18;
const PERCENTILES: [f64; 5] = [50.0, 90.0, 95.0, 99.0, 99.9];

/// The operations, and the total where there are several or none by itself.
fn parts(report: &LoadReport) -> impl Iterator<Item = &LoadReport> {
    let total = (report.operations.len() != 1).then_some(report);
    report.operations.iter().chain(total)
}

/// How many there were.
pub(super) fn counts(report: &LoadReport) -> String {
    let items = report.counts.items > 0;
    let moved = report.counts.bytes > 0;
    let mut head = ["operation", "count", "errors", "", "rate"].map(str::to_owned).to_vec();
    head.extend(items.then(|| "items".into()));
    head.extend(moved.then(|| "bytes".into()));
    let rows = parts(report).map(|part| {
        let (counts, all) = (&part.counts, part.count());
        let share = (all > 0).then(|| percent(counts.failed as f64 / all as f64));
        let mut row = vec![
            shortened(&part.name, NAME),
            count(all),
            count(counts.failed),
            share.unwrap_or_default(),
            format!("{}/s", rate_text(part.achieved_per_second())),
        ];
        row.extend(items.then(|| count(counts.items)));
        row.extend(moved.then(|| bytes(counts.bytes as f64)));
        row
    });
    table(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
}

/// What became of those that did not simply end.
pub(super) fn others(text: &mut String, report: &LoadReport) {
    let counts = report.counts();
    let numbers = [
        (counts.injected, "with an injected failure"),
        (counts.dropped, "dropped"),
        (counts.unfinished, "unfinished"),
    ];
    let there = numbers.iter().filter(|(number, _)| *number > 0);
    let told: Vec<_> = there.map(|(number, what)| format!("{} {what}", count(*number))).collect();
    if counts.timed_out > 0 {
        line(text, "", format!("{} of the errors at the time limit", count(counts.timed_out)));
    }
    if !told.is_empty() {
        line(text, "", format!("not in the count: {}", told.join(", ")));
    }
}

/// How long they took: response times of each operation, and what else there is of the total.
pub(super) fn times(report: &LoadReport) -> String {
    if [report.response(), &report.lag, &report.failed].iter().all(|latency| latency.count() == 0) {
        return String::new();
    }
    let head = ["time", "mean", "sd", "min", "p50", "p90", "p95", "p99", "p99.9", "max"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let name = if report.setup.closed { "service" } else { "response" };
    if report.operations.len() > 1 {
        rows.push(vec![name.into()]);
        rows.extend(
            parts(report).map(|part| row(&format!("  {}", shortened(&part.name, NAME - 2)), part.response())),
        );
    } else {
        rows.push(row(name, report.response()));
    }
    if !report.setup.closed {
        rows.push(row("service", report.service()));
        rows.push(row("lag", report.lag()));
    }
    if report.failed.count() > 0 {
        rows.push(row("failed", report.failed()));
    }
    table(&rows) + "\n"
}

fn row(name: &str, latency: &Latency) -> Vec<String> {
    let ends = [latency.mean(), latency.standard_deviation(), latency.min()];
    let percentiles = PERCENTILES.map(|percent| latency.percentile(percent));
    let times = ends.into_iter().chain(percentiles).chain([latency.max()]);
    // What was not measured is shown as that.
    let cells = times.map(|time| time.map_or_else(|| "–".into(), duration));
    std::iter::once(name.to_owned()).chain(cells).collect()
}
