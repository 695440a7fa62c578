//! A trend as text.

use std::fmt;

use super::super::comparison::Basis;
use super::{MetricTrend, Trend, TrendRun};
use crate::memory::text;

/// How many metrics a table has beside time and commit.
const COLUMNS: usize = 5;
const ABSENT: &str = "-";
const LEGEND: &str = "  earlier: the median of the runs before the latest; sigma: how many deviations of these the latest is from it, with 8 of \
    them or more\n  per run: the change from one run to the next, over all runs (Theil-Sen, with its interval), with 6 runs or more\n  worse, \
    better: by more than 5 % and 3 sigma, beyond each of 8 earlier runs or more; what is less is no news\n";
const OF_CONTROL: &str = "  x control: the ratio to the control of the same run, which is what is followed; in brackets, as it was measured\n";

impl fmt::Display for Trend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let runs = if self.runs.len() == 1 { "run" } else { "runs" };
        write!(f, "trend of `{}`: {} {runs}, the oldest first", self.scenario, self.runs.len())?;
        let left_out = [(self.quick, "quick"), (self.other_configuration, "of another configuration")];
        let left_out: Vec<String> = left_out
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        if !left_out.is_empty() {
            write!(f, "; left out: {}", left_out.join(", "))?;
        }
        writeln!(f)?;
        for metrics in self.metrics.chunks(COLUMNS) {
            write!(f, "{}", text::table(&rows(&self.runs, metrics)))?;
        }
        let others = self.runs.iter().filter(|run| !run.differences.is_empty()).count();
        if others > 0 {
            writeln!(f, "  * {others} of another machine, build or runtime than the latest")?;
        }
        if self.runs.len() > 1 {
            write!(f, "{}", text::table(&changes(&self.metrics)))?;
            f.write_str(LEGEND)?;
            if self.metrics.iter().any(|metric| metric.basis == Basis::Control) {
                f.write_str(OF_CONTROL)?;
            }
        }
        Ok(())
    }
}

fn rows(runs: &[TrendRun], metrics: &[MetricTrend]) -> Vec<Vec<String>> {
    let mut head = vec!["time".to_owned(), "commit".to_owned()];
    head.extend(metrics.iter().map(title));
    let mut rows = vec![head];
    for (place, run) in runs.iter().enumerate() {
        let mark = if run.differences.is_empty() { "" } else { " *" };
        let mut row = vec![format!("{}{mark}", run.taken), commit(run)];
        row.extend(metrics.iter().map(|metric| value(metric, metric.medians.get(place).copied().flatten())));
        rows.push(row);
    }
    rows
}

/// A `+` for changes that are in no commit.
fn commit(run: &TrendRun) -> String {
    let changed = if run.changed == Some(true) { "+" } else { "" };
    run.commit.as_ref().map_or_else(|| ABSENT.into(), |commit| format!("{commit}{changed}"))
}

fn title(metric: &MetricTrend) -> String {
    metric.side.as_ref().map_or_else(|| metric.name.clone(), |side| format!("{} of {side}", metric.name))
}

fn value(metric: &MetricTrend, value: Option<f64>) -> String {
    match (value, metric.basis) {
        (None, _) => ABSENT.into(),
        (Some(value), Basis::Control) => format!("{value:.3} x control"),
        (Some(value), _) => metric.unit.text(value),
    }
}

/// `0.582 x control (3.69 ms)`.
fn with_plain(metric: &MetricTrend, shown: Option<f64>, plain: Option<f64>) -> String {
    let plain = plain.map_or_else(String::new, |plain| format!(" ({})", metric.unit.text(plain)));
    format!("{}{plain}", value(metric, shown))
}

fn changes(metrics: &[MetricTrend]) -> Vec<Vec<String>> {
    let mut rows = vec![
        ["latest against earlier", "earlier", "latest", "change", "sigma", "per run"]
            .map(str::to_owned)
            .to_vec(),
    ];
    let percent = |share: f64| format!("{:+.1} %", share * 100.0);
    for metric in metrics {
        let arrow = match (metric.worse(), metric.change) {
            (Some(_), Some(change)) => {
                if change > 0.0 {
                    "↑ "
                } else {
                    "↓ "
                }
            }
            _ => "",
        };
        let judged = metric.worse().map_or("", |worse| if worse { " worse" } else { " better" });
        let absent = || ABSENT.to_owned();
        let per_run = metric.slope.map(|slope| {
            format!("{} ({} to {})", percent(slope.value), percent(slope.low), percent(slope.high))
        });
        rows.push(vec![
            title(metric),
            with_plain(metric, metric.earlier, metric.plain_earlier),
            with_plain(metric, metric.latest, metric.plain_latest),
            metric.change.map_or_else(absent, |change| format!("{arrow}{}{judged}", percent(change))),
            metric.sigmas.map_or_else(absent, |sigmas| format!("{sigmas:+.1}")),
            per_run.unwrap_or_else(absent),
        ]);
    }
    rows
}
