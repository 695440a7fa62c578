//! A sweep: levels, thresholds, model, plot, degradation.

use super::super::model::{Item, Row, Section, Table, Tone};
use super::super::{plot, words};
use crate::results::sweep::{Level, SweepReport};

/// What is in the first table; the others are in the next ones.
const FIRST: [&str; 5] = ["throughput", "p50", "p99", "errors", "dropped"];
/// Metrics in one table, so that it fits a page.
const COLUMNS: usize = 6;

pub(in super::super) fn sweep(title: &str, sweep: &SweepReport) -> Section {
    let mut section = Section::new(format!("Sweep over {}", words::axis(&sweep.axis)));
    section.items(upshot(sweep));
    section.table(first_table(sweep));
    let names = other_metrics(sweep);
    for names in names.chunks(COLUMNS) {
        section.table(metrics_table(sweep, names).explained());
    }
    section.plots(plot::levels(title, sweep));
    section.table(degradation(sweep));
    section.items(sweep.notes.iter().map(|note| Item::marked("note", Tone::Plain, note)).collect());
    section
}

/// What is not among the findings, which have the limit, the knee and the bottlenecks.
fn upshot(sweep: &SweepReport) -> Vec<Item> {
    let well = sweep.thresholds.join(", ");
    let well = (!well.is_empty()).then(|| Item::marked("well is", Tone::Plain, well));
    let model = sweep.law.as_ref().map(|law| Item::marked("model", Tone::Plain, law.to_string()));
    well.into_iter().chain(model).collect()
}

fn first_table(sweep: &SweepReport) -> Table {
    let scales = sweep.levels.iter().any(|level| level.scalability.is_some());
    let titles = ["level"].into_iter().chain(FIRST).chain(scales.then_some("scaling"));
    let mut table = Table::new(titles);
    for level in &sweep.levels {
        let mut cells = cells(sweep, level, &FIRST.map(String::from));
        if scales {
            cells.push(level.scalability.map_or_else(|| words::ABSENT.into(), words::ratio));
        }
        let note = (!level.problems.is_empty()).then(|| level.problems.join("; "));
        let tone = if note.is_some() { Tone::Bad } else { Tone::Good };
        table.rows.push(Row { cells, note, tone });
    }
    let mut table = table.explained();
    let absent = table.legend.take().map(|legend| format!("; {legend}")).unwrap_or_default();
    let scaling = if scales { "; scaling: throughput per level, over that of the first" } else { "" };
    table.legend = Some(format!("medians of the windows{scaling}{absent}"));
    table
}

fn metrics_table(sweep: &SweepReport, names: &[String]) -> Table {
    let mut table = Table::new(["level"].into_iter().chain(names.iter().map(String::as_str)));
    for level in &sweep.levels {
        table.row(cells(sweep, level, names));
    }
    table
}

fn cells(sweep: &SweepReport, level: &Level, names: &[String]) -> Vec<String> {
    let figure = |name: &String| {
        let metric = level.metrics.iter().find(|metric| metric.name == *name);
        metric.and_then(|metric| Some(metric.text(metric.median()?))).unwrap_or_else(|| words::ABSENT.into())
    };
    [words::level(&sweep.unit, level.level)].into_iter().chain(names.iter().map(figure)).collect()
}

/// Metrics of any level, but for those of the first table, in the order in which they first appear.
fn other_metrics(sweep: &SweepReport) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for metric in sweep.levels.iter().flat_map(|level| &level.metrics) {
        if !FIRST.contains(&metric.name.as_str()) && !names.contains(&metric.name) {
            names.push(metric.name.clone());
        }
    }
    names
}

fn degradation(sweep: &SweepReport) -> Table {
    let mut table = Table::new(["gets worse", "from level", "stable", "worst", "at level", "times"]);
    for worse in &sweep.degradation {
        let times = (worse.stable > 0.0).then(|| words::ratio(worse.worst / worse.stable));
        table.row(vec![
            worse.metric.clone(),
            words::level(&sweep.unit, worse.from),
            worse.unit.text(worse.stable),
            worse.unit.text(worse.worst),
            words::level(&sweep.unit, worse.worst_at),
            times.unwrap_or_else(|| words::ABSENT.into()),
        ]);
    }
    let zero = sweep.degradation.iter().any(|worse| worse.stable <= 0.0);
    let zero = if zero { "; -: no ratio to zero" } else { "" };
    table.legend = Some(format!("stable: at the first stable level{zero}"));
    table
}
