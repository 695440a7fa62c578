//! What it comes to, targets, and what stands out.

use std::collections::BTreeSet;

use super::super::model::{Block, Item, Row, Section, Table, Tone};
use super::super::words;
use crate::load::{LoadOutcome, ThresholdVerdict};
use crate::results::document::{Outcome, Results};
use crate::results::findings::{Finding, FindingKind, Severity};
use crate::results::record::Record;
use crate::results::sweep::{Level, SweepReport};
use crate::results::target::{Target, TargetResult};

pub(in super::super) fn head(results: &Results, outcome: Outcome) -> Section {
    let mut section = Section::default();
    section.say(format!("Outcome: {}", words::outcome(outcome)));
    let advice = results.comparisons.iter().filter_map(|comparison| comparison.recommendation.as_ref());
    let advice = advice.map(|text| Item::marked("recommendation", Tone::Plain, text));
    section.items(advice.collect());
    if let Some(first) = results.records.first() {
        let sides: Vec<_> = results.records.iter().map(Record::title).collect();
        let rounds = words::plural(first.rounds, "round");
        section.say(format!("{}: {rounds}, begun {}", sides.join(", "), first.taken));
    }
    section.blocks.extend(results.sweep.iter().map(|sweep| Block::Paragraph(of_sweep(sweep))));
    section
}

/// `6 levels of concurrency, 1 to 32, begun 2026-11-21T17:32:10Z`.
fn of_sweep(sweep: &SweepReport) -> String {
    let level = |level: Option<&Level>| level.map(|level| words::level(&sweep.unit, level.level));
    let levels = words::plural(sweep.levels.len(), "level");
    let range = match (level(sweep.levels.first()), level(sweep.levels.last())) {
        (Some(first), Some(last)) if first != last => format!(", {first} to {last}"),
        (Some(only), _) => format!(", {only}"),
        _ => String::new(),
    };
    let begun = sweep.taken.map(|taken| format!(", begun {taken}")).unwrap_or_default();
    format!("{levels} of {}{range}{begun}", words::axis(&sweep.axis))
}

pub(in super::super) fn summary(results: &Results) -> Section {
    let mut section = Section::new("Findings");
    let mut table = Table::new(["target", "wanted", "measured", "margin", "<verdict"]);
    let named = results.records.len() > 1;
    for record in &results.records {
        table.rows.extend(record.targets.iter().map(|target| target_row(record, target, named)));
        table.rows.extend(threshold_rows(record, named));
    }
    let told = !table.rows.is_empty();
    section.table(table.explained());
    let judged = results
        .records
        .iter()
        .flat_map(|record| record.targets.iter().filter_map(|target| Some(target.judge(record).ok()?.text)));
    let judged: BTreeSet<_> = judged.collect();
    // What the table has of targets, and advice, have been said.
    let is_said = |finding: &&Finding| match finding.kind {
        FindingKind::Target => told && (finding.severity == Severity::Good || judged.contains(&finding.text)),
        FindingKind::Recommendation => true,
        _ => false,
    };
    let left = results.findings.iter().filter(|finding| !is_said(finding));
    section.items(left.map(finding).collect());
    if section.blocks.is_empty() {
        section.say("Nothing stands out.");
    }
    section
}

fn finding(finding: &Finding) -> Item {
    let (mark, tone) = words::severity(finding.severity);
    let about = if finding.subject.is_empty() || finding.text.contains(&finding.subject) {
        String::new()
    } else {
        format!("{}: ", finding.subject)
    };
    let impact = finding.impact.as_ref().map(|impact| format!(" ({impact})")).unwrap_or_default();
    Item::marked(mark, tone, format!("{about}{}{impact}", finding.text))
}

