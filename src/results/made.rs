//! Results made by hand, for the tests of what is shown of them. Every figure is fixed.

mod memory;
mod sweep;

use std::collections::BTreeMap;

pub(crate) use sweep::sweep;

use super::comparison::{
    Basis, Comparison, ComparisonKind, Interval, MetricComparison, Rules, Spread, Verdict,
};
use super::document::Results;
use super::findings::{Finding, FindingKind, Severity};
use super::fingerprint::{Commit, Fingerprint};
use super::metric::{Better, Limits, Metric, MetricKind, Unit};
use super::record::{Record, SCHEMA};
use super::stats;
use super::target::Target;
use super::time::Moment;
use crate::load::made::{latency, with_an_outage};

/// A name that no output must take for anything else.
pub(crate) const HOSTILE: &str = "<script>|\"a,b\"";
const ROUNDS: u32 = 20;

/// From -1 to 1, ever the same for a place.
pub(super) fn noise(place: u32) -> f64 {
    f64::from(place.wrapping_mul(2_654_435_761).rotate_left(9) % 2001) / 1000.0 - 1.0
}

pub(super) fn interval(value: f64, low: f64, high: f64) -> Interval {
    Interval { value, low, high }
}

/// A record of so many rounds without anything measured.
fn record(scenario: &str, side: Option<&str>, rounds: u32) -> Record {
    Record {
        schema: SCHEMA,
        scenario: scenario.into(),
        side: side.map(Into::into),
        taken: Moment(1_780_000_000),
        quick: false,
        rounds: rounds as usize,
        fingerprint: Fingerprint::default(),
        configuration: BTreeMap::new(),
        configuration_hash: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".into(),
        metrics: Vec::new(),
        control: None,
        targets: Vec::new(),
        invalid: Vec::new(),
        latency: None,
        load: None,
        memory: None,
    }
}

fn fingerprint() -> Fingerprint {
    let text = |text: &str| Some(text.to_owned());
    Fingerprint {
        cpu_model: text("Example CPU E5-2690 v4 @ 2.60GHz"),
        cores: Some(2),
        memory_bytes: Some(8 << 30),
        kernel: text("Linux 6.1.0"),
        rustc: text("rustc 1.89.0"),
        profile: text("release"),
        runtime: text("multi_thread 2"),
        allocator: text("tracking"),
        server: text("2.14.5"),
        store_file_system: text("ext4"),
        isolated_nats: text("0.1.0"),
        commit: Some(Commit { hash: "0123456789abcdef0123456789abcdef01234567".into(), changed: Some(true) }),
        load_average: Some(0.42),
        ..Fingerprint::default()
    }
}

/// A metric around a value; `seed` keeps two from being alike.
fn around(
    name: &str,
    (kind, unit, better): (MetricKind, Unit, Better),
    value: f64,
    spread: f64,
    seed: u32,
) -> Metric {
    let sample = |round| Some(value * (1.0 + spread * noise(round * 7 + seed)));
    Metric { samples: (0..ROUNDS).map(sample).collect(), ..Metric::new(name, kind, unit, better) }
}

/// One side: `slower` is by which factor its times are longer.
fn side(name: &str, slower: f64, seed: u32) -> Record {
    use Better::{Higher, Lower};
    let mut metrics = vec![
        around(
            "throughput",
            (MetricKind::Throughput, Unit::PerSecond, Higher),
            98_700.0 / slower,
            0.03,
            seed,
        ),
        around("p50", (MetricKind::Median, Unit::Seconds, Lower), 212e-6 * slower, 0.02, seed + 1),
        around("p99", (MetricKind::Tail, Unit::Seconds, Lower), 1.9e-3 * slower, 0.4, seed + 2),
        around("errors", (MetricKind::Errors, Unit::Share, Lower), 0.0, 0.0, seed),
        around("peak heap", (MetricKind::Memory, Unit::Bytes, Lower), 1_400_000.0, 0.001, seed + 3),
        around(HOSTILE, (MetricKind::Other, Unit::Named(HOSTILE.into()), Lower), 7.0, 0.2, seed + 4),
    ];
    metrics[0].control = (0..ROUNDS).map(|round| Some(50_000.0 * (1.0 + 0.03 * noise(round)))).collect();
    metrics[2].samples[4] = None;
    let times = (0..20_000_u32).map(|i| 90_000.0 * slower * (1.0 + f64::from(i % 997) / 300.0));
    let tail = (0..150_u32).map(|i| 900_000.0 * slower * f64::from(i + 1));
    let nanos = times.chain(tail).map(crate::memory::text::whole);
    Record {
        fingerprint: fingerprint(),
        configuration: [("payload", "128 B"), ("workers", "64")].map(|(k, v)| (k.into(), v.into())).into(),
        metrics,
        control: Some("plain request".into()),
        invalid: vec![(6, "other processes used 0.61 of a processor".into())],
        latency: Some(latency(nanos)),
        ..record("event bus", Some(name), ROUNDS)
    }
}

