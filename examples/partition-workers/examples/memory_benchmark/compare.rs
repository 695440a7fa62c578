//! Saved runs, and comparisons with them.

use std::fs;
use std::path::{Path, PathBuf};

use isolated_nats::results::{Baseline, Comparison, MetricComparison, Record, Results, Rules, Verdict};

use super::cell::Cell;
use super::records::{SCENARIO, judged};
use super::table::Table;

/// How often a run without any change may be told apart by chance, over all its cells and figures together.
const ALPHA: f64 = 0.05;
/// Fewer repeats are inconclusive.
const LEAST_REPEATS: usize = 5;

/// A run that was saved.
#[derive(Debug)]
pub(crate) struct Saved {
    name: String,
    results: Results,
}

/// A comparison of a cell, or why there is none.
pub(crate) type Compared = (Cell, Result<Comparison, String>);

impl Saved {
    /// Reads a run by its name, or from a file that `--save` or `--report-file` wrote.
    ///
    /// # Errors
    ///
    /// That there is none, or that it cannot be read.
    pub(crate) fn load(name: &str) -> Result<Self, String> {
        let path = if Path::new(name).is_file() { PathBuf::from(name) } else { file(name)? };
        let text = fs::read_to_string(&path).map_err(|error| {
            format!("`{}` cannot be read: {error}; it is what `--save {name}` writes", path.display())
        })?;
        // A report has the results within.
        let report: Option<serde_json::Value> = serde_json::from_str(&text).ok();
        let within = report.as_ref().and_then(|report| report.get("results")).map(ToString::to_string);
        if !is_ours(within.as_deref().unwrap_or(&text)) {
            return Err(format!("`{}` is not a run of this benchmark", path.display()));
        }
        let results = Results::from_json(within.as_deref().unwrap_or(&text));
        let results = results.map_err(|error| format!("`{}`: {error:?}", path.display()))?;
        Ok(Self { name: name.into(), results })
    }

    /// Compares each cell with that of the saved run.
    pub(crate) fn compare(&self, records: &[(Cell, Record)]) -> Vec<Compared> {
        let rules = Rules::saved().alpha(ALPHA / number(records.len())).least_rounds(LEAST_REPEATS);
        let rules = judged().into_iter().fold(rules, |rules, (name, limits)| rules.limit(name, limits));
        let compare = |(cell, record): &(Cell, Record)| {
            let title = cell.to_string();
            let of_cell = self.results.records.iter().filter(|record| record.title() == title);
            let runs = of_cell.map(only_judged).collect();
            let baseline = Baseline::new(&file_name(&self.name), runs).map_err(|error| error.to_string());
            let comparison = baseline.and_then(|baseline| {
                baseline.compare_by(&only_judged(record), rules.clone()).map_err(|error| error.to_string())
            });
            (*cell, comparison)
        };
        records.iter().map(compare).collect()
    }
}

/// Checks that a run can be saved under this name, before it is measured.
///
/// # Errors
///
/// That it is no name, or the file is another's, such as the baseline of a test.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    let path = file(name)?;
    match fs::read_to_string(&path) {
        Ok(text) if !is_ours(&text) => Err(format!(
            "`{}` is not a run of this benchmark, and is kept (give --save another name)",
            path.display()
        )),
        _ => Ok(()),
    }
}

fn is_ours(text: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(text).is_ok_and(|run| run["title"] == SCENARIO)
}

/// Keeps the run for later ones to be compared with; returns where.
///
/// # Errors
///
/// That it cannot be written, or is none to compare with.
pub(crate) fn save(name: &str, records: &[(Cell, Record)]) -> Result<PathBuf, String> {
    let path = file(name)?;
    for (_, record) in records {
        Baseline::new(name, vec![record.clone()]).map_err(|error| error.to_string())?;
    }
    let slim = |(_, record): &(Cell, Record)| {
        let mut record = record.clone();
        (record.memory, record.load) = (None, None);
        record
    };
    let results = Results::new(SCENARIO, records.iter().map(slim).collect(), Vec::new());
    write(&path, &results.json())?;
    Ok(path)
}

