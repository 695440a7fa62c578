//! What a comparison with a baseline is worth, beyond what [`Comparison::of`] sees to.

use super::super::comparison::{Comparison, Verdict};
use super::super::record::{Record, configuration_differences};
use super::Baseline;

/// The comparison, with what it is not worth taken back and said: nothing can be told of another build or runtime, which may change a
/// control by another factor than what is measured, nor of a quick run.
pub(super) fn judged(mut comparison: Comparison, baseline: &Baseline, record: &Record) -> Comparison {
    let build = baseline.runs.iter().flat_map(|run| record.fingerprint.build_differences(&run.fingerprint));
    let mut build: Vec<String> = build.collect();
    build.sort_unstable();
    build.dedup();
    if !build.is_empty() {
        let build = build.join("; ");
        doubt(
            &mut comparison,
            &format!("the baseline is of another build or runtime: {build} (measure as it was)"),
        );
    }
    if record.quick {
        let run = baseline.runs.first();
        let other = run.map(|run| configuration_differences(&record.configuration, &run.configuration));
        let other = other
            .filter(|other| !other.is_empty())
            .map_or_else(String::new, |other| format!(", of another configuration: {}", other.join("; ")));
        doubt(
            &mut comparison,
            &format!("the run is a quick one{other} (measure without ISOLATED_NATS_QUICK)"),
        );
    }
    comparison
}

/// Makes all of it inconclusive, and says why.
fn doubt(comparison: &mut Comparison, why: &str) {
    comparison.warnings.push(why.into());
    comparison.verdict = Verdict::Inconclusive;
    comparison.reason = why.into();
    comparison.recommendation = None;
    for metric in &mut comparison.metrics {
        metric.verdict = Verdict::Inconclusive;
        metric.warned = false;
        metric.reason = why.into();
    }
}
