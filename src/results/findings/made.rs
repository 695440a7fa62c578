//! Records and comparisons made by hand, for tests.

use std::collections::BTreeMap;

use crate::results::comparison::{
    Basis, Comparison, ComparisonKind, Interval, MetricComparison, Rules, Spread, Verdict,
};
use crate::results::fingerprint::Fingerprint;
use crate::results::metric::{Better, Metric, MetricKind, Unit};
use crate::results::record::{Record, SCHEMA};
use crate::results::time::Moment;

pub(crate) fn metric(name: &str, kind: MetricKind, unit: Unit, better: Better, samples: &[f64]) -> Metric {
    Metric { samples: samples.iter().copied().map(Some).collect(), ..Metric::new(name, kind, unit, better) }
}

pub(crate) fn throughput(samples: &[f64]) -> Metric {
    metric("throughput", MetricKind::Throughput, Unit::PerSecond, Better::Higher, samples)
}

pub(crate) fn record(scenario: &str, metrics: Vec<Metric>) -> Record {
    let rounds = metrics.iter().map(|metric| metric.samples.len()).max().unwrap_or(0);
    Record {
        schema: SCHEMA,
        scenario: scenario.into(),
        side: None,
        taken: Moment(1_790_000_000),
        quick: false,
        rounds,
        fingerprint: Fingerprint::default(),
        configuration: BTreeMap::new(),
        configuration_hash: String::new(),
        metrics,
        control: None,
        targets: Vec::new(),
        invalid: Vec::new(),
        latency: None,
        load: None,
        memory: None,
    }
}

/// A metric of two sides, which only have medians.
pub(crate) fn compared(metric: &Metric, base: f64, candidate: f64, verdict: Verdict) -> MetricComparison {
    let spread =
        |value| Spread { count: 10, median: Some(value), mad: Some(0.0), min: Some(value), max: Some(value) };
    let near = |value: f64| Interval { value, low: value * 0.9, high: value * 1.1 };
    MetricComparison {
        name: metric.name.clone(),
        kind: metric.kind,
        unit: metric.unit.clone(),
        better: metric.better,
        base: spread(base),
        candidate: spread(candidate),
        basis: Basis::Paired,
        ratio: Some(near(candidate / base)),
        shift: Some(near(candidate - base)),
        p: Some(0.001),
        adjusted_p: Some(0.002),
        limits: metric.kind.limits(),
        verdict,
        warned: false,
        reason: format!("as it was made ({verdict:?})"),
    }
}

pub(crate) fn comparison(
    kind: ComparisonKind,
    metrics: Vec<MetricComparison>,
    verdict: Verdict,
) -> Comparison {
    Comparison {
        base: "old".into(),
        candidate: "new".into(),
        kind,
        rules: Rules { alpha: 0.05, least_rounds: 10, limits: BTreeMap::new(), designs: false },
        metrics,
        unmatched: Vec::new(),
        verdict,
        reason: "as it was made".into(),
        recommendation: None,
        warnings: Vec::new(),
    }
}