/// Two sides of 20 rounds, of which one is slower, has a hostile name, a load with an outage, and a missed target.
pub(crate) fn two_sides() -> Results {
    let mut base = side("core NATS", 1.0, 0);
    base.memory = Some(memory::report());
    let mut candidate = side(HOSTILE, 1.3, 90);
    candidate.load = Some(with_an_outage());
    let target = |metric: &str, value, at_least| Target {
        metric: metric.into(),
        value,
        at_least,
        warn: 0.1,
        fail: 0.2,
    };
    candidate.targets =
        vec![target("throughput", 100_000.0, true), target("p50", 250e-6, false), target("p95", 1e-3, false)];
    base.targets = vec![target("throughput", 90_000.0, true)];
    let comparison = comparison(&base, &candidate);
    Results {
        schema: SCHEMA,
        title: format!("Event bus: {HOSTILE} & *others* `1`"),
        records: vec![base, candidate],
        comparisons: vec![comparison],
        sweep: None,
        findings: findings(),
    }
}

fn findings() -> Vec<Finding> {
    let finding = |kind, severity, subject: &str, text: &str, impact: Option<&str>| Finding {
        kind,
        severity,
        subject: subject.into(),
        text: text.into(),
        impact: impact.map(Into::into),
    };
    vec![
        finding(
            FindingKind::Change,
            Severity::Fail,
            "throughput",
            "throughput is 24 % below that of core NATS",
            Some("22 800 operations a second fewer"),
        ),
        finding(FindingKind::Target, Severity::Good, "throughput", "at least 90 000 /s wanted", None),
        finding(FindingKind::Outlier, Severity::Note, HOSTILE, "round 7 is far from the others", None),
        finding(FindingKind::Strength, Severity::Good, "core NATS", "its p50 is the shortest: 212 µs", None),
    ]
}

/// What was found of one metric: ratio, adjusted p, verdict and reason.
type Found = (Option<Interval>, Option<f64>, Verdict, &'static str);

fn comparison(base: &Record, candidate: &Record) -> Comparison {
    use Verdict::{Inconclusive, Regressed, Same};
    let found: [Found; 6] = [
        (
            Some(interval(0.769, 0.761, 0.778)),
            Some(4.1e-8),
            Regressed,
            "23.1 % less, and 10.0 % matter (p < 0.0001)",
        ),
        (
            Some(interval(1.301, 1.29, 1.31)),
            Some(2e-8),
            Regressed,
            "30.1 % more, and 10.0 % matter (p < 0.0001)",
        ),
        (
            Some(interval(1.24, 0.97, 1.55)),
            Some(0.094),
            Inconclusive,
            "24.0 % more, but equal sides differ as much by chance in 9.4 % of comparisons",
        ),
        (None, None, Same, "no difference in any round"),
        (Some(interval(1.0, 0.999, 1.001)), Some(0.81), Same, "at most 0.1 % apart, and 10.0 % matter"),
        (Some(interval(1.02, 0.93, 1.11)), Some(0.62), Same, "2.0 % more, and 10.0 % matter"),
    ];
    let metrics = candidate.metrics.iter().zip(&base.metrics).zip(found);
    Comparison {
        base: base.title().into(),
        candidate: candidate.title().into(),
        kind: ComparisonKind::Interleaved,
        rules: Rules { alpha: 0.05, least_rounds: 5, limits: BTreeMap::new(), designs: false },
        metrics: metrics.map(|((metric, base), found)| compared(metric, base, found)).collect(),
        unmatched: vec!["server rss (base only)".into()],
        verdict: Regressed,
        reason: "throughput and p50 regressed".into(),
        recommendation: Some("keep core NATS: it does 30 % more at a shorter p50".into()),
        warnings: vec!["1 round of each side cannot be believed".into()],
    }
}

fn compared(metric: &Metric, base: &Metric, (ratio, p, verdict, reason): Found) -> MetricComparison {
    let (before, now) = (spread(&base.values()), spread(&metric.values()));
    let shift = now.median.zip(before.median).map(|(now, before)| now - before);
    MetricComparison {
        name: metric.name.clone(),
        kind: metric.kind,
        unit: metric.unit.clone(),
        better: metric.better,
        base: before,
        candidate: now,
        basis: if metric.control.is_empty() { Basis::Absolute } else { Basis::Paired },
        ratio,
        shift: shift.map(|shift| interval(shift, shift, shift)),
        p,
        adjusted_p: p,
        limits: Limits::new(0.05, 0.1),
        verdict,
        warned: metric.name == "p99",
        reason: reason.into(),
    }
}

fn spread(values: &[f64]) -> Spread {
    Spread {
        count: values.len(),
        median: stats::median(values),
        mad: stats::mad(values),
        min: values.iter().copied().reduce(f64::min),
        max: values.iter().copied().reduce(f64::max),
    }
}

/// One record with nearly everything absent.
pub(crate) fn bare() -> Results {
    let mut bare = record("bare", None, 3);
    let mut metric = Metric::new("server rss", MetricKind::Memory, Unit::Bytes, Better::Lower);
    metric.samples = vec![None; 3];
    bare.metrics = vec![metric];
    bare.quick = true;
    bare.targets = vec![Target { metric: "p50".into(), value: 0.5, at_least: false, warn: 0.1, fail: 0.2 }];
    Results {
        schema: SCHEMA,
        title: "bare".into(),
        records: vec![bare],
        comparisons: Vec::new(),
        sweep: None,
        findings: Vec::new(),
    }
}

/// Results in which there is nothing at all.
pub(crate) fn nothing() -> Results {
    Results {
        schema: SCHEMA,
        title: "nothing".into(),
        records: Vec::new(),
        comparisons: Vec::new(),
        sweep: None,
        findings: Vec::new(),
    }
}
