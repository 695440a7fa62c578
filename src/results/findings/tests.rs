use std::time::Duration;

use super::made::{compared, comparison, metric, record, throughput};
use super::*;
use crate::results::comparison::{Basis, ComparisonKind, Verdict};
use crate::results::document::{Outcome, Results};
use crate::results::error::ResultsErrorKind;
use crate::results::metric::{Better, Metric, MetricKind, Unit};
use crate::results::record::Record;
use crate::results::sweep::{Bottleneck, BottleneckKind, Degradation, Knee, Limit, SweepReport, SweepStop};
use crate::results::target::Target;

fn memory(samples: &[f64]) -> Metric {
    metric("peak heap", MetricKind::Memory, Unit::Bytes, Better::Lower, samples)
}

fn of_records(records: Vec<Record>) -> Results {
    Results::new("bus", records, Vec::new())
}

fn lines(results: &Results) -> Vec<String> {
    let line = |one: &Finding| format!("{:?} {:?} [{}] {}", one.severity, one.kind, one.subject, one.text);
    results.findings.iter().map(line).collect()
}

#[test]
fn nothing_to_say_is_no_finding_and_has_passed() {
    let results = of_records(vec![record("bus", vec![throughput(&[100.0, 101.0, 99.0])])]);
    assert_eq!(lines(&results), [""; 0]);
    assert_eq!(results.outcome(), Outcome::Passed);
    results.check().unwrap();
}

#[test]
fn targets_come_the_most_severe_first_and_a_mistake_does_not_pass() {
    let mut bus = record("bus", vec![throughput(&[850.0]), memory(&[])]);
    bus.targets = vec![
        Target::at_least("throughput", 800.0),
        Target::at_least("throughput", 1000.0),
        Target::at_most("peak heap", 1024.0),
    ];
    let warned = of_records(vec![bus.clone()]);
    assert_eq!(
        lines(&warned),
        [
            "Warn Target [throughput] throughput is 850 /s and misses the target of at least 1 000 /s by 15.0 % (more than \
             10.0 %, no more than 20.0 %)",
            "Unknown Target [peak heap] peak heap was not measured, so the target of at most 1.00 KiB is neither met nor \
             missed",
            "Good Target [throughput] throughput is 850 /s and meets the target of at least 800 /s",
        ]
    );
    assert_eq!(warned.outcome(), Outcome::Inconclusive);
    bus.targets.truncate(2);
    assert_eq!(of_records(vec![bus.clone()]).outcome(), Outcome::Warned);
    bus.targets.push(Target::at_least("thruput", 1.0));
    let mistaken = of_records(vec![bus]);
    assert_eq!(mistaken.findings[0].severity, Severity::Fail);
    assert_eq!(mistaken.outcome(), Outcome::Failed);
}

#[test]
fn of_sides_in_turn_each_fact_is_told_once_with_its_impact() {
    let slower = compared(&throughput(&[]), 1500.0, 1000.0, Verdict::Regressed);
    let leaner = compared(&memory(&[]), 4.0 * 1_048_576.0, 1_048_576.0, Verdict::Improved);
    let mut both = comparison(ComparisonKind::Interleaved, vec![slower, leaner], Verdict::Regressed);
    both.recommendation = Some("keep `old` where throughput matters".into());
    let results = Results::new("bus", Vec::new(), vec![both]);
    let text: Vec<_> = lines(&results);
    assert_eq!(
        text,
        [
            "Fail Weakness [new] `new` is worse than `old` in throughput (-33.3 %)",
            "Note Recommendation [new] keep `old` where throughput matters",
            "Good Strength [new] `new` is better than `old` in peak heap (-75.0 %)",
        ]
    );
    let impacts: Vec<_> = results.findings.iter().map(|finding| finding.impact.as_deref()).collect();
    assert_eq!(impacts, [Some("throughput: 500 less per second"), None, Some("peak heap: 3.00 MiB less"),]);
}

