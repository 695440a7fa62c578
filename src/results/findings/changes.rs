//! What got worse or better, what each side is good at, and what to do.

use super::{Finding, FindingKind, Severity};
use crate::results::comparison::{Basis, Comparison, ComparisonKind, MetricComparison, Verdict};
use crate::results::metric::{MetricKind, Unit};

pub(super) fn find(comparisons: &[Comparison]) -> impl Iterator<Item = Finding> + '_ {
    comparisons.iter().flat_map(changes).chain(comparisons.iter().flat_map(sides)).chain(
        comparisons.iter().filter_map(|comparison| {
            let text = comparison.recommendation.clone()?;
            Some(Finding::new(FindingKind::Recommendation, Severity::Note, &comparison.candidate, text))
        }),
    )
}

/// What cannot be told, and what is warned of; of a saved record also what got worse or better, which `sides` says of sides in turn.
fn changes(comparison: &Comparison) -> Vec<Finding> {
    let finding = |severity, subject: &str, text| {
        let severity = if comparison.rules.designs { Severity::Note } else { severity };
        Finding::new(FindingKind::Change, severity, subject, text)
    };
    if comparison.metrics.is_empty() {
        let text = format!(
            "`{}` cannot be told from `{}`: {}",
            comparison.candidate, comparison.base, comparison.reason
        );
        return vec![finding(Severity::Unknown, &comparison.candidate, text)];
    }
    let is_saved = comparison.kind == ComparisonKind::Saved;
    let change = |metric: &MetricComparison| {
        let (severity, word) = match metric.verdict {
            Verdict::Regressed if is_saved => (Severity::Fail, "regressed"),
            Verdict::Improved if is_saved => (Severity::Good, "improved"),
            Verdict::Same if metric.warned => (Severity::Warn, "is worse, though no regression"),
            _ => return None,
        };
        let text = format!("{} {word}: {}", metric.name, figures(comparison, metric));
        let mut found = finding(severity, &comparison.candidate, text);
        found.impact = impact(metric);
        Some(found)
    };
    let open = open(comparison).map(|text| finding(Severity::Unknown, &comparison.candidate, text));
    comparison.metrics.iter().filter_map(change).chain(open).collect()
}

/// What cannot be told, one sentence for each reason, with the metrics that it is of.
fn open(comparison: &Comparison) -> impl Iterator<Item = String> + '_ {
    let mut by_reason: Vec<(&str, Vec<String>)> = Vec::new();
    for metric in comparison.metrics.iter().filter(|metric| metric.verdict == Verdict::Inconclusive) {
        match by_reason.iter_mut().find(|(known, _)| *known == metric.reason) {
            Some((_, names)) => names.push(metric.name.clone()),
            None => by_reason.push((&metric.reason, vec![metric.name.clone()])),
        }
    }
    by_reason.into_iter().map(|(reason, names)| match names.len() {
        1 => format!("{} is inconclusive: {reason}", names[0]),
        all if all == comparison.metrics.len() => {
            format!("`{}` cannot be told from `{}`: {reason}", comparison.candidate, comparison.base)
        }
        _ => format!("{} are inconclusive: {reason}", listed(&names)),
    })
}

/// `` `new` has 90.0 /s, `old` 100 /s (-10.0 %, between -12.0 % and -8.0 %) ``.
fn figures(comparison: &Comparison, metric: &MetricComparison) -> String {
    let value = |value: Option<f64>| value.map_or("no figure".into(), |value| metric.unit.text(value));
    let (candidate, base) = (value(metric.candidate.median), value(metric.base.median));
    let basis = match metric.basis {
        Basis::Control => " as ratios to the control",
        Basis::Absolute | Basis::Paired => "",
    };
    let change = metric.ratio.map_or(String::new(), |ratio| {
        let text = |one: f64| share(one, ratio.value);
        format!(" ({}{basis}, between {} and {})", text(ratio.value), text(ratio.low), text(ratio.high))
    });
    format!("`{}` has {candidate}, `{}` {base}{change}", comparison.candidate, comparison.base)
}

