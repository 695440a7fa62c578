//! The runs of a baseline: each without what a comparison does not need, all as one, and how much they differ.

use super::super::comparison::Rules;
use super::super::fingerprint::Fingerprint;
use super::super::metric::{Limits, Metric};
use super::super::record::Record;
use super::super::stats;
use super::Baseline;

/// Fewer runs say nothing of how much runs differ.
const LEAST_RUNS: usize = 3;
/// A change that is as large as what runs differ by is none yet.
const BEYOND: f64 = 1.0 + 1e-6;

/// A run without what a comparison does not need.
pub(super) fn slim(run: Record) -> Record {
    Record { targets: Vec::new(), latency: None, load: None, memory: None, ..run }
}

/// All runs as one record to compare another with, their rounds one after the other; `None` without runs. What a run did not measure is
/// `None` in its rounds.
///
/// It is of the machine of the run that differs from the record's, if one does, and of the record's own build, of which `judge` sees to.
pub(super) fn together(baseline: &Baseline, record: &Record) -> Option<Record> {
    let (last, earlier) = baseline.runs.split_last()?;
    let elsewhere = |run: &&Record| !record.fingerprint.machine_differences(&run.fingerprint).is_empty();
    let machine = baseline.runs.iter().find(elsewhere).unwrap_or(last).fingerprint.clone();
    let Fingerprint { profile, runtime, allocator, .. } = record.fingerprint.clone();
    let mut all = Record { metrics: Vec::new(), rounds: 0, invalid: Vec::new(), ..last.clone() };
    all.side = Some(format!("baseline {}", baseline.name));
    all.fingerprint = Fingerprint { profile, runtime, allocator, ..machine };
    for run in earlier.iter().chain([last]) {
        let before = all.rounds;
        all.invalid.extend(run.invalid.iter().map(|(round, why)| (before + round, why.clone())));
        all.rounds += run.rounds;
        for metric in &run.metrics {
            let known = all.metrics.iter_mut().find(|known| known.name == metric.name);
            match known {
                Some(known) => append(known, metric, before),
                None => {
                    let mut new = Metric { samples: Vec::new(), control: Vec::new(), ..metric.clone() };
                    append(&mut new, metric, before);
                    all.metrics.push(new);
                }
            }
        }
    }
    for metric in &mut all.metrics {
        metric.samples.resize(all.rounds, None);
    }
    Some(all)
}

/// Adds a run's samples behind those of `before` rounds.
fn append(all: &mut Metric, run: &Metric, before: usize) {
    all.samples.resize(before, None);
    all.samples.extend(&run.samples);
    if !run.control.is_empty() {
        all.control.resize(before, None);
        all.control.extend(&run.control);
    }
}

/// The rules, with what matters at least as large as what runs of the same code differ by.
pub(super) fn widened(mut rules: Rules, runs: &[Record]) -> Rules {
    for metric in runs.iter().flat_map(|run| &run.metrics) {
        let Some(spread) = spread(&metric.name, runs) else { continue };
        let limits = rules.limits.get(&metric.name).copied().unwrap_or_else(|| metric.saved_limits());
        let spread = spread * BEYOND;
        if spread > limits.fail {
            // The warning keeps its share of what fails.
            let warn = limits.warn * spread / limits.fail;
            rules.limits.insert(metric.name.clone(), Limits { fail: spread, warn, ..limits });
        }
    }
    rules
}

/// The largest distance of a run's median from the median of these, as its share: of the ratios to the control where those are compared and
/// all runs have them.
fn spread(name: &str, runs: &[Record]) -> Option<f64> {
    let metrics: Vec<Metric> = runs.iter().filter_map(|run| run.believed(name)).collect();
    let by_control = metrics.iter().all(|metric| metric.kind.drifts() && metric.ratios().is_some());
    let values = |metric: &Metric| if by_control { metric.ratios() } else { Some(metric.values()) };
    let medians: Vec<f64> = metrics.iter().filter_map(|metric| stats::median(&values(metric)?)).collect();
    let middle = stats::median(&medians).filter(|middle| *middle > 0.0 && medians.len() >= LEAST_RUNS)?;
    medians.iter().map(|median| (median / middle - 1.0).abs()).max_by(f64::total_cmp)
}