#[test]
fn an_earlier_run_is_no_side_and_a_ratio_to_the_control_is_called_one() {
    let mut slower = compared(&throughput(&[]), 1500.0, 1200.0, Verdict::Same);
    (slower.warned, slower.basis, slower.shift) = (true, Basis::Control, None);
    let saved = comparison(ComparisonKind::Saved, vec![slower], Verdict::Same);
    let results = Results::new("bus", vec![record("bus", vec![throughput(&[1200.0])])], vec![saved]);
    assert_eq!(
        lines(&results),
        [
            "Warn Change [new] throughput is worse, though no regression: `new` has 1 200 /s, `old` 1 500 /s \
             (-20.0 % as ratios to the control, between -28.0 % and -12.0 %)",
            "Note Validity [bus] no control ran in turn with it, so that a slower machine looks like slower code",
        ]
    );
    assert_eq!(results.findings[0].impact.as_deref(), Some("300 less per second"));
    assert_eq!(results.outcome(), Outcome::Warned);
}

#[test]
fn what_cannot_be_told_has_no_impact_and_one_reason_is_one_finding() {
    let few = |metric: &Metric| compared(metric, 1.0, 2.0, Verdict::Inconclusive);
    let metrics = vec![few(&throughput(&[])), few(&memory(&[]))];
    let all = comparison(ComparisonKind::Interleaved, metrics, Verdict::Inconclusive);
    let results = Results::new("bus", Vec::new(), vec![all]);
    let text = "Unknown Change [new] `new` cannot be told from `old`: as it was made (Inconclusive)";
    assert_eq!(lines(&results), [text]);
    assert_eq!(results.outcome(), Outcome::Inconclusive);
    results.check().unwrap(); // a busy machine fails no test

    let metrics = vec![few(&throughput(&[])), compared(&memory(&[]), 1.0, 1.0, Verdict::Same)];
    let one = comparison(ComparisonKind::Interleaved, metrics, Verdict::Inconclusive);
    let results = Results::new("bus", Vec::new(), vec![one]);
    assert_eq!(
        lines(&results),
        ["Unknown Change [new] throughput is inconclusive: as it was made (Inconclusive)"]
    );
    assert_eq!(results.findings[0].impact, None);

    let same = compared(&memory(&[]), 1.0, 1.0, Verdict::Same);
    let mut other = few(&throughput(&[]));
    (other.name, other.reason) = ("p99".into(), "too few rounds".into());
    let mut p50 = few(&throughput(&[]));
    p50.name = "p50".into();
    let metrics = vec![few(&throughput(&[])), other, p50, same];
    let some = comparison(ComparisonKind::Saved, metrics, Verdict::Inconclusive);
    let found = lines(&Results::new("bus", Vec::new(), vec![some]));
    assert_eq!(
        found,
        [
            "Unknown Change [new] throughput and p50 are inconclusive: as it was made (Inconclusive)",
            "Unknown Change [new] p99 is inconclusive: too few rounds",
        ]
    );
    let nothing = comparison(ComparisonKind::Saved, Vec::new(), Verdict::Inconclusive);
    let found = lines(&Results::new("bus", Vec::new(), vec![nothing]));
    assert_eq!(found, ["Unknown Change [new] `new` cannot be told from `old`: as it was made"]);
}

#[test]
fn doubts_are_told_once_for_all_sides_of_one_machine() {
    let mut one = record("bus", vec![throughput(&[100.0, 100.0, 100.0])]);
    one.fingerprint.cores = Some(2);
    one.fingerprint.load_average = Some(3.5);
    one.fingerprint.governor = Some("powersave".into());
    one.fingerprint.profile = Some("debug".into());
    one.invalid = vec![(0, "others were busy".into()), (2, "others were busy".into())];
    one.side = Some("a".into());
    let other = Record { side: Some("b".into()), invalid: Vec::new(), ..one.clone() };
    let results = of_records(vec![one.clone(), other]);
    assert_eq!(
        lines(&results),
        [
            "Warn Validity [a] rounds 1 and 3 of 3 cannot be believed: others were busy",
            "Warn Validity [machine] the machine was busy before the first round: a load average of 3.50 on 2 processors",
            "Warn Validity [machine] the frequency governor is `powersave`, by which figures drift",
            "Warn Validity [machine] the build is not optimized, so that its figures are not those of a release",
        ]
    );
    assert_eq!(results.outcome(), Outcome::Passed);
    one.invalid.push((1, "it was late".into()));
    assert_eq!(of_records(vec![one]).outcome(), Outcome::Inconclusive);
}

