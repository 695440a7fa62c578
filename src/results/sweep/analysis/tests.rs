use std::time::Duration;

use super::super::window::Window;
use super::super::{Bottleneck, BottleneckKind};
use super::*;

fn facts() -> Facts {
    Facts {
        name: "made".into(),
        taken: Moment(1_795_000_000),
        fingerprint: Fingerprint::default(),
        seed: 7,
        thresholds: vec!["p99<5ms".into()],
        skipped: Vec::new(),
        budget: None,
        notes: Vec::new(),
    }
}

/// Levels of a closed loop by their throughput and mean time, two windows each.
fn closed(rows: &[(f64, f64, f64)]) -> Vec<Rung> {
    let window = |throughput: f64, mean: f64| {
        let mut window = Window::default();
        window.put(Figure::Throughput, Some(throughput));
        window.put(Figure::Mean, Some(mean));
        window.put(Figure::P50, Some(mean));
        window.put(Figure::Errors, Some(0.0));
        window
    };
    rows.iter()
        .map(|&(level, throughput, mean)| Rung { level, windows: vec![window(throughput, mean); 2] })
        .collect()
}

/// Of `servers` that take a millisecond each.
fn servers(servers: f64, levels: &[f64]) -> Vec<Rung> {
    let row = |level: &f64| {
        let throughput = level.min(servers) * 1000.0;
        (*level, throughput, level / throughput)
    };
    closed(&levels.iter().map(row).collect::<Vec<_>>())
}

fn ill(mut rungs: Vec<Rung>, from: f64) -> Vec<Rung> {
    for rung in rungs.iter_mut().filter(|rung| rung.level >= from) {
        rung.windows.iter_mut().for_each(|window| window.problems = vec!["`p99<5ms`: was 9 ms".into()]);
    }
    rungs
}

#[test]
fn eight_servers_have_their_knee_at_eight() {
    let report = analyse(Axis::Concurrency, &servers(8.0, &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0]), facts());
    let knee = report.knee.unwrap();
    assert_eq!((knee.level, knee.throughput), (8.0, 8000.0));
    assert_eq!(
        knee.evidence,
        "16 adds +0.0 % of throughput to that at 8, and no higher level 10 % for each doubling"
    );
    assert_eq!(report.limit.map(|limit| (limit.level, limit.fails_at)), Some((32.0, None)));
    let scaling: Vec<_> = report.levels.iter().map(|level| level.scalability.unwrap()).collect();
    assert_eq!(scaling, [1.0, 1.0, 1.0, 1.0, 0.5, 0.25]);
    assert!(report.law.is_some());
    let p50 = &report.degradation[0];
    assert_eq!((p50.metric.as_str(), p50.from, p50.worst_at), ("p50", 16.0, 32.0));
    let evidence = "above the knee, p50 is 2.00 ms at 16, 1.00 ms at 1: what is added waits for its turn";
    let expected = Bottleneck { kind: BottleneckKind::Queueing, evidence: evidence.into(), level: 16.0 };
    assert_eq!(report.bottlenecks, [expected]);
    assert_eq!(report.notes, Vec::<String>::new());
}

#[test]
fn a_limit_below_the_plateau_is_the_knee() {
    let rungs = ill(servers(16.0, &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0]), 8.0);
    let report = analyse(Axis::Concurrency, &rungs, facts());
    let knee = report.knee.unwrap();
    assert_eq!(knee.level, 4.0);
    assert_eq!(
        knee.evidence,
        "8 adds +100.0 % of throughput, but `p99<5ms`: was 9 ms (so or otherwise in 2 of 2 windows); without that, it would \
         rise up to 16"
    );
    assert_eq!(report.limit.unwrap().fails_at, Some(8.0));
}

#[test]
fn what_still_rises_has_no_knee_and_too_few_levels_no_law() {
    let report = analyse(Axis::Concurrency, &servers(64.0, &[1.0, 2.0, 4.0]), facts());
    assert_eq!((report.knee, report.law), (None, None));
    assert_eq!(
        report.notes,
        [
            "the scalability law takes 6 levels with throughput, and there are 3",
            "no knee: throughput still rises at 4"
        ]
    );
    assert_eq!(report.bottlenecks[0].kind, BottleneckKind::LatencyBound);
}

#[test]
fn where_little_is_off_it_is_noted() {
    let rungs = closed(&[(1.0, 1000.0, 0.001), (2.0, 2000.0, 0.001), (4.0, 3000.0, 0.001)]);
    let notes = analyse(Axis::Concurrency, &rungs, facts()).notes;
    assert!(notes.iter().any(|note| note.contains("Little's law") && note.contains("3.0 at 4")), "{notes:?}");
    let open = analyse(Axis::Rate, &rungs, facts()).notes;
    assert!(!open.iter().any(|note| note.contains("Little")), "{open:?}");
}

#[test]
fn payload_should_rise_in_bytes_and_data_not_at_all() {
    // 10 000 small messages a second, and 10 MB of large ones: from 1000 bytes on, ten times the size gives 11 % more bytes.
    let sizes = [(100.0, 10_000.0), (1_000.0, 9_000.0), (10_000.0, 1_000.0), (100_000.0, 100.0)];
    let rungs = closed(&sizes.map(|(size, rate)| (size, rate, 1.0 / rate)));
    let report = analyse(Axis::Payload, &rungs, facts());
    assert_eq!(report.knee.map(|knee| (knee.level, knee.throughput)), Some((1_000.0, 9_000.0)));
    let data = analyse(Axis::Data, &rungs, facts());
    assert_eq!(data.knee, None);
    assert!(data.levels.iter().all(|level| level.scalability.is_none()));
    assert_eq!(data.notes, ["no knee: throughput does not have to rise with the level"]);
    assert_eq!((data.degradation[1].metric.as_str(), data.degradation[1].from), ("throughput", 10_000.0));
}

