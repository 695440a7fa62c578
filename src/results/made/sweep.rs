//! A sweep of eight levels.

use std::time::Duration;

use super::{HOSTILE, interval, noise};
use crate::results::document::Results;
use crate::results::fingerprint::Fingerprint;
use crate::results::metric::{Better, Metric, MetricKind, Unit};
use crate::results::sweep::{
    Axis, Bottleneck, BottleneckKind, Degradation, Knee, Level, Limit, ScalabilityLaw, SweepReport, SweepStop,
};
use crate::results::time::Moment;

const SIGMA: f64 = 0.027;
const KAPPA: f64 = 0.000_77;

fn throughput(n: f64) -> f64 {
    1000.0 * n / (1.0 + SIGMA * (n - 1.0) + KAPPA * n * (n - 1.0))
}

fn metric(name: &str, unit: Unit, values: [f64; 3]) -> Metric {
    let kind = if unit == Unit::PerSecond { MetricKind::Throughput } else { MetricKind::Tail };
    let better = if unit == Unit::PerSecond { Better::Higher } else { Better::Lower };
    Metric { samples: values.map(Some).to_vec(), ..Metric::new(name, kind, unit, better) }
}

fn level(place: u32) -> Level {
    let n = f64::from(1_u32 << place);
    let windows =
        |value: f64, spread: f64| [1, 2, 3].map(|window| value * (1.0 + spread * noise(place * 31 + window)));
    let rate = throughput(n);
    let p99 = 1.1e-3 + (n / 40.0).powi(3) * 5e-3;
    let mut metrics = vec![
        metric("throughput", Unit::PerSecond, windows(rate, 0.04)),
        metric("p50", Unit::Seconds, windows(n / rate, 0.02)),
        metric("p99", Unit::Seconds, windows(p99, 0.25)),
        metric("service p99", Unit::Seconds, windows(p99 * 0.7, 0.2)),
        metric("errors", Unit::Share, [0.0; 3]),
        metric("client cores", Unit::Cores, windows((rate / 14_000.0).min(1.0), 0.02)),
        metric("server cores", Unit::Cores, windows((rate / 20_000.0).min(1.0), 0.02)),
        metric("other cores", Unit::Cores, windows(0.04, 0.5)),
        metric("server rss", Unit::Bytes, windows(16e6 + n * 2e5, 0.01)),
    ];
    metrics[3].samples[1] = None;
    let problems = if place == 7 { vec!["p99 of 165 ms, allowed are 100 ms".into()] } else { Vec::new() };
    let scalability = Some(metrics[0].median().unwrap() / n / 1000.0);
    Level { level: n, metrics, problems, scalability }
}

/// A sweep over concurrency, from 1 to 128 by doubling, with everything that a sweep can have.
pub(crate) fn sweep() -> Results {
    let bottleneck = |kind, evidence: &str, level| Bottleneck { kind, evidence: evidence.into(), level };
    let sweep = SweepReport {
        name: "price service".into(),
        taken: Some(Moment(1_795_000_000)),
        fingerprint: Fingerprint {
            cores: Some(2),
            kernel: Some("Linux 6.18.44".into()),
            ..Fingerprint::default()
        },
        seed: 42,
        thresholds: vec!["p99<100ms".into(), "errors<1%".into()],
        stopped: Some(SweepStop::Latency { level: 128.0, mean: Duration::from_secs(6) }),
        skipped: vec![256.0, 512.0],
        axis: Axis::Concurrency,
        unit: Unit::Count,
        levels: (0..8).map(level).collect(),
        limit: Some(Limit {
            level: 64.0,
            fails_at: Some(128.0),
            why: Some("p99 of 165 ms, allowed are 100 ms".into()),
        }),
        knee: Some(Knee {
            level: 32.0,
            throughput: throughput(32.0),
            evidence: "twice as many in flight add 1.9 % at 64".into(),
        }),
        degradation: vec![Degradation {
            metric: "p99".into(),
            from: 32.0,
            stable: 1.1e-3,
            worst: 0.165,
            worst_at: 128.0,
            unit: Unit::Seconds,
        }],
        law: Some(ScalabilityLaw {
            lambda: 1000.0,
            sigma: SIGMA,
            kappa: KAPPA,
            peak: Some(((1.0 - SIGMA) / KAPPA).sqrt()),
            worst_residual: 0.038,
            mean_residual: 0.017,
            peak_interval: Some(interval(35.5, 33.0, 38.4)),
        }),
        bottlenecks: vec![
            bottleneck(BottleneckKind::ClientCpu, "0.97 of 1 core busy", 64.0),
            bottleneck(BottleneckKind::Contention, "CPU of an operation is 2.4 times that at 1", 128.0),
        ],
        notes: vec![format!("no consumer was watched: {HOSTILE}")],
    };
    Results::of_sweep("Request and reply", Vec::new(), sweep)
}
