use super::*;
use crate::load::figures::{BurstFigures, LoadCounts, LoadEvent, LoadSetup};
use crate::load::latency::latency_of;
use crate::load::timeline::{Timeline, Window};
use crate::load::verifier::Verifier;

const MS: u64 = 1_000_000;

/// An open loop of 1000 operations that did well, in which nothing was late, on a machine of which nothing is known.
fn report() -> LoadReport {
    LoadReport {
        name: "total".into(),
        setup: LoadSetup {
            schedule: "steady 1000/s for 1 s".into(),
            closed: false,
            planned: Some(Duration::from_secs(1)),
            workers: 64,
            flavor: "current_thread".into(),
            threads: 1,
            seed: 0,
            payload_bytes: (128, 128),
            generator_bytes: 0,
        },
        counts: LoadCounts { planned: Some(1000), succeeded: 1000, ..LoadCounts::default() },
        elapsed: Duration::from_secs(1),
        response: latency_of([MS; 1000]),
        service: latency_of([MS; 1000]),
        lag: latency_of([MS / 20; 1000]),
        failed: latency_of([]),
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
        timeline: outstanding([3, 5, 2]),
        events: Vec::new(),
        machine: None,
        memory: None,
        validity: Validity::default(),
        thresholds: Vec::new(),
        stopped: None,
    }
}

fn outstanding(at_the_ends: impl IntoIterator<Item = u64>) -> Timeline {
    let window = |(number, outstanding)| Window {
        at: Duration::from_millis(100) * number,
        length: Duration::from_millis(100),
        due: Some(100),
        succeeded: 100,
        failed: 0,
        outstanding,
        p50: None,
        p99: None,
        max: None,
    };
    Timeline { windows: (0..).zip(at_the_ends).map(window).collect() }
}

fn reasons(report: &LoadReport) -> Vec<InvalidReason> {
    Validity::of(report).reasons
}

#[test]
fn a_run_in_which_nothing_was_late_is_valid_and_says_what_was_not_judged() {
    let validity = Validity::of(&report());
    assert!(validity.is_valid(), "{validity}");
    let expected = "valid\n  not judged: other processes: this process could not be sampled\n";
    assert_eq!(validity.to_string(), expected);
}

#[test]
fn failures_are_the_systems_and_do_not_make_a_run_invalid() {
    let mut report = report();
    report.counts = LoadCounts { succeeded: 0, failed: 900, unfinished: 100, timed_out: 5, ..report.counts };
    (report.response, report.failed) = (latency_of([]), latency_of([MS; 900]));
    (report.lag, report.setup.workers) = (latency_of([MS / 20; 900]), 100);
    assert_eq!(reasons(&report), []);
}

#[test]
fn a_run_without_any_end_says_nothing() {
    let mut report = report();
    report.counts = LoadCounts { succeeded: 0, unfinished: 1000, ..report.counts };
    (report.lag, report.setup.workers) = (latency_of([]), 1024);
    assert_eq!(reasons(&report), [InvalidReason::Empty]);
    // Fewer workers than that: the rest was not even started.
    report.setup.workers = 64;
    report.timeline = outstanding([500, 1000]);
    let limit = InvalidReason::InFlightLimit { workers: 64, outstanding: 1000, p99: None };
    assert_eq!(reasons(&report), [InvalidReason::Empty, limit]);
}

#[test]
fn fewer_starts_than_were_due_are_the_generators() {
    let mut report = report();
    report.lag = latency_of([MS / 20; 990]);
    assert_eq!(reasons(&report), []);
    report.lag = latency_of([MS / 20; 989]);
    assert_eq!(reasons(&report), [InvalidReason::FellBehind { planned: 1000, started: 989 }]);
    (report.counts.unfinished, report.counts.succeeded) = (11, 989);
    assert_eq!(reasons(&report), [], "they were started, and did not end");
    report.counts.unfinished = 0;
    report.counts.dropped = 11;
    assert_eq!(reasons(&report), [InvalidReason::Dropped { count: 11 }]);
}

#[test]
fn lag_is_allowed_up_to_half_a_millisecond_or_a_quarter_of_the_response() {
    let mut report = report();
    report.lag = latency_of([MS / 2; 1000]);
    assert_eq!(reasons(&report), []);
    report.lag = latency_of([MS * 2; 1000]);
    let [InvalidReason::Lag { p99, allowed }] = reasons(&report)[..] else { panic!("{report:?}") };
    assert_eq!((p99, allowed), (Duration::from_millis(2), LEAST_LAG));
    report.response = latency_of([MS * 10; 1000]);
    assert_eq!(reasons(&report), []);
    // One in a hundred is not more than one in a hundred.
    report.response = latency_of([MS; 1000]);
    report.lag = latency_of((0..1000).map(|i| if i < 990 { 1 } else { MS * 100 }));
    assert_eq!(reasons(&report), []);
}

