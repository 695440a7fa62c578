use super::super::figure::Figure;
use super::super::window::{Room, Window};
use super::*;

/// A window with figures, on a machine of four processors whose runtime has two threads.
fn window(figures: &[(Figure, f64)]) -> Window {
    let mut window = Window::default();
    figures.iter().for_each(|(figure, value)| window.put(*figure, Some(*value)));
    window.room = Room {
        runtime: Some(("multi_thread".into(), 2.0)),
        cores: Some(4.0),
        machine_cores: Some(4.0),
        server_cores: None,
        memory: Some(1e10),
    };
    window
}

fn rung(level: f64, window: Window) -> Rung {
    Rung { level, windows: vec![window] }
}

/// Calm figures of a level.
const CALM: [(Figure, f64); 8] = [
    (Figure::Throughput, 1000.0),
    (Figure::P50, 0.001),
    (Figure::P99, 0.002),
    (Figure::ServiceP99, 0.002),
    (Figure::ClientCores, 0.5),
    (Figure::ServerCores, 0.5),
    (Figure::OtherCores, 0.1),
    (Figure::ClientCpu, 0.0005),
];

/// A calm first level, and one above it with some figures in the place of the calm ones.
fn two(changed: &[(Figure, f64)]) -> Vec<Rung> {
    let calm = CALM.iter().filter(|(figure, _)| !changed.iter().any(|(known, _)| known == figure));
    let figures: Vec<_> = calm.chain(changed).copied().collect();
    vec![rung(1.0, window(&CALM)), rung(8.0, window(&figures))]
}

fn found(axis: &Axis, rungs: &[Rung], knee: Option<f64>) -> Vec<Bottleneck> {
    Case { axis, rungs, knee, limit: None, is_erratic: false }.bottlenecks()
}

fn kinds(rungs: &[Rung], knee: Option<f64>) -> Vec<BottleneckKind> {
    found(&Axis::Concurrency, rungs, knee).into_iter().map(|found| found.kind).collect()
}

#[test]
fn each_rule_finds_its_own_and_nothing_else() {
    use BottleneckKind as Kind;
    type Changed = &'static [(Figure, f64)];
    let cases: [(Changed, Option<f64>, Kind); 9] = [
        (&[], None, Kind::LatencyBound),
        (&[(Figure::ClientCores, 1.9)], None, Kind::ClientCpu),
        (&[(Figure::ServerCores, 3.7), (Figure::ClientCores, 0.1)], None, Kind::ServerCpu),
        (&[(Figure::ServerCores, 2.1), (Figure::ClientCores, 1.5)], None, Kind::Processors),
        (&[(Figure::OtherCores, 0.3)], None, Kind::OtherProcesses),
        (&[(Figure::ClientCpu, 0.0007)], None, Kind::Contention),
        (&[(Figure::SlowConsumers, 1.0)], None, Kind::SlowConsumer),
        (&[(Figure::Dropped, 1.0)], None, Kind::Drops),
        (&[(Figure::P50, 0.004)], Some(4.0), Kind::Queueing),
    ];
    for (figures, knee, kind) in cases {
        let kinds = kinds(&two(figures), knee);
        let first = kinds[0];
        assert_eq!(first, kind, "{figures:?}: {kinds:?}");
        // A server at 3.7 of 4 is a machine that is full as well.
        assert!(kinds.len() == 1 || kind == Kind::ServerCpu, "{figures:?}: {kinds:?}");
    }
}

#[test]
fn just_below_its_threshold_nothing_is_found() {
    for figures in [
        [(Figure::ClientCores, 1.79), (Figure::Dropped, 0.0)],
        [(Figure::ServerCores, 2.9), (Figure::ServerCpu, 0.0)],
        [(Figure::OtherCores, 0.2), (Figure::Undelivered, 0.0)],
        [(Figure::ClientCpu, 0.0006), (Figure::SlowConsumers, 0.0)],
        [(Figure::DiskWait, 0.9), (Figure::ServerIo, 1000.0)],
        [(Figure::ClientRss, 4e9), (Figure::ServerRss, 9e8)],
    ] {
        assert_eq!(kinds(&two(&figures), None), [BottleneckKind::LatencyBound], "{figures:?}");
    }
}

