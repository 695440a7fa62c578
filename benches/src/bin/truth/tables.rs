//! Errors, budgets, and the comparison with dhat.

use std::fmt;

use isolated_nats_benches::Error;
use isolated_nats_benches::stats::median;
use isolated_nats_benches::table::Table;
use isolated_nats_benches::truth::NoParts;
use isolated_nats_benches::truth::exact::{Counted, PROGRAMS};
use isolated_nats_benches::truth::workloads::{Expected, Meter, Reading, cases};

use crate::meters::{self, LiveAndPeak, Readings};

/// The median errors that the crate promises, in percent.
const LIVE_BUDGET: f64 = 0.1;
const PEAK_BUDGET: f64 = 0.5;

pub(crate) const NOTES: &str = "\
Errors are in % of the known bytes, without their sign: median / max over the rounds of a workload; `all`, over all readings.
isolated-nats: MemoryProbe, after `settle_blocking`. stats_alloc: Region, of the whole process; it has no peak.
allocation-counter: measure(), of the calling thread alone.
";

/// Names the workloads; it measures nothing.
struct Names;

impl Meter for Names {
    type Running = NoParts;

    fn measure<T>(&self, _: impl FnOnce(&NoParts) -> T) -> Reading {
        Reading { live: 0, peak: None, part: None }
    }
}

fn known() -> Vec<(&'static str, Expected)> {
    cases::<Names>().into_iter().map(|case| (case.name, case.expected)).collect()
}

/// The errors of one meter at some workloads, in percent.
struct Errors {
    live: Vec<f64>,
    peak: Vec<f64>,
}

impl Errors {
    fn of<'a>(cases: impl Iterator<Item = (&'a Vec<LiveAndPeak>, Expected)>) -> Self {
        let (mut lives, mut peaks) = (Vec::new(), Vec::new());
        for (readings, right) in cases {
            for &(live, peak) in readings {
                lives.push(percent(live, right.live));
                peaks.extend(peak.map(|peak| percent(peak, right.peak)));
            }
        }
        Self { live: lives, peak: peaks }
    }

    fn all(readings: &Readings) -> Self {
        Self::of(readings.of_cases.iter().zip(known()).map(|(readings, (_, right))| (readings, right)))
    }

    fn cells(&self) -> [String; 2] {
        [&self.live, &self.peak].map(|errors| cell(errors))
    }
}

fn percent(read: i64, right: i64) -> f64 {
    (read - right).abs() as f64 / right as f64 * 100.0
}

fn cell(errors: &[f64]) -> String {
    match (median(errors), errors.iter().copied().reduce(f64::max)) {
        (Some(median), Some(most)) => format!("{} / {}", number(median), number(most)),
        _ => "none".to_owned(),
    }
}

fn number(percent: f64) -> String {
    if percent == 0.0 {
        "0".to_owned()
    } else if percent < 10.0 {
        format!("{percent:.3}")
    } else {
        format!("{percent:.0}")
    }
}

/// The errors of all meters at each workload.
pub(crate) fn errors(at_a_time: usize, readings: &[Readings]) -> Table {
    let names =
        readings.iter().flat_map(|meter| ["live", "peak"].map(|what| format!("{} {what}", meter.name)));
    let header: Vec<String> =
        ["workload", "KiB live", "KiB peak"].map(str::to_owned).into_iter().chain(names).collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let mut table = Table::new(&format!("errors in %, {at_a_time} at a time: median / max"), &header);
    for (place, (name, right)) in known().into_iter().enumerate() {
        let mut row = vec![name.to_owned(), (right.live >> 10).to_string(), (right.peak >> 10).to_string()];
        for meter in readings {
            row.extend(
                Errors::of(meter.of_cases.get(place).map(|readings| (readings, right)).into_iter()).cells(),
            );
        }
        table.row(row);
    }
    let mut row = vec!["all".to_owned(), String::new(), String::new()];
    row.extend(readings.iter().flat_map(|meter| Errors::all(meter).cells()));
    table.row(row);
    table
}

/// A promise, and what became of it.
#[derive(Debug)]
pub(crate) struct Budget {
    text: String,
    pub(crate) kept: bool,
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.text, if self.kept { "pass" } else { "FAIL" })
    }
}

/// The budgets of the crate, which is the first of the meters.
pub(crate) fn budgets(at_a_time: usize, readings: &[Readings]) -> Vec<Budget> {
    let Some(ours) = readings.first().map(Errors::all) else { return Vec::new() };
    let budget = |what: &str, errors: &[f64], limit: f64| {
        let found = median(errors);
        let text = format!(
            "budget, {at_a_time} at a time: median error of the {what} {} %, at most {limit} %",
            found.map_or_else(|| "not measured".to_owned(), number)
        );
        Budget { text, kept: found.is_some_and(|found| found <= limit) }
    };
    vec![budget("live bytes", &ours.live, LIVE_BUDGET), budget("peak", &ours.peak, PEAK_BUDGET)]
}

/// The counters of this crate and of dhat, and whether they are equal.
pub(crate) fn beside_dhat() -> Result<(Table, bool), Error> {
    let header = ["program", "counter", "isolated-nats", "dhat", "difference"];
    let mut table = Table::new("beside dhat, in a process of its own", &header);
    let mut equal = true;
    for (program, _) in PROGRAMS {
        let (ours, dhat) = meters::count(program)?;
        equal &= ours == dhat;
        for ((name, ours), dhat) in Counted::NAMES.iter().zip(ours.figures()).zip(dhat.figures()) {
            let difference = i128::from(ours) - i128::from(dhat);
            table.row(vec![
                program.to_owned(),
                (*name).to_owned(),
                ours.to_string(),
                dhat.to_string(),
                difference.to_string(),
            ]);
        }
    }
    Ok((table, equal))
}
