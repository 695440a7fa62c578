use std::time::Duration;

use super::*;
use crate::load::figures::{BurstFigures, ErrorCount, LoadEvent, WarmUpFigures, WorkerFigures};
use crate::load::latency::latency_of;
use crate::load::made::{put_and_get, report, served};
use crate::load::service::ServiceFigures;
use crate::load::threshold::Threshold;
use crate::load::validity::InvalidReason;
use crate::load::verifier::Verifier;

/// A run with everything that there can be, but for what depends on the machine.
fn eventful() -> LoadReport {
    let mut report = put_and_get();
    report.setup.flavor = "current_thread".into();
    report.setup.threads = 1;
    (report.counts.timed_out, report.counts.injected) = (30, 12);
    (report.counts.dropped, report.counts.unfinished) = (3, 1);
    (report.counts.items, report.counts.bytes) = (20_000, 1_300_000);
    report.first = Some(Duration::from_micros(12_300));
    report.warm_up = Some(WarmUpFigures {
        planned: Duration::from_secs(1),
        succeeded: 998,
        failed: 2,
        response: latency_of([1_000_000; 998]),
    });
    report.workers = Some(WorkerFigures {
        asked: 64,
        started: 62,
        joined: 3,
        left: 3,
        failed: 2,
        set_up: latency_of([2_000_000, 4_000_000]),
    });
    let error =
        |kind: &str, count| ErrorCount { kind: kind.into(), count, example: kind.replace('#', "500") };
    report.errors = vec![error("no responders", 120), error("timed out after # ms", 30)];
    let burst = |at, succeeded, drained: Option<u64>| BurstFigures {
        at: Duration::from_secs(at),
        size: 1_000,
        succeeded,
        failed: 1_000 - succeeded,
        drained: drained.map(Duration::from_millis),
    };
    report.bursts = vec![burst(0, 1_000, Some(80)), burst(1, 999, Some(120)), burst(2, 400, None)];
    report.services = vec![ServiceFigures {
        name: "consumer".into(),
        instances: Vec::new(),
        received: 5_850,
        received_per_second: Some(585.0),
        bytes: 748_800,
        delivery: latency_of([300_000; 5_850]),
        errors: Vec::new(),
        panicked: 0,
        aborted: 0,
    }];
    let reason = InvalidReason::Lag { p99: Duration::from_millis(9), allowed: Duration::from_millis(1) };
    report.validity.reasons = vec![reason];
    report.events = vec![LoadEvent {
        name: "kill".into(),
        at: Duration::from_secs(2),
        took: Duration::from_millis(12),
        error: None,
    }];
    report.stopped = Some("`errors<1%`: 1.50 %, allowed is < 1.00 %".into());
    let texts = ["p50<5ms", "p99<5ms for put", "mean<=400us"];
    report.thresholds = texts.map(|text| Threshold::from(text).judge(&report)).to_vec();
    report
}

#[test]
fn an_eventful_run_is_told_whole() {
    let text = eventful().to_string();
    assert_eq!(text, include_str!("eventful.txt"), "\n{text}");
    assert!(text.lines().take(40).all(|line| line.chars().count() <= 100));
}

#[test]
fn long_lines_go_on_below_and_a_number_keeps_its_unit() {
    let mut text = String::new();
    wrapped(&mut text, "label ", &format!("{} 12 345 ms end", "x".repeat(85)));
    assert_eq!(text, format!("label {}\n      12 345 ms end\n", "x".repeat(85)));
    text.clear();
    wrapped(&mut text, "label ", &"x".repeat(200));
    assert_eq!(text, format!("label {}\n", "x".repeat(200)), "one word is not cut");
}

#[test]
fn one_operation_is_one_row_and_what_is_absent_is_not_there() {
    let mut report = served("total", [1_000; 5]);
    report.operations = vec![served("no-op", [1_000; 5])];
    report.workers = put_and_get().workers;
    let text = report.to_string();
    assert_eq!(text, include_str!("one.txt"), "\n{text}");
}

#[test]
fn a_closed_loop_has_no_lag_and_nothing_is_offered() {
    let mut report = served("total", [1_000; 5]);
    report.setup.closed = true;
    report.setup.schedule = "closed, 1 worker for 10 s".into();
    report.counts.planned = None;
    let text = report.to_string();
    assert!(!text.contains("lag") && !text.contains("offered") && !text.contains("response"), "{text}");
    assert!(text.contains("achieved   0.5/s\n") && text.contains("\n  service  1.00 µs"), "{text}");
}

#[test]
fn of_a_run_in_which_nothing_ended_no_time_is_told() {
    let text = report("total").to_string();
    assert!(!text.contains("p99") && text.contains("total          0"), "{text}");
}

#[test]
fn the_report_of_one_operation_judges_nothing() {
    let text = put_and_get().operation("get").unwrap().to_string();
    assert!(text.starts_with("load       `get`, steady") && !text.contains("outcome"), "{text}");
}

#[test]
fn what_the_verifier_and_services_say_is_in_it() {
    let mut report = eventful();
    let verification = Verifier::new().verification();
    report.verification = Some(verification.clone());
    let text = report.to_string();
    assert!(text.contains(&verification.to_string()), "{text}");
    assert!(text.contains(&report.services()[0].to_string()), "{text}");
}

#[test]
fn many_errors_and_bursts_are_summed_up() {
    let mut report = eventful();
    report.errors = (0..12)
        .map(|i| ErrorCount { kind: i.to_string(), count: 12 - i, example: "x".repeat(200) })
        .collect();
    let burst = report.bursts[0].clone();
    report.bursts =
        (0..100).map(|i| BurstFigures { drained: Some(Duration::from_millis(i)), ..burst.clone() }).collect();
    let text = report.to_string();
    assert!(text.contains("\n  and 10 more of 4 other kinds\n"), "{text}");
    assert!(
        text.contains("bursts     100 with 100 000 operations, 100.0 % served, drained in 99.0 ms at most"),
        "{text}"
    );
    assert!(
        text.contains("92.0 ms\n") && !text.contains("91.0 ms\n") && text.contains("the 8 slowest of 100"),
        "{text}"
    );
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
}

#[test]
fn a_long_name_keeps_its_end() {
    assert_eq!(shortened("jetstream publish with ack", 18), "jetstream p…th ack");
    assert_eq!(shortened("put\nget", 18), "put get");
}

#[test]
fn a_report_survives_json() {
    let mut report = eventful();
    report.verification = Some(Verifier::new().verification());
    let text = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<LoadReport>(&text).unwrap(), report);
}