#[test]
fn a_round_far_from_the_others_is_one_finding_whatever_it_has() {
    let mut rate = throughput(&[100.0, 101.0, 99.0, 100.5, 99.5, 20.0, 100.2, 99.8, 100.1]);
    rate.samples.insert(0, None); // rounds are counted, not values
    let mut heap = memory(&[1.0, 1.01, 0.99, 1.0, 1.01, 9.0, 1.0, 0.99, 1.0].map(|mib| mib * 1_048_576.0));
    heap.samples.insert(0, None);
    let results = of_records(vec![record("bus", vec![rate, heap])]);
    let text = "Note Outlier [bus] round 7 of 10 is far from the others: throughput 20.0 /s (median 100 /s) and peak heap \
                9.00 MiB (median 1.00 MiB)";
    assert_eq!(lines(&results), [text]);
    assert_eq!(results.outcome(), Outcome::Passed);
}

fn sweep() -> SweepReport {
    serde_json::from_value(serde_json::json!({
        "axis": "concurrency", "unit": "count", "limit": null, "knee": null, "degradation": [], "law": null,
        "bottlenecks": [], "notes": [], "levels": [
            { "level": 1.0, "metrics": [], "problems": ["p99 is 9 ms"], "scalability": null },
            { "level": 128.0, "metrics": [], "problems": ["p99 is 90 ms"], "scalability": null },
        ],
    }))
    .unwrap()
}

#[test]
fn a_sweep_tells_its_limit_knee_degradation_and_bottlenecks() {
    let mut sweep = sweep();
    let bottleneck = |kind| Bottleneck { kind, evidence: "the figures".into(), level: 128.0 };
    sweep.limit = Some(Limit {
        level: 1.0,
        fails_at: Some(128.0),
        why: Some("p99 is 90.0 ms, more than 50.0 ms".into()),
    });
    let evidence = "128 adds 2.0 %".into();
    sweep.knee = Some(Knee { level: 1.0, throughput: 9.0, evidence });
    sweep.degradation = vec![Degradation {
        metric: "p99".into(),
        from: 128.0,
        stable: 0.002,
        worst: 0.09,
        worst_at: 128.0,
        unit: Unit::Seconds,
    }];
    sweep.bottlenecks = vec![bottleneck(BottleneckKind::ServerCpu), bottleneck(BottleneckKind::None)];
    let results = Results::of_sweep("bus", Vec::new(), sweep);
    assert_eq!(
        lines(&results),
        [
            "Note Degradation [concurrency 1] all is well up to concurrency 1, and not at concurrency 128: p99 is 90.0 ms, \
             more than 50.0 ms",
            "Note Degradation [p99] p99 is worse from concurrency 128 on: 90.0 ms at concurrency 128, where the first stable level \
             has 2.00 ms",
            "Note Bottleneck [concurrency 1] throughput stops rising at concurrency 1, with 9.00 /s: 128 adds 2.0 %",
            "Note Bottleneck [concurrency 128] the server's processor time limits it: the figures",
            "Good Bottleneck [concurrency 128] nothing limits it: the figures",
        ]
    );
    assert_eq!(results.findings[1].impact.as_deref(), Some("45.0 times the stable value"));
    assert_eq!(results.outcome(), Outcome::Passed);
}

#[test]
fn a_sweep_without_a_good_level_has_not_passed() {
    let results = Results::of_sweep("bus", Vec::new(), sweep());
    assert_eq!(results.findings[0].text, "no level is well, not even concurrency 1: p99 is 9 ms");
    assert_eq!(results.outcome(), Outcome::Inconclusive);
}

#[test]
fn of_what_a_sweep_left_out_nothing_is_claimed() {
    let mut cut = sweep();
    cut.name = "pricing".into();
    cut.limit = Some(Limit { level: 128.0, fails_at: None, why: None });
    cut.skipped = vec![256.0, 512.0];
    cut.stopped = Some(SweepStop::Budget { limit: Duration::from_secs(18) });
    cut.bottlenecks = vec![Bottleneck {
        kind: BottleneckKind::Unknown,
        evidence: "none of the figures says what does: 0.20 of 2 processors are busy at 128".into(),
        level: 128.0,
    }];
    let results = Results::of_sweep("pricing", Vec::new(), cut);
    assert_eq!(
        lines(&results),
        [
            "Warn Validity [pricing] concurrency 256 and concurrency 512 were not measured: the budget of 18.0 s was over",
            "Note Bottleneck [concurrency 128] what limits it is not known: none of the figures says what does: 0.20 of \
             2 processors are busy at 128",
            "Good Degradation [concurrency 128] all is well at every level measured, up to concurrency 128",
        ]
    );
    let mut nothing = sweep();
    nothing.levels.clear();
    let results = Results::of_sweep("pricing", Vec::new(), nothing);
    assert_eq!(lines(&results), ["Unknown Degradation [] no level was measured"]);
    assert_eq!(results.outcome(), Outcome::Inconclusive);
}