fn target_row(record: &Record, target: &Target, named: bool) -> Row {
    let metric = record.metric(&target.metric);
    let text = |value| metric.map_or_else(|| format!("{value}"), |metric| metric.text(value));
    let sign = if target.at_least { ">=" } else { "<=" };
    let (measured, verdict, tone) = match target.judge(record) {
        // There is no such metric, or the target makes no sense: the findings say which.
        Err(_) => (None, "not judged", Tone::Bad),
        Ok(TargetResult { measured, verdict, miss, .. }) => {
            let (word, tone) = match verdict {
                Severity::Unknown if metric.is_some_and(|metric| metric.median().is_some()) => {
                    ("unknown", Tone::Warn) // no round can be believed
                }
                Severity::Unknown => ("not measured", Tone::Warn),
                Severity::Good | Severity::Note if miss > Some(0.0) => ("nearly met", Tone::Good),
                Severity::Good | Severity::Note => ("met", Tone::Good),
                Severity::Fail | Severity::Warn => words::severity(verdict),
            };
            (measured, word, tone)
        }
    };
    let cells = vec![
        with_side(record, &target.metric, named),
        format!("{sign} {}", text(target.value)),
        measured.map_or_else(|| words::ABSENT.into(), text),
        measured.and_then(|measured| margin(target, measured)).unwrap_or_else(|| words::ABSENT.into()),
        verdict.into(),
    ];
    Row { cells, note: None, tone }
}

/// What there is to spare, or how far it misses: `12.0 % to spare`, `23.8 % too little`.
fn margin(target: &Target, median: f64) -> Option<String> {
    let share = (median - target.value) / target.value.abs();
    let word = match (target.at_least, share) {
        (true, 0.0..) | (false, ..=0.0) => "to spare",
        (true, _) => "too little",
        (false, _) => "too much",
    };
    share.is_finite().then(|| format!("{:.1} % {word}", share.abs() * 100.0))
}

/// The thresholds of the last round's load.
fn threshold_rows(record: &Record, named: bool) -> Vec<Row> {
    let excused = record.load.as_ref().is_some_and(|load| load.outcome() == LoadOutcome::Inconclusive);
    let thresholds = record.load.iter().flat_map(crate::load::LoadReport::thresholds);
    let row = |result: &crate::load::ThresholdResult| {
        let (verdict, tone) = match result.verdict {
            ThresholdVerdict::Passed => ("met", Tone::Good),
            ThresholdVerdict::Warned => ("warning", Tone::Warn),
            // The run was disturbed, and that can be why.
            ThresholdVerdict::Failed if excused => ("unknown", Tone::Warn),
            ThresholdVerdict::Failed => ("failed", Tone::Bad),
        };
        let found = result.found.map_or_else(|| words::ABSENT.into(), |found| found.to_string());
        let name = with_side(record, &format!("{} (last round)", result.threshold), named);
        let wanted = result.limit.map_or_else(|| words::ABSENT.into(), |limit| limit.to_string());
        let cells = vec![name, wanted, found, words::ABSENT.into(), verdict.into()];
        Row { cells, note: None, tone }
    };
    thresholds.map(row).collect()
}

fn with_side(record: &Record, what: &str, named: bool) -> String {
    if named { format!("{what}, {}", record.title()) } else { what.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_margin_says_whether_it_is_a_good_one() {
        let least = |median| margin(&Target::at_least("rate", 100.0), median);
        let most = |median| margin(&Target::at_most("p50", 100.0), median);
        assert_eq!(least(379.6).as_deref(), Some("279.6 % to spare"));
        assert_eq!(least(76.2).as_deref(), Some("23.8 % too little"));
        assert_eq!(most(60.0).as_deref(), Some("40.0 % to spare"));
        assert_eq!(most(110.0).as_deref(), Some("10.0 % too much"));
        assert_eq!(
            [least(100.0), most(100.0)],
            [Some("0.0 % to spare".into()), Some("0.0 % to spare".into())]
        );
        assert_eq!(margin(&Target::at_most("errors", 0.0), 1.0), None, "nothing is a share of zero");
    }
}