#[test]
fn evidence_has_the_figures() {
    let text = |figures: &[(Figure, f64)]| found(&Axis::Rate, &two(figures), None)[0].evidence.clone();
    assert_eq!(
        text(&[(Figure::ClientCores, 1.9)]),
        "this process uses 1.90 processors of the 2 that its runtime (multi_thread) can use, at 8"
    );
    assert_eq!(
        text(&[(Figure::DiskWait, 0.45), (Figure::ServerIo, 3e6)]),
        "some task of the machine waits for storage 45.0 % of the time at 8, while the server moves 2.86 MiB/s"
    );
    assert_eq!(
        text(&[(Figure::ClientRss, 2e9), (Figure::ServerRss, 4e9)]),
        "client and server have 5.59 GiB of 9.31 GiB of memory at 8"
    );
    assert_eq!(text(&[(Figure::P99, 0.1)]), "p99 is 100 ms at 8, that of the service times 2.00 ms");
    assert_eq!(
        text(&[(Figure::ClientCpu, 0.001)]),
        "an operation costs 1.00 ms of CPU time at 8, 500 µs at 1"
    );
}

#[test]
fn a_runtime_of_one_thread_is_full_at_one_processor() {
    let mut rungs = two(&[(Figure::ClientCores, 0.95)]);
    assert_eq!(kinds(&rungs, None), [BottleneckKind::LatencyBound]);
    rungs[1].windows[0].room.runtime = Some(("current_thread".into(), 1.0));
    assert_eq!(kinds(&rungs, None), [BottleneckKind::ClientCpu]);
}

#[test]
fn losses_come_before_what_is_busy_and_waiting_after_it() {
    use BottleneckKind as Kind;
    let figures = [
        (Figure::P50, 0.01),
        (Figure::ClientCores, 1.95),
        (Figure::Undelivered, 3.0),
        (Figure::Dropped, 2.0),
    ];
    assert_eq!(
        kinds(&two(&figures), Some(4.0)),
        [Kind::SlowConsumer, Kind::ClientCpu, Kind::Drops, Kind::Queueing]
    );
}

#[test]
fn what_more_data_costs_is_no_contention() {
    let rungs = two(&[(Figure::ClientCpu, 0.005)]);
    assert_eq!(found(&Axis::Data, &rungs, None)[0].kind, BottleneckKind::None);
    assert_eq!(found(&Axis::Rate, &rungs, None)[0].kind, BottleneckKind::Contention);
}

#[test]
fn throughput_that_falls_on_several_threads_is_contention() {
    let mut rungs = two(&[(Figure::Throughput, 800.0)]);
    rungs[0].level = 4.0;
    assert_eq!(kinds(&rungs, Some(4.0)), [BottleneckKind::Contention]);
    rungs[1].windows[0].room.runtime = Some(("current_thread".into(), 1.0));
    assert_eq!(kinds(&rungs, Some(4.0)), [BottleneckKind::Unknown]); // it rises no more, and no figure says why
}

#[test]
fn limits_are_named_with_what_says_so() {
    let mut rungs = two(&[]);
    rungs[1].windows[0].all_workers_busy = Some("all 16 workers were busy".into());
    assert_eq!(found(&Axis::Rate, &rungs, None)[0].evidence, "all 16 workers were busy (at 8)");
    rungs[1].windows[0].refused = Some("7 × `maximum connections exceeded`".into());
    let found = found(&Axis::Rate, &rungs, None);
    assert_eq!(found[0].evidence, "operations fail with 7 × `maximum connections exceeded` at 8");
    assert_eq!([found[0].kind, found[1].kind], [BottleneckKind::LimitReached; 2]);
}