#[test]
fn lag_for_want_of_workers_says_so() {
    let mut report = report();
    report.lag = latency_of([MS * 50; 1000]);
    report.timeline = outstanding([3, 900, 64]);
    let [InvalidReason::InFlightLimit { workers: 64, outstanding: 900, p99: Some(_) }] = reasons(&report)[..]
    else {
        panic!("{:?}", reasons(&report))
    };
    let text = Validity::of(&report).to_string();
    assert!(text.contains("raise `max_in_flight`"), "{text}");
    // Started when they were due, as there were enough workers: the system stood still, which is no fault of the load.
    let mut paused = self::report();
    paused.timeline = outstanding([3, 64, 64]);
    paused.response = latency_of((0..1000).map(|i| if i < 900 { MS } else { 900 * MS }));
    assert_eq!(reasons(&paused), []);
}

#[test]
fn a_burst_is_late_by_itself_but_not_for_want_of_workers() {
    let mut report = report();
    let burst = |size| BurstFigures { at: Duration::ZERO, size, succeeded: size, failed: 0, drained: None };
    report.lag = latency_of([MS * 5; 1000]);
    report.bursts = vec![burst(64)];
    assert_eq!(reasons(&report), []);
    report.bursts = vec![burst(64), burst(65)];
    assert!(matches!(reasons(&report)[..], [InvalidReason::InFlightLimit { outstanding: 65, .. }]));
}

#[test]
fn a_closed_loop_is_never_late() {
    let mut report = report();
    report.setup.closed = true;
    (report.counts.planned, report.lag) = (None, latency_of([]));
    assert_eq!(reasons(&report), []);
}

#[test]
fn what_others_take_of_the_machine_makes_it_inconclusive() {
    let mut report = report();
    let of = |other: u64, steal: u64, cores: u64| {
        let mut figures = crate::load::machine::figures(Vec::new());
        figures.elapsed = Duration::from_secs(1);
        figures.machine_cores = Some(cores);
        figures.other_cpu = Some(Duration::from_millis(other));
        figures.steal_cpu = Some(Duration::from_millis(steal));
        Some(figures)
    };
    report.machine = of(215, 215, 2);
    assert_eq!(reasons(&report), [], "within the resolution");
    report.machine = of(300, 0, 2);
    assert_eq!(reasons(&report), [InvalidReason::OtherProcesses { cores: 0.3, allowed: 0.2 }]);
    report.machine = of(0, 300, 2);
    assert_eq!(reasons(&report), [InvalidReason::Stolen { cores: 0.3, allowed: 0.2 }]);
    report.machine = of(700, 0, 16);
    assert_eq!(reasons(&report), [], "5 % of 16 processors");
    let mut figures = of(0, 0, 2);
    figures.iter_mut().for_each(|figures| (figures.other_cpu, figures.own_process) = (None, None));
    report.machine = figures;
    let validity = Validity::of(&report);
    assert!(validity.is_valid());
    assert_eq!(validity.not_judged().len(), 2, "{validity}");
}

#[test]
fn what_did_not_arrive_makes_it_inconclusive_unless_something_was_done_to_the_system() {
    let lost_one = |verifier: Verifier| {
        let mut publisher = verifier.publisher("a");
        let receiver = verifier.receiver("r");
        let (first, mut receipt) = publisher.stamp(b"one");
        receipt.sent();
        receipt.confirm();
        let (_lost, mut receipt) = publisher.stamp(b"two");
        receipt.sent();
        receipt.confirm();
        receiver.received(&first);
        verifier.verification()
    };
    let mut report = report();
    report.verification = Some(lost_one(Verifier::new()));
    assert_eq!(reasons(&report), [InvalidReason::NotDelivered { expected: 2, missing: 1 }]);
    let event = LoadEvent { name: "pause".into(), at: Duration::ZERO, took: Duration::ZERO, error: None };
    report.events = vec![event];
    assert_eq!(reasons(&report), []);
    report.events.clear();
    report.verification = Some(lost_one(Verifier::acknowledged()));
    assert_eq!(reasons(&report), []);
}

#[test]
fn a_verdict_survives_json() {
    let mut report = report();
    report.counts.dropped = 7;
    report.lag = latency_of([MS * 50; 1000]);
    let mut machine = crate::load::machine::figures(Vec::new());
    machine.other_cpu = Some(machine.elapsed.mul_f64(0.974_230_865_086_832_1));
    report.machine = Some(machine);
    let validity = Validity::of(&report);
    assert_eq!(validity.reasons().len(), 3);
    let text = serde_json::to_string(&validity).unwrap();
    assert_eq!(serde_json::from_str::<Validity>(&text).unwrap(), validity);
}
