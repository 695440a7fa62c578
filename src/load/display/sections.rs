//! What stands below the tables, each part only where there is something to tell.

use std::fmt::Write as _;
use std::time::Duration;

use super::{line, plural, shortened, wrapped};
use crate::load::figures::BurstFigures;
use crate::load::latency::Latency;
use crate::load::report::LoadReport;
use crate::memory::text::{count, duration, percent, table};

/// A poll that takes as long is hardly one by an operation that gives way.
const WORTH_TELLING: Duration = Duration::from_millis(10);
/// Most kinds of errors, and bursts, that are shown one by one.
const MOST: usize = 8;
/// Closures have no set-up, and some microseconds are measured of it all the same.
const LEAST_SET_UP: Duration = Duration::from_millis(1);
/// Columns of an error's text.
const TEXT: usize = 84;

pub(super) fn errors(text: &mut String, report: &LoadReport) {
    if report.errors.is_empty() {
        return;
    }
    text.push_str("errors\n");
    let shown = report.errors.iter().take(MOST);
    let numbers: Vec<_> = shown.clone().map(|error| count(error.count)).collect();
    let width = numbers.iter().map(String::len).max().unwrap_or(0);
    for (error, number) in shown.zip(&numbers) {
        let _ = writeln!(text, "  {number:>width$} × {}", shortened(&error.example, TEXT));
    }
    let rest = report.errors.iter().skip(MOST);
    let (kinds, more): (u64, u64) = rest.fold((0, 0), |(kinds, sum), error| (kinds + 1, sum + error.count));
    if kinds > 0 {
        let _ = writeln!(text, "  and {} more of {}", count(more), plural(kinds, "other kind"));
    }
}

/// The warm-up, and the first operation of all.
pub(super) fn start(text: &mut String, report: &LoadReport) {
    if let Some(warm_up) = &report.warm_up {
        let (planned, well, failed) =
            (duration(warm_up.planned), count(warm_up.succeeded), count(warm_up.failed));
        let times = some_times(&warm_up.response);
        line(
            text,
            "warm-up",
            format!("{planned}, in no other figure: {well} ended well, {failed} failed{times}"),
        );
    }
    if let Some(first) = report.first {
        line(text, "first", format!("{}, cold", duration(first)));
    }
    if let Some(held) = report.longest_poll.filter(|held| *held >= WORTH_TELLING) {
        line(text, "held", format!("an operation held its thread for {} at a time", duration(held)));
    }
}

/// `, p50 1.10 ms, p99 2.20 ms, max 3.00 ms`.
fn some_times(latency: &Latency) -> String {
    let times =
        [("p50", latency.percentile(50.0)), ("p99", latency.percentile(99.0)), ("max", latency.max())];
    let known = times.into_iter().filter_map(|(name, time)| Some(format!(", {name} {}", duration(time?))));
    known.collect()
}

/// Nothing where all are there from start to end, and had next to nothing to set up.
pub(super) fn workers(text: &mut String, report: &LoadReport) {
    let Some(workers) = &report.workers else { return };
    let changes = workers.joined + workers.left + workers.failed;
    if changes == 0 && workers.started == workers.asked && workers.set_up.max() < Some(LEAST_SET_UP) {
        return;
    }
    let mut told = format!("{} of {} set up", count(workers.started), count(workers.asked));
    for (number, what) in
        [(workers.failed, "could not be"), (workers.joined, "joined"), (workers.left, "left")]
    {
        if number > 0 {
            let _ = write!(told, ", {} {what}", count(number));
        }
    }
    line(text, "workers", told + &some_times(&workers.set_up));
}