#[test]
fn losses_at_the_first_level_that_is_not_well_are_found_wherever_the_knee_is() {
    let mut rungs = two(&[]);
    rungs.insert(1, rung(2.0, window(&CALM)));
    rungs[2].windows[0].refused = Some("13 × `maximum connections exceeded`".into());
    rungs[2].windows[0].problems = vec!["13 % failed".into()];
    let limit = Limit { level: 2.0, fails_at: Some(8.0), why: None };
    let case = Case {
        axis: &Axis::Concurrency,
        rungs: &rungs,
        knee: Some(1.0),
        limit: Some(&limit),
        is_erratic: false,
    };
    let found = case.bottlenecks();
    assert_eq!((found.len(), found[0].kind, found[0].level), (1, BottleneckKind::LimitReached, 8.0));
}

#[test]
fn without_figures_it_says_so() {
    let none = found(&Axis::Rate, &[], None);
    assert_eq!((none.len(), none[0].kind), (1, BottleneckKind::Unknown));
    let bare = found(&Axis::Rate, &[rung(1.0, Window::default())], None);
    assert_eq!(
        bare[0].evidence,
        "all is well at the highest level, and how busy the machine is at 1 was not measured"
    );
}

#[test]
fn what_did_not_end_counts_by_its_share_and_not_by_a_second() {
    let found = |share| {
        let mut rungs = two(&[(Figure::Unfinished, 15.0)]);
        rungs[1].windows[0].unfinished_share = Some(share);
        kinds(&rungs, None).contains(&BottleneckKind::Drops)
    };
    // 15 of a window of ten seconds at 1 000 /s are few, of one second they are not.
    assert_eq!([found(0.0015), found(0.015)], [false, true]);
}

/// Two levels of a service that takes 5 ms, one request at a time, on two processors of which others use most.
fn serial() -> Vec<Rung> {
    let of = |level: f64| {
        let figures = [
            (Figure::Throughput, 160.0),
            (Figure::P50, 0.006_25 * level),
            (Figure::ClientCores, 0.07),
            (Figure::ServerCores, 0.04),
            (Figure::OtherCores, 1.89),
        ];
        let mut window = window(&figures);
        window.room.machine_cores = Some(2.0);
        rung(level, window)
    };
    [1.0, 2.0, 4.0, 8.0].map(of).to_vec()
}

#[test]
fn one_at_a_time_is_queueing_whatever_else_is_on_the_machine() {
    let found = found(&Axis::Concurrency, &serial(), Some(1.0));
    let kinds: Vec<_> = found.iter().map(|found| found.kind).collect();
    assert_eq!(kinds, [BottleneckKind::Queueing, BottleneckKind::OtherProcesses]);
    assert_eq!(
        found[0].evidence,
        "as if 1 were served at a time: throughput is 160 /s at 1 and 160 /s at 2, p50 6.25 ms and 12.5 ms; throughput times \
         p50 is 2.0, and client and server use 0.11 of 2 processors"
    );
    assert_eq!(
        others(&serial()).unwrap(),
        "other processes used up to 1.89 of 2 processors (at 8): what was measured then is in doubt, and what follows from it \
         (measure on a machine that does nothing else)"
    );
}