/// Writes a file whole or not at all, and its directory if need be.
///
/// # Errors
///
/// That it cannot be written.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), String> {
    let failed = |error| format!("`{}` cannot be written: {error}", path.display());
    let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
    directory.map_or(Ok(()), fs::create_dir_all).map_err(failed)?;
    let unfinished = path.with_extension("unfinished");
    fs::write(&unfinished, text).and_then(|()| fs::rename(&unfinished, path)).map_err(failed)
}

/// Beside the tests' baselines, which cargo says where they are.
fn file(name: &str) -> Result<PathBuf, String> {
    let is_plain = |char: char| char.is_ascii_alphanumeric() || "-_.".contains(char);
    if name.is_empty() || name.starts_with('.') || !name.chars().all(is_plain) {
        return Err(format!("`{name}` is neither a file nor a name (letters, digits, `-`, `_` and `.`)"));
    }
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    let directory = std::env::var_os("ISOLATED_NATS_BASELINES").filter(|value| !value.is_empty());
    Ok(package.join(directory.unwrap_or_else(|| "baselines".into())).join(format!("{name}.json")))
}

/// A path's last part: a baseline's name has no separators.
fn file_name(name: &str) -> String {
    Path::new(name).file_name().map_or_else(|| name.into(), |name| name.to_string_lossy().into_owned())
}

/// The record with what is compared of it.
fn only_judged(record: &Record) -> Record {
    let judged = judged();
    let mut record = record.clone();
    record.metrics.retain(|metric| judged.contains_key(&metric.name));
    record
}

#[expect(clippy::cast_precision_loss, reason = "cells are few")]
fn number(count: usize) -> f64 {
    count.max(1) as f64
}

pub(crate) fn table(name: &str, compared: &[Compared]) -> Table {
    let mut table =
        Table::new(&format!("Compared with `{name}`"), &["cell", "figure", "was", "is", "change", "verdict"]);
    for (cell, comparison) in compared {
        match comparison {
            Ok(comparison) => {
                table.rows.extend(comparison.metrics.iter().map(|metric| row(*cell, metric)));
                if comparison.verdict != Verdict::Same {
                    table.notes.push(format!("{cell}: {}", comparison.reason));
                }
                table
                    .notes
                    .extend(comparison.warnings.iter().map(|warning| format!("{cell}: beware: {warning}")));
            }
            Err(why) => table.notes.push(format!("{cell}: {why}")),
        }
    }
    table.notes.dedup();
    table
}

fn row(cell: Cell, metric: &MetricComparison) -> Vec<String> {
    let value = |value: Option<f64>| value.map_or_else(|| "-".into(), |value| metric.unit.text(value));
    let change =
        metric.ratio.map_or_else(|| "-".into(), |ratio| format!("{:+.1} %", (ratio.value - 1.0) * 100.0));
    let verdict = format!("{:?}", metric.verdict).to_lowercase();
    vec![
        cell.to_string(),
        metric.name.clone(),
        value(metric.base.median),
        value(metric.candidate.median),
        change,
        verdict,
    ]
}

/// What all comparisons come to: `None` without any.
pub(crate) fn verdict(compared: &[Compared]) -> Option<Verdict> {
    let verdicts = compared.iter().map(|(_, comparison)| match comparison {
        Ok(comparison) => comparison.verdict,
        Err(_) => Verdict::Inconclusive,
    });
    let rank = |verdict: &Verdict| match verdict {
        Verdict::Regressed => 3,
        Verdict::Inconclusive => 2,
        Verdict::Improved => 1,
        _ => 0,
    };
    verdicts.max_by_key(rank)
}

#[cfg(test)]
mod tests;
