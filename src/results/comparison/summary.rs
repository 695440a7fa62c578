//! What the metrics come to together.

use super::samples::{self, Sides};
use super::{Basis, ComparisonKind, MetricComparison, Verdict};
use crate::results::metric::MetricKind;
use crate::results::record::Record;

/// More than this share of rounds that cannot be believed is worth a warning.
const INVALID: f64 = 0.2;

pub(super) struct Summary {
    pub(super) verdict: Verdict,
    pub(super) reason: String,
    pub(super) recommendation: Option<String>,
}

pub(super) fn of(sides: &Sides<'_>, metrics: &[MetricComparison]) -> Summary {
    let verdict = verdict(metrics);
    Summary { verdict, reason: reason(verdict, metrics), recommendation: recommendation(sides, metrics) }
}

fn verdict(metrics: &[MetricComparison]) -> Verdict {
    let has = |verdict| metrics.iter().any(|metric| metric.verdict == verdict);
    if has(Verdict::Regressed) {
        Verdict::Regressed
    } else if is_open(metrics) {
        Verdict::Inconclusive
    } else if has(Verdict::Improved) {
        Verdict::Improved
    } else {
        Verdict::Same
    }
}

/// Whether something is open that counts: a time far out does not, beside others that can all be told.
fn is_open(metrics: &[MetricComparison]) -> bool {
    let mut others = metrics.iter().filter(|metric| metric.kind != MetricKind::Tail).peekable();
    if others.peek().is_some() {
        return others.any(|metric| metric.verdict == Verdict::Inconclusive);
    }
    metrics.is_empty() || metrics.iter().any(|metric| metric.verdict == Verdict::Inconclusive)
}

fn reason(verdict: Verdict, metrics: &[MetricComparison]) -> String {
    let counted = |metric: &&MetricComparison| metric.verdict == verdict;
    if metrics.is_empty() {
        return "the two have no metric in common".into();
    }
    if verdict == Verdict::Same {
        return nothing(metrics);
    }
    // Of what cannot be told, the first one that counts; else the largest by what matters of it.
    let mut these: Vec<&MetricComparison> = metrics.iter().filter(counted).collect();
    if verdict == Verdict::Inconclusive {
        these.sort_by_key(|metric| metric.kind == MetricKind::Tail);
    } else {
        these.sort_by(|left, right| weight(right).total_cmp(&weight(left)));
    }
    let Some((first, others)) = these.split_first() else { return nothing(metrics) };
    let mut text = first.reason.clone();
    if !others.is_empty() {
        text.extend(["; so it is with ", &names(others)]);
    }
    let better: Vec<_> = metrics.iter().filter(|metric| metric.verdict == Verdict::Improved).collect();
    if verdict != Verdict::Improved && !better.is_empty() {
        text.extend(["; better in ", &names(&better)]);
    }
    text
}

fn nothing(metrics: &[MetricComparison]) -> String {
    let told: Vec<_> = metrics.iter().filter(|metric| metric.verdict == Verdict::Same).collect();
    let open: Vec<_> = metrics.iter().filter(|metric| metric.verdict == Verdict::Inconclusive).collect();
    let mut text = format!("no difference that matters in {}", names(&told));
    if !open.is_empty() {
        text.extend(["; it cannot be told of ", &names(&open)]);
    }
    text
}

/// How many times what matters it is.
fn weight(metric: &MetricComparison) -> f64 {
    metric.ratio.map_or(0.0, |ratio| (ratio.value - 1.0).abs() / metric.limits.fail)
}

fn names(metrics: &[&MetricComparison]) -> String {
    let names: Vec<&str> = metrics.iter().map(|metric| metric.name.as_str()).collect();
    names.join(", ")
}

/// One side is better in something and worse in nothing that was measured, and neither is open. A saved record is no choice.
fn recommendation(sides: &Sides<'_>, metrics: &[MetricComparison]) -> Option<String> {
    let of = |verdict| {
        metrics.iter().filter(move |metric: &&MetricComparison| metric.verdict == verdict).collect::<Vec<_>>()
    };
    let (better, worse) = (of(Verdict::Improved), of(Verdict::Regressed));
    if sides.kind != ComparisonKind::Interleaved || is_open(metrics) {
        return None;
    }
    let warned = metrics.iter().any(|metric| metric.warned);
    let (title, verdict) = match (better.is_empty(), worse.is_empty()) {
        (false, true) if !warned => (sides.candidate.title(), Verdict::Improved),
        (true, false) => (sides.base.title(), Verdict::Regressed),
        _ => return None,
    };
    let open = of(Verdict::Inconclusive);
    let except = if open.is_empty() { String::new() } else { format!(" ({} cannot be told)", names(&open)) };
    Some(format!(
        "prefer `{title}`: {}; it is worse in nothing that was measured{except}",
        reason(verdict, metrics)
    ))
}

/// What the reader should know of the comparison itself.
pub(super) fn warnings(
    sides: &Sides<'_>,
    metrics: &[MetricComparison],
    differences: &[String],
) -> Vec<String> {
    let mut warnings = Vec::new();
    if !differences.is_empty() {
        let differences = differences.join("; ");
        warnings.push(format!(
            "measured on different machines or builds, so only ratios to a control and memory are judged: {differences}"
        ));
    }
    warnings.extend([sides.base, sides.candidate].into_iter().filter_map(invalid));
    let absolute =
        |metric: &&MetricComparison| metric.basis == Basis::Absolute && samples::drifts(metric.kind);
    let drifting: Vec<_> = metrics.iter().filter(absolute).collect();
    if sides.kind == ComparisonKind::Saved && differences.is_empty() && !drifting.is_empty() {
        let why = if sides.is_one_control() {
            "without enough ratios to a control"
        } else {
            "with another control"
        };
        warnings.push(format!(
            "{} of a saved record {why}: the machine itself may drift by more than matters",
            names(&drifting)
        ));
    }
    warnings
}

#[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 rounds")]
fn invalid(record: &Record) -> Option<String> {
    let mut rounds: Vec<usize> = record.invalid.iter().map(|(round, _)| *round).collect();
    rounds.sort_unstable();
    rounds.dedup();
    let (_, why) = record.invalid.first()?;
    let (count, all, title) = (rounds.len(), record.rounds, record.title());
    (count as f64 > INVALID * all as f64)
        .then(|| format!("{count} of {all} rounds of `{title}` cannot be believed and are left out: {why}"))
}