#[test]
fn so_many_at_a_time_are_counted_and_a_busy_client_is_none() {
    let evidence = |rungs: &[Rung], knee| found(&Axis::Concurrency, rungs, Some(knee))[0].evidence.clone();
    // Four servers of 25 ms.
    let mut four = serial();
    for rung in &mut four {
        let throughput = 40.0 * rung.level.min(4.0);
        rung.windows[0].values.retain(|(figure, _)| !matches!(figure, Figure::Throughput | Figure::P50));
        rung.windows[0].put(Figure::Throughput, Some(throughput));
        rung.windows[0].put(Figure::P50, Some(rung.level / throughput));
    }
    assert!(evidence(&four, 4.0).starts_with("as if 4 were served at a time: "), "{}", evidence(&four, 4.0));
    // Where the lowest level waits already, no more is known than that.
    let late = evidence(&serial()[2..], 4.0);
    assert!(late.starts_with("as if at most 4 were served at a time: "), "{late}");
    let mut busy = serial();
    for rung in &mut busy {
        rung.windows[0].values.retain(|(figure, _)| *figure != Figure::ClientCores);
        rung.windows[0].put(Figure::ClientCores, Some(0.95));
        rung.windows[0].room.runtime = Some(("current_thread".into(), 1.0));
    }
    let found = found(&Axis::Concurrency, &busy, Some(1.0));
    assert_eq!(found[0].kind, BottleneckKind::ClientCpu);
    assert!(!found.iter().any(|found| found.evidence.starts_with("as if")), "{found:?}");
}

#[test]
fn processors_that_others_use_do_not_limit_as_processors() {
    let busy =
        |client, others| kinds(&two(&[(Figure::ClientCores, client), (Figure::OtherCores, others)]), None);
    assert_eq!(busy(1.4, 1.8), [BottleneckKind::Processors, BottleneckKind::OtherProcesses]);
    assert_eq!(busy(1.2, 1.8), [BottleneckKind::OtherProcesses]); // 1.7 of 3.5
}

#[test]
fn other_processes_come_last() {
    let figures = [(Figure::OtherCores, 3.9), (Figure::Dropped, 1.0), (Figure::P50, 0.01)];
    assert_eq!(
        kinds(&two(&figures), Some(4.0)),
        [BottleneckKind::Drops, BottleneckKind::Queueing, BottleneckKind::OtherProcesses]
    );
    assert_eq!(others(&two(&[])), None);
}

#[test]
fn larger_messages_that_take_longer_are_no_queue() {
    let rungs = two(&[(Figure::P50, 0.05)]);
    assert_eq!(found(&Axis::Rate, &rungs, Some(4.0))[0].kind, BottleneckKind::Queueing);
    for axis in [Axis::Payload, Axis::Data, Axis::Named("keys".into())] {
        assert_eq!(found(&axis, &rungs, Some(4.0))[0].kind, BottleneckKind::Unknown, "{axis:?}");
    }
}

#[test]
fn of_a_level_that_fails_only_its_errors_speak() {
    let mut rungs = two(&[(Figure::ClientCores, 1.98), (Figure::Errors, 1.0), (Figure::SlowConsumers, 1.0)]);
    rungs[0].level = 1_045_000.0;
    rungs[1].level = 1_246_974.0;
    rungs[1].windows[0].refused = Some("9 × `max payload size exceeded`".into());
    rungs[1].windows[0].problems = vec!["100 % failed".into()];
    let limit = Limit { level: 1_045_000.0, fails_at: Some(1_246_974.0), why: None };
    let found = |rungs: &[Rung], limit: Option<&Limit>| {
        let case = Case { axis: &Axis::Payload, rungs, knee: None, limit, is_erratic: false };
        case.bottlenecks().into_iter().map(|found| (found.kind, found.level)).collect::<Vec<_>>()
    };
    assert_eq!(found(&rungs, Some(&limit)), [(BottleneckKind::LimitReached, 1_246_974.0)]);
    assert_eq!(found(&rungs[1..], None), [(BottleneckKind::LimitReached, 1_246_974.0)]);
    rungs[1].windows[0].refused = None;
    // What stops it is not known, and all is not well.
    assert_eq!(found(&rungs, Some(&limit)), [(BottleneckKind::Unknown, 1_045_000.0)]);
    assert_eq!(found(&rungs[1..], None), [(BottleneckKind::Unknown, 1_246_974.0)]);
}