#[test]
fn a_first_level_that_is_not_well_has_no_limit() {
    let report = analyse(Axis::Rate, &ill(servers(4.0, &[1.0, 2.0]), 1.0), facts());
    assert_eq!((report.limit, report.knee), (None, None));
    assert!(report.notes[0].starts_with("no limit: already 1 is not well: `p99<5ms`: was 9 ms"));
    assert_eq!(report.degradation, []);
}

#[test]
fn why_it_stopped_is_that_of_the_level_below_those_left_out() {
    let mut rungs = servers(4.0, &[1.0, 2.0]);
    let stop = SweepStop::Latency { level: 2.0, mean: Duration::from_secs(6) };
    rungs[1].windows.iter_mut().for_each(|window| window.stop = Some(stop));
    let whole = analyse(Axis::Concurrency, &rungs, facts());
    assert_eq!(whole.stopped, None);
    let cut = analyse(Axis::Concurrency, &rungs, Facts { skipped: vec![4.0, 8.0], ..facts() });
    assert_eq!(cut.stopped, Some(stop));
    assert_eq!(stop.to_string(), "operations took 6.00 s on average at 2 (5 s are too long)");
}

#[test]
fn it_survives_json_and_is_shown_as_a_table() {
    let rungs = ill(servers(8.0, &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0]), 16.0);
    let report = analyse(Axis::Concurrency, &rungs, facts());
    let json = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<SweepReport>(&json).unwrap(), report);
    let text = report.to_string();
    let lines: Vec<_> = text.lines().take(6).collect();
    assert_eq!(
        lines,
        [
            "made: 6 levels of concurrency, seed 7",
            "well is: p99<5ms",
            "",
            "  concurrency  throughput      p50  errors  scaling  well",
            "  1              1 000 /s  1.00 ms     0 %     1.00   yes",
            "  2              2 000 /s  1.00 ms     0 %     1.00   yes",
        ]
    );
    assert!(text.contains("limit: all is well up to 8; not at 16: `p99<5ms`: was 9 ms"), "{text}");
    assert!(text.contains("bottleneck: queueing: "), "{text}");
}

// Of the trial: up to 1 045 000 bytes all is well, and above the server's `max_payload` every operation fails, at once.
#[test]
fn a_level_at_which_all_fails_is_in_no_conclusion_but_its_own() {
    let bytes = [(128.0, 40_000.0), (8_192.0, 20_000.0), (131_072.0, 4_000.0), (1_045_000.0, 800.0)];
    let mut rungs = closed(&bytes.map(|(size, rate)| (size, rate, 4.0 / rate)));
    let mut failing = closed(&[(1_246_974.0, 0.0, 1e-6), (2_097_152.0, 0.0, 1e-6)]);
    for rung in &mut failing {
        for window in &mut rung.windows {
            window.values.retain(|(figure, _)| *figure != Figure::Errors);
            window.put(Figure::Errors, Some(1.0));
            window.problems = vec!["no operation ended well".into()];
            window.stop = Some(SweepStop::NothingAchieved { level: rung.level });
            window.refused = Some("9 × `max payload size exceeded`".into());
        }
    }
    rungs.extend(failing);
    let report = analyse(Axis::Payload, &rungs, facts());
    assert_eq!(report.limit.as_ref().and_then(|limit| limit.fails_at), Some(1_246_974.0));
    let kinds: Vec<_> = report.bottlenecks.iter().map(|found| found.kind).collect();
    assert_eq!(kinds, [BottleneckKind::LimitReached]);
    let worse: Vec<_> = report.degradation.iter().map(|one| (one.metric.as_str(), one.worst_at)).collect();
    assert_eq!(worse, [("p50", 1_045_000.0)]);
    // 45 at 64 KiB, of 131 and 836 MB/s: that it fails above is the limit's to tell.
    assert_eq!(report.knee, None);
    assert!(report.notes.iter().any(|note| note.starts_with("no knee below the first level")), "{report}");
}

#[test]
fn what_goes_up_and_down_has_neither_knee_nor_law() {
    let throughputs = [4570.0, 5538.0, 2539.0, 2971.0, 3359.0, 9903.0, 7129.0];
    let row = |(level, throughput): (f64, f64)| (level, throughput, level / throughput);
    let levels = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0];
    let rows: Vec<_> = levels.into_iter().zip(throughputs).map(row).collect();
    let report = analyse(Axis::Concurrency, &closed(&rows), facts());
    assert_eq!((&report.knee, &report.law), (&None, &None));
    assert_eq!(report.bottlenecks[0].kind, BottleneckKind::Unknown);
    assert_eq!(
        report.notes,
        [
            "neither knee nor law: throughput goes up and down from level to level, by up to 54.2 %: measure on a machine that \
             does nothing else"
        ]
    );
}

#[test]
fn results_have_the_sweeps_name_unless_they_are_given_another() {
    let report = analyse(Axis::Concurrency, &servers(8.0, &[1.0, 2.0]), facts());
    assert_eq!(report.clone().into_results().title, "made");
    assert_eq!(report.clone().into_results_as("another").title, "another");
    let nameless = SweepReport { name: String::new(), ..report };
    assert_eq!(nameless.into_results().title, "sweep");
}
