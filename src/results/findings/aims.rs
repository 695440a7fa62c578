//! Targets and thresholds, met or missed.

use super::{Finding, FindingKind, Severity};
use crate::load::{LoadOutcome, LoadReport, ThresholdVerdict};
use crate::results::document::Results;
use crate::results::record::Record;

pub(super) fn find(results: &Results) -> impl Iterator<Item = Finding> + '_ {
    results.records.iter().flat_map(|record| targets(record).chain(of_load(record)))
}

fn targets(record: &Record) -> impl Iterator<Item = Finding> + '_ {
    record.targets.iter().map(|target| {
        // A target that cannot be judged is a mistake in the test, which must not pass for that.
        let (severity, text) = match target.judge(record) {
            Ok(result) => (result.verdict, result.text),
            Err(error) => (Severity::Fail, error.to_string()),
        };
        Finding::new(FindingKind::Target, severity, of(record, &target.metric), text)
    })
}

fn of_load(record: &Record) -> impl Iterator<Item = Finding> + '_ {
    let found = |load: &LoadReport| {
        let mut found = thresholds(record, load);
        // An event or a service failed, or nothing ended: no threshold says so.
        let is_told = found.iter().any(|finding| finding.severity == Severity::Fail);
        if let (LoadOutcome::Failed, false, Err(error)) = (load.outcome(), is_told, load.check()) {
            let text = format!("the last round failed: {error}");
            found.push(Finding::new(FindingKind::Target, Severity::Fail, record.title(), text));
        }
        found
    };
    record.load.iter().flat_map(found)
}

fn thresholds(record: &Record, load: &LoadReport) -> Vec<Finding> {
    let is_excused = load.outcome() == LoadOutcome::Inconclusive;
    let found = |result: &crate::load::ThresholdResult| {
        let severity = match result.verdict {
            ThresholdVerdict::Passed => return None,
            ThresholdVerdict::Warned => Severity::Warn,
            // The run was disturbed, or not what was asked for, and that can be why.
            ThresholdVerdict::Failed if is_excused => Severity::Unknown,
            ThresholdVerdict::Failed => Severity::Fail,
        };
        let text = format!("threshold {result} (in the last round)");
        Some(Finding::new(FindingKind::Target, severity, of(record, &result.threshold), text))
    };
    load.thresholds().iter().filter_map(found).collect()
}

/// The side, where there is one; else the metric, or the threshold.
fn of(record: &Record, what: &str) -> String {
    record.side.clone().unwrap_or_else(|| what.to_owned())
}
