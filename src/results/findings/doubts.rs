//! Why figures cannot be believed, or not compared, and rounds far from the others.

use std::collections::BTreeSet;

use super::changes::listed;
use super::{Finding, FindingKind, Severity};
use crate::results::comparison::{Comparison, ComparisonKind};
use crate::results::document::Results;
use crate::results::fingerprint::Fingerprint;
use crate::results::metric::Metric;
use crate::results::record::Record;
use crate::results::stats;

/// So many metrics, and so many rounds of each, are named.
const NAMED: usize = 4;

pub(super) fn find(results: &Results) -> Vec<Finding> {
    let warnings = results.comparisons.iter().flat_map(|comparison| {
        comparison.warnings.iter().map(|warning| doubt(Severity::Warn, &comparison.candidate, warning))
    });
    let records = &results.records;
    let of_sweep = results.sweep.iter().map(|sweep| &sweep.fingerprint);
    let machines = records.iter().map(|record| &record.fingerprint).chain(of_sweep).flat_map(machine);
    let invalid = records.iter().flat_map(invalid);
    let quick = records.iter().filter(|record| record.quick).map(|record| {
        let text = "it was a quick run, whose figures are few (unset ISOLATED_NATS_QUICK for a baseline)";
        doubt(Severity::Note, record.title(), text)
    });
    // A comparison that warns of it has said so.
    let is_open = |comparison: &Comparison| {
        let is_told = comparison.warnings.iter().any(|warning| warning.contains("ratios to a control"));
        comparison.kind == ComparisonKind::Saved && !is_told
    };
    let is_open = results.comparisons.iter().any(is_open);
    let no_control = records.iter().filter(|record| is_open && record.control.is_none()).map(|record| {
        let text = "no control ran in turn with it, so that a slower machine looks like slower code";
        doubt(Severity::Note, record.title(), text)
    });
    let outliers = records.iter().filter_map(outliers);
    let doubts = invalid.chain(warnings).chain(machines).chain(quick).chain(no_control);
    together(doubts).into_iter().chain(outliers).collect()
}

/// What is to be said of several subjects in the same words is said once.
fn together(doubts: impl Iterator<Item = Finding>) -> Vec<Finding> {
    let mut by_text: Vec<(Finding, Vec<String>)> = Vec::new();
    for doubt in doubts {
        let is_same = |known: &Finding| known.text == doubt.text && known.severity == doubt.severity;
        match by_text.iter_mut().find(|(known, _)| is_same(known)) {
            Some((_, subjects)) if subjects.contains(&doubt.subject) => {}
            Some((_, subjects)) => subjects.push(doubt.subject),
            None => by_text.push((doubt.clone(), vec![doubt.subject])),
        }
    }
    by_text.into_iter().map(|(doubt, subjects)| Finding { subject: listed(&subjects), ..doubt }).collect()
}

fn doubt(severity: Severity, subject: &str, text: &str) -> Finding {
    Finding::new(FindingKind::Validity, severity, subject, text)
}

/// What of the machine and the build spoils figures.
fn machine(fingerprint: &Fingerprint) -> Vec<Finding> {
    let warn = |text: String| doubt(Severity::Warn, "machine", &text);
    let mut found = Vec::new();
    if let (Some(load), Some(cores)) = (fingerprint.load_average, fingerprint.cores)
        && load > cores as f64
    {
        found.push(warn(format!(
            "the machine was busy before the first round: a load average of {load:.2} on {cores} processors"
        )));
    }
    if fingerprint.governor.as_deref() == Some("powersave") {
        found.push(warn("the frequency governor is `powersave`, by which figures drift".into()));
    }
    if fingerprint.profile.as_deref().is_some_and(|profile| profile.starts_with("debug")) {
        found.push(warn("the build is not optimized, so that its figures are not those of a release".into()));
    }
    found
}

/// Rounds that cannot be believed: those of one reason are one finding.
fn invalid(record: &Record) -> Vec<Finding> {
    let mut by_reason: Vec<(&str, Vec<usize>)> = Vec::new();
    for (round, reason) in &record.invalid {
        match by_reason.iter_mut().find(|(known, _)| known == reason) {
            Some((_, rounds)) => rounds.push(*round),
            None => by_reason.push((reason, vec![*round])),
        }
    }
    let invalid: BTreeSet<_> = record.invalid.iter().map(|(round, _)| round).collect();
    let severity = if invalid.len() >= record.rounds { Severity::Unknown } else { Severity::Warn };
    let told = |(reason, rounds): (&str, Vec<usize>)| {
        let s = if rounds.len() == 1 { "" } else { "s" };
        let numbers: Vec<_> = rounds.iter().map(|round| (round + 1).to_string()).collect();
        let text = format!("round{s} {} of {} cannot be believed: {reason}", listed(&numbers), record.rounds);
        doubt(severity, record.title(), &text)
    };
    by_reason.into_iter().map(told).collect()
}

/// Rounds far from the others: those of one record are one finding.
fn outliers(record: &Record) -> Option<Finding> {
    let mut rounds = BTreeSet::new();
    let mut metrics = Vec::new();
    for metric in &record.metrics {
        let measured: Vec<_> =
            metric.samples.iter().enumerate().filter_map(|(round, value)| Some((round, (*value)?))).collect();
        let far: Vec<_> = stats::outliers(&metric.values()).into_iter().map(|at| measured[at]).collect();
        if far.is_empty() {
            continue;
        }
        rounds.extend(far.iter().map(|(round, _)| *round));
        metrics.push((metric, far));
    }
    let only = rounds.len() == 1;
    let mut told: Vec<_> = metrics.iter().filter_map(|(metric, far)| one_metric(metric, far, only)).collect();
    let more = told.len().saturating_sub(NAMED);
    told.truncate(NAMED);
    told.extend((more > 0).then(|| format!("{more} more")));
    let numbers: Vec<_> = rounds.iter().map(|round| (round + 1).to_string()).collect();
    let (s, are) = if only { ("", "is") } else { ("s", "are") };
    let (numbers, of) = (listed(&numbers), record.rounds);
    let text = format!("round{s} {numbers} of {of} {are} far from the others: {}", listed(&told));
    (!rounds.is_empty()).then(|| Finding::new(FindingKind::Outlier, Severity::Note, record.title(), text))
}

/// `p99 9.44 µs in round 3 (median 7.34 µs)`.
fn one_metric(metric: &Metric, far: &[(usize, f64)], only: bool) -> Option<String> {
    let value = |(round, value): &(usize, f64)| match only {
        true => metric.text(*value),
        false => format!("{} in round {}", metric.text(*value), round + 1),
    };
    let mut values: Vec<_> = far.iter().take(NAMED).map(value).collect();
    values.extend((far.len() > NAMED).then(|| format!("{} more", far.len() - NAMED)));
    Some(format!("{} {} (median {})", metric.name, listed(&values), metric.text(metric.median()?)))
}
