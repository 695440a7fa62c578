//! Two sides, metric by metric.

use super::super::model::{Item, Row, Section, Table, Tone};
use super::super::{plot, words};
use crate::memory::text::percent;
use crate::results::comparison::{Basis, Comparison, MetricComparison};
use crate::results::document::Results;

pub(in super::super) fn comparisons(results: &Results) -> Vec<Section> {
    let sections = results.comparisons.iter().enumerate();
    sections.map(|(place, comparison)| section(results, comparison, place)).collect()
}

fn section(results: &Results, comparison: &Comparison, place: usize) -> Section {
    let Comparison { base, candidate, .. } = comparison;
    let (verdict, _) = words::verdict(comparison.verdict, comparison.rules.designs);
    let mut section = Section::new(format!("Comparison: {candidate} with {base}: {verdict}"));
    // The findings have the reasons; without a metric there is no table that could show them.
    if comparison.metrics.is_empty() {
        section.say(&comparison.reason);
    }
    section.table(table(comparison));
    section.items(unmatched(comparison));
    section.say(rules(comparison));
    section.plots(plot::rounds(results, comparison, place));
    section
}

fn table(comparison: &Comparison) -> Table {
    // Of values that changed one way and their ratios to the control the other, the reader must know which is judged.
    let mixed = comparison.metrics.iter().any(|metric| metric.basis == Basis::Control);
    let titles = ["metric", "base", "candidate", "ratio (95 %)"];
    let titles = titles.into_iter().chain(mixed.then_some("<of")).chain(["p adjusted", "<verdict"]);
    let mut table = Table::new(titles);
    table.rows =
        comparison.metrics.iter().map(|metric| row(metric, mixed, comparison.rules.designs)).collect();
    let absent = table.rows.iter().any(|row| row.cells.iter().any(|cell| cell == words::ABSENT));
    let mut legend =
        String::from("base, candidate: medians; ratio: candidate to base, by Hodges and Lehmann");
    if mixed {
        legend.push_str(
            "; to control: of each round's value over that of the control, not of the medians shown",
        );
    }
    if absent {
        legend.push_str("; -: there is none");
    }
    table.legend = Some(legend);
    table
}

fn row(metric: &MetricComparison, mixed: bool, designs: bool) -> Row {
    let (verdict, tone) = words::verdict(metric.verdict, designs);
    let is_warned = metric.warned && tone != Tone::Bad;
    let tone = if is_warned { Tone::Warn } else { tone };
    let verdict = if is_warned { format!("{verdict}, warned") } else { verdict.into() };
    let mut cells = vec![
        metric.name.clone(),
        words::figure(&metric.unit, metric.base.median),
        words::figure(&metric.unit, metric.candidate.median),
        metric.ratio.as_ref().map_or_else(|| words::ABSENT.into(), words::interval),
    ];
    if mixed {
        cells.push(words::basis(metric.basis).into());
    }
    cells.extend([words::probability(metric.adjusted_p), verdict]);
    Row { cells, note: difference(metric), tone }
}

/// Where there is no ratio, the difference.
fn difference(metric: &MetricComparison) -> Option<String> {
    let shift = metric.shift.as_ref()?;
    // Of ratios to the control, a difference has no unit.
    let is_shown = metric.ratio.is_none() && metric.basis != Basis::Control && shift.value != 0.0;
    let text = |value| metric.unit.text(value);
    is_shown
        .then(|| format!("differs by {} ({} to {})", text(shift.value), text(shift.low), text(shift.high)))
}

/// Warnings and advice are among the findings, and at the top.
fn unmatched(comparison: &Comparison) -> Vec<Item> {
    let unmatched = (!comparison.unmatched.is_empty())
        .then(|| Item::marked("not compared", Tone::Plain, comparison.unmatched.join(", ")));
    unmatched.into_iter().collect()
}

fn rules(comparison: &Comparison) -> String {
    let rules = &comparison.rules;
    let judged = comparison.metrics.iter().filter(|metric| metric.adjusted_p.is_some()).count();
    format!(
        "Measured {}. What counts is significant (p below {}, after Holm's correction for {}) and as large as matters \
         for the metric; fewer than {} on a side tell nothing.",
        words::kind(comparison.kind),
        percent(rules.alpha),
        words::plural(judged, "metric"),
        words::plural(rules.least_rounds, "round"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::made;

    #[test]
    fn a_difference_without_a_ratio_is_told_in_the_metrics_unit() {
        let mut metric = made::two_sides().comparisons.remove(0).metrics.remove(0);
        assert_eq!(difference(&metric), None, "there is a ratio");
        (metric.ratio, metric.basis) = (None, Basis::Absolute);
        assert!(difference(&metric).unwrap().starts_with("differs by -"), "{:?}", difference(&metric));
        metric.basis = Basis::Control;
        assert_eq!(difference(&metric), None);
    }

    #[test]
    fn the_table_says_what_is_against_the_control() {
        let mut comparison = made::two_sides().comparisons.remove(0);
        let titles = |table: &Table| table.columns.iter().any(|column| column.title == "of");
        assert!(!titles(&table(&comparison)), "there is nothing to tell apart");
        comparison.metrics[0].basis = Basis::Control;
        let table = table(&comparison);
        assert!(titles(&table) && table.legend.as_ref().unwrap().contains("to control: of each round's"));
        let of: Vec<_> = table.rows.iter().map(|row| row.cells[4].as_str()).collect();
        assert_eq!(of[..2], ["to control", "values"]);
    }
}