/// `-12.0 %`; of what is three times as much or more, `7.25 times`: as `like` is, so that an interval is as its middle.
fn share(ratio: f64, like: f64) -> String {
    match like {
        10.0.. => format!("{ratio:.1} times"),
        3.0.. => format!("{ratio:.2} times"),
        _ => format!("{:+.1} %", (ratio - 1.0) * 100.0),
    }
}

/// What the sides do better and worse, of sides that were measured in turn: an earlier run is no alternative.
///
/// Both are said of the candidate, as its strength or weakness: the base's are the same facts the other way round.
fn sides(comparison: &Comparison) -> Vec<Finding> {
    if comparison.kind != ComparisonKind::Interleaved {
        return Vec::new();
    }
    [(Verdict::Regressed, FindingKind::Weakness), (Verdict::Improved, FindingKind::Strength)]
        .into_iter()
        .filter_map(|(verdict, kind)| of_candidate(comparison, verdict, kind))
        .collect()
}

fn of_candidate(comparison: &Comparison, verdict: Verdict, kind: FindingKind) -> Option<Finding> {
    let metrics: Vec<_> = comparison.metrics.iter().filter(|metric| metric.verdict == verdict).collect();
    if metrics.is_empty() {
        return None;
    }
    let (this, other) = (&comparison.candidate, &comparison.base);
    let (word, severity) = match kind {
        FindingKind::Strength => ("better", Severity::Good),
        // A design that is worse in something is not wrong.
        _ if comparison.rules.designs => ("worse", Severity::Note),
        _ => ("worse", Severity::Fail),
    };
    let named: Vec<_> = metrics.iter().map(|metric| with_share(metric)).collect();
    let text = format!("`{this}` is {word} than `{other}` in {}", listed(&named));
    let mut found = Finding::new(kind, severity, this, text);
    let impacts = metrics.iter().filter_map(|metric| Some(format!("{}: {}", metric.name, impact(metric)?)));
    let impacts: Vec<_> = impacts.collect();
    found.impact = (!impacts.is_empty()).then(|| impacts.join("; "));
    Some(found)
}

/// `throughput (-33.3 %)`, `p50 (7.25 times)`.
fn with_share(metric: &MetricComparison) -> String {
    let Some(ratio) = metric.ratio else { return metric.name.clone() };
    format!("{} ({})", metric.name, share(ratio.value, ratio.value))
}

/// `a, b and c`.
pub(super) fn listed(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// What the difference is in the metric's own terms: `500 more per second`.
fn impact(metric: &MetricComparison) -> Option<String> {
    let of_medians = || Some(metric.candidate.median? - metric.base.median?);
    let shift = match metric.basis {
        // The shift is one of ratios, and of no use here.
        Basis::Control => of_medians()?,
        Basis::Absolute | Basis::Paired => metric.shift.map(|shift| shift.value).or_else(of_medians)?,
    };
    if shift == 0.0 {
        return None;
    }
    let (size, is_more) = (shift.abs(), shift > 0.0);
    let more = if is_more { "more" } else { "less" };
    Some(match (&metric.unit, metric.kind) {
        (Unit::PerSecond, _) => {
            let each = metric.unit.text(size);
            format!("{} {more} per second", each.trim_end_matches(" /s"))
        }
        (Unit::Seconds, MetricKind::Cpu) => {
            format!("{} {more} processor time for each operation", metric.unit.text(size))
        }
        (Unit::Seconds, _) => {
            format!("{} {}", metric.unit.text(size), if is_more { "longer" } else { "shorter" })
        }
        (Unit::Share, _) => format!("{} {more} of all", metric.unit.text(size)),
        (Unit::Count, _) => format!("{} {}", metric.unit.text(size), if is_more { "more" } else { "fewer" }),
        (Unit::Bytes | Unit::Cores | Unit::Named(_), _) => format!("{} {more}", metric.unit.text(size)),
    })
}