pub(super) fn bursts(text: &mut String, report: &LoadReport) {
    let bursts = &report.bursts;
    if bursts.is_empty() {
        return;
    }
    let [size, succeeded] = [|burst: &BurstFigures| burst.size, |burst: &BurstFigures| burst.succeeded]
        .map(|of| bursts.iter().map(of).sum::<u64>());
    let open = bursts.iter().filter(|burst| burst.drained.is_none()).count();
    let slowest = bursts.iter().filter_map(|burst| burst.drained).max();
    let number = count(bursts.len() as u64);
    let mut told = format!("{number} with {} operations, {} served", count(size), share(succeeded, size));
    if let Some(slowest) = slowest {
        let _ = write!(told, ", drained in {} at most", duration(slowest));
    }
    if open > 0 {
        let _ = write!(told, ", {} not drained", count(open as u64));
    }
    line(text, "bursts", told);
    let head = ["at", "size", "served", "", "failed", "drained in"].map(str::to_owned).to_vec();
    text.push_str(&table(&std::iter::once(head).chain(chosen(bursts).map(burst)).collect::<Vec<_>>()));
    if bursts.len() > MOST {
        let _ = writeln!(text, "  the {MOST} slowest of {}", count(bursts.len() as u64));
    }
}

/// All of a few, and of many those that took longest, in order.
fn chosen(bursts: &[BurstFigures]) -> impl Iterator<Item = &BurstFigures> {
    let mut slow: Vec<_> = bursts.iter().collect();
    slow.sort_by_key(|burst| std::cmp::Reverse(burst.drained.unwrap_or(Duration::MAX)));
    slow.truncate(MOST);
    slow.sort_by_key(|burst| burst.at);
    slow.into_iter()
}

fn burst(burst: &BurstFigures) -> Vec<String> {
    vec![
        duration(burst.at),
        count(burst.size),
        count(burst.succeeded),
        share(burst.succeeded, burst.size),
        count(burst.failed),
        burst.drained.map_or_else(|| "not".into(), duration),
    ]
}

/// `100.0 %` only of all.
fn share(part: u64, whole: u64) -> String {
    let text = if whole == 0 { "–".into() } else { percent(part as f64 / whole as f64) };
    if part < whole && text == "100.0 %" { "< 100 %".into() } else { text }
}

/// Services and the verifier.
pub(super) fn messages(text: &mut String, report: &LoadReport) {
    for service in &report.services {
        block(text, &service.to_string());
    }
    if let Some(verification) = &report.verification {
        block(text, &verification.to_string());
    }
}

/// What was done to the system, and how it bore it.
pub(super) fn timeline(text: &mut String, report: &LoadReport) {
    for event in &report.events {
        let failed = event.error.as_ref().map_or(String::new(), |error| format!(", failed: {error}"));
        let (at, took) = (duration(event.at), duration(event.took));
        line(text, "event", format!("`{}` at {at}, took {took}{failed}", shortened(&event.name, 40)));
    }
    // Of a run in which nothing happened, the tables say it all.
    if !report.events.is_empty() && !report.timeline.windows().is_empty() {
        report.recoveries().iter().for_each(|recovery| block(text, &recovery.to_string()));
        block(text, &report.timeline.to_string());
    }
}

pub(super) fn machine(text: &mut String, report: &LoadReport) {
    if let Some(machine) = &report.machine {
        block(text, &machine.text(Some(report.count())));
    }
    if let Some(memory) = &report.memory {
        block(text, &memory.to_string());
    }
}

/// What another type says of itself, on lines of its own.
fn block(text: &mut String, block: &str) {
    let block = block.trim_end();
    if !block.is_empty() {
        text.push_str(block);
        text.push('\n');
    }
}

/// Whether the figures can be believed, and what the thresholds say. Of the whole run alone.
pub(super) fn verdict(text: &mut String, report: &LoadReport) {
    if report.workers.is_none() {
        return;
    }
    for (place, told) in report.validity.to_string().lines().enumerate() {
        wrapped(text, if place == 0 { "validity   " } else { "           " }, told.trim_start());
    }
    for result in &report.thresholds {
        line(text, "threshold", format!("{}  {}: {}", result.verdict, result.threshold, result.why));
    }
    line(text, "outcome", report.outcome());
}