#[test]
fn one_doubt_of_several_sides_and_many_rounds_of_one_are_one_finding() {
    let rates = [100.0, 101.0, 99.0, 100.5, 20.0, 99.5, 20.5, 100.2, 99.8, 100.1, 100.3, 99.7];
    let mut a = record("bus", vec![throughput(&rates)]);
    a.quick = true;
    let b = Record { side: Some("b".into()), metrics: Vec::new(), ..a.clone() };
    a.side = Some("a".into());
    assert_eq!(
        lines(&of_records(vec![a, b])),
        [
            "Note Validity [a and b] it was a quick run, whose figures are few (unset ISOLATED_NATS_QUICK for a baseline)",
            "Note Outlier [a] rounds 5 and 7 of 12 are far from the others: throughput 20.0 /s in round 5 and 20.5 /s in round \
             7 (median 99.9 /s)",
        ]
    );
}

#[test]
fn finding_again_finds_the_same() {
    let slower = compared(&throughput(&[]), 1500.0, 1000.0, Verdict::Regressed);
    let both = comparison(ComparisonKind::Interleaved, vec![slower], Verdict::Regressed);
    let results = Results::new("bus", Vec::new(), vec![both.clone(), both]);
    assert_eq!(find(&results), results.findings);
    assert_eq!(results.findings.len(), 1, "no duplicates: {:?}", lines(&results));
}

#[test]
fn a_check_names_what_fails_and_then_shows_all() {
    let mut bus = record("bus", vec![throughput(&[100.0])]);
    bus.targets = vec![Target::at_least("throughput", 1000.0)];
    let missed = of_records(vec![bus.clone()]);
    let error = missed.check().unwrap_err();
    assert_eq!(error.kind(), ResultsErrorKind::MissedTarget);
    let text = error.to_string();
    assert!(text.starts_with("`bus` fails:\n  throughput is 100 /s and misses"), "{text}");
    assert!(text.ends_with(&missed.to_string()), "{text}");
    bus.targets[0].metric = "thruput".into();
    assert_eq!(of_records(vec![bus.clone()]).check().unwrap_err().kind(), ResultsErrorKind::Misuse);
    let slower = compared(&throughput(&[]), 1500.0, 1000.0, Verdict::Regressed);
    let both = comparison(ComparisonKind::Saved, vec![slower], Verdict::Regressed);
    let regressed = Results::new("bus", vec![bus], vec![both]);
    assert_eq!(regressed.check().unwrap_err().kind(), ResultsErrorKind::Regressed);
    assert!(std::panic::catch_unwind(|| regressed.assert()).is_err());
}

mod thresholds {
    use super::*;
    use crate::load::LoadReport;

    /// A report with one threshold's result, as a file has it.
    fn load(verdict: &str) -> LoadReport {
        let report = serde_json::to_string(&crate::load::made::put_and_get()).unwrap();
        let result = format!(
            r#""thresholds":[{{"threshold":"p99<5ms","operation":null,"limit":null,"found":null,"verdict":"{verdict}",
            "excusable":false,"why":"7.00 ms, where 5.00 ms are allowed"}}]"#
        );
        // The last is that of the whole; what comes before is of its operations.
        let (before, after) = report.rsplit_once(r#""thresholds":[]"#).unwrap();
        serde_json::from_str(&format!("{before}{result}{after}")).unwrap()
    }

    #[test]
    fn thresholds_that_failed_or_nearly_did_are_findings() {
        let found = |verdict| {
            let mut record = record("bus", Vec::new());
            record.load = Some(load(verdict));
            lines(&of_records(vec![record]))
        };
        assert_eq!(found("Passed"), [""; 0]);
        let text = "`p99<5ms` failed: 7.00 ms, where 5.00 ms are allowed (in the last round)";
        assert_eq!(found("Failed"), [format!("Fail Target [p99<5ms] threshold {text}")]);
        let text = "`p99<5ms` warned: 7.00 ms, where 5.00 ms are allowed (in the last round)";
        assert_eq!(found("Warned"), [format!("Warn Target [p99<5ms] threshold {text}")]);
    }
}
