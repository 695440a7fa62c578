//! Reports made by hand, for the tests of what is done with them.

use std::time::Duration;

use super::figures::{ErrorCount, LoadCounts, LoadEvent, LoadSetup, WorkerFigures};
use super::latency::{Latency, latency_of};
use super::report::LoadReport;
use super::snapshot::LoadSnapshot;
use super::timeline::{Timeline, Window};
use super::validity::Validity;

/// How an open run of 10 s with 64 workers was set up.
pub(in crate::load) fn setup() -> LoadSetup {
    LoadSetup {
        schedule: "steady 1000/s for 10 s".into(),
        closed: false,
        planned: Some(Duration::from_secs(10)),
        workers: 64,
        flavor: "multi_thread".into(),
        threads: 2,
        seed: 42,
        payload_bytes: (128, 1024),
        generator_bytes: 3 << 20,
    }
}

/// An open run of 10 s in which nothing was done.
pub(in crate::load) fn report(name: &str) -> LoadReport {
    LoadReport {
        name: name.into(),
        setup: setup(),
        counts: LoadCounts { planned: Some(0), ..LoadCounts::default() },
        elapsed: Duration::from_secs(10),
        response: Latency::none(),
        service: Latency::none(),
        lag: Latency::none(),
        failed: Latency::none(),
        in_time: None,
        longest_poll: None,
        first: None,
        warm_up: None,
        errors: Vec::new(),
        operations: Vec::new(),
        workers: None,
        bursts: Vec::new(),
        services: Vec::new(),
        verification: None,
        timeline: Timeline::default(),
        events: Vec::new(),
        machine: None,
        memory: None,
        validity: Validity::default(),
        thresholds: Vec::new(),
        stopped: None,
    }
}

/// The same, with operations that took `times` from their actual start, and were started 5 µs late.
pub(in crate::load) fn served(name: &str, times: impl IntoIterator<Item = u64>) -> LoadReport {
    let times: Vec<u64> = times.into_iter().collect();
    let count = u64::try_from(times.len()).unwrap();
    LoadReport {
        counts: LoadCounts { planned: Some(count), succeeded: count, ..LoadCounts::default() },
        response: latency_of(times.iter().map(|nanos| nanos + 5_000)),
        service: latency_of(times.iter().copied()),
        lag: latency_of(times.iter().map(|_| 5_000)),
        ..report(name)
    }
}

/// With so many more operations that failed, after a second each.
pub(in crate::load) fn failing(mut report: LoadReport, failed: u64) -> LoadReport {
    report.counts.failed += failed;
    report.counts.planned = report.counts.planned.map(|planned| planned + failed);
    report.failed = latency_of((0..failed).map(|_| 1_000_000_000));
    report.errors =
        vec![ErrorCount { kind: "no responders".into(), count: failed, example: "no responders".into() }];
    report
}

/// A run of two operations: 6 000 `put`, of which 150 fail, and 4 000 `get`.
pub(crate) fn put_and_get() -> LoadReport {
    let times = |count: u64, base: u64| (0..count).map(move |i| base + i * i / 40);
    let put = failing(served("put", times(5_850, 210_000)), 150);
    let get = served("get", times(4_000, 90_000));
    let all = times(5_850, 210_000).chain(times(4_000, 90_000));
    let workers =
        WorkerFigures { asked: 64, started: 64, joined: 0, left: 0, failed: 0, set_up: Latency::none() };
    LoadReport { operations: vec![put, get], workers: Some(workers), ..failing(served("total", all), 150) }
}

/// A distribution of times in nanoseconds.
pub(crate) fn latency(nanos: impl IntoIterator<Item = u64>) -> Latency {
    latency_of(nanos)
}

/// A run of 10 s in windows of 100 ms, of which ten are an outage: the server is killed after 4 s.
pub(crate) fn with_an_outage() -> LoadReport {
    let window = |at: u64| {
        let out = (41..51).contains(&at);
        let slow = if (51..55).contains(&at) { 60_000 / (at - 50) } else { 300 + at * 37 % 90 };
        let time = |micros| (!out).then(|| Duration::from_micros(micros));
        Window {
            at: Duration::from_millis(at * 100),
            length: Duration::from_millis(100),
            due: Some(100),
            succeeded: if out { 0 } else { 98 + at * 7 % 5 },
            failed: if out { 60 } else { 0 },
            outstanding: 1,
            p50: time(slow / 2),
            p99: time(slow),
            max: time(slow * 2),
        }
    };
    let event = |name: &str, at, took| LoadEvent {
        name: name.into(),
        at: Duration::from_millis(at),
        took: Duration::from_millis(took),
        error: None,
    };
    let timeline = Timeline { windows: (0..100).map(window).collect() };
    LoadReport {
        timeline,
        events: vec![event("kill the server", 4_000, 12), event("start it again", 4_600, 300)],
        ..put_and_get()
    }
}

/// A report as a snapshot of the run at its end.
pub(in crate::load) fn snapshot(report: &LoadReport) -> LoadSnapshot {
    LoadSnapshot {
        name: report.name.clone(),
        elapsed: report.elapsed,
        planned: report.setup.planned,
        counts: report.counts,
        outstanding: 0,
        response: report.response().clone(),
        service: report.service.clone(),
        lag: report.lag.clone(),
        operations: report.operations.iter().map(snapshot).collect(),
    }
}
