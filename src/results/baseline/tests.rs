use std::fs;

use super::super::comparison::{Basis, Interval, MetricComparison, Spread, Verdict};
use super::super::files::tests::Scratch;
use super::super::metric::{Better, Limits, Metric, MetricKind, Unit};
use super::super::target::Target;
use super::check::bless;
use super::*;

/// Rounds that scatter by 2 % around a median.
fn samples(median: f64) -> Vec<Option<f64>> {
    [0.98, 0.985, 0.99, 0.995, 1.0, 1.0, 1.005, 1.01, 1.015, 1.02].map(|share| Some(share * median)).to_vec()
}

fn record(throughput: f64) -> Record {
    let mut record = Record::new("orders");
    record.rounds = 10;
    record.configuration.insert("payload".into(), "128 B".into());
    let metric = Metric::new("throughput", MetricKind::Throughput, Unit::PerSecond, Better::Higher);
    record.metrics.push(Metric { samples: samples(throughput), ..metric });
    record.fingerprint.cores = Some(2);
    record
}

fn settings(scratch: &Scratch, bless: bool) -> Settings {
    Settings { place: Place::at(scratch.path()), bless, inconclusive_fails: false }
}

fn kind<T: std::fmt::Debug>(result: Result<T, ResultsError>) -> ResultsErrorKind {
    result.unwrap_err().kind()
}

#[test]
fn what_says_too_little_makes_no_baseline() {
    assert_eq!(kind(Baseline::new("a", vec![])), ResultsErrorKind::NotABaseline);
    let quick = Record { quick: true, ..record(100.0) };
    let error = Baseline::new("a", vec![quick]).unwrap_err();
    assert_eq!(error.kind(), ResultsErrorKind::NotABaseline);
    let expected = "it cannot be baseline `a`: the run is a quick one (measure without ISOLATED_NATS_QUICK)";
    assert_eq!(error.to_string(), expected);
    let few = Record { rounds: 4, ..record(100.0) };
    assert_eq!(kind(Baseline::new("a", vec![few])), ResultsErrorKind::NotABaseline);
    let doubted = Record { rounds: 5, invalid: vec![(2, "too late".into())], ..record(100.0) };
    let error = Baseline::new("a", vec![record(1.0), doubted]).unwrap_err();
    assert!(error.to_string().contains("only 4 of 5 rounds can be believed: round 3: too late"), "{error}");
    let mut other = record(100.0);
    other.configuration.insert("payload".into(), "1 KiB".into());
    assert_eq!(kind(Baseline::new("a", vec![record(100.0), other])), ResultsErrorKind::OtherConfiguration);
    assert_eq!(kind(Baseline::new("a/b", vec![record(100.0)])), ResultsErrorKind::Misuse);
    let short = || Record { rounds: 5, ..record(100.0) };
    let error = Baseline::new("a", vec![short()]).unwrap_err();
    assert!(error.to_string().contains("of the 10 rounds that it takes, it has 5"), "{error}");
    Baseline::new("a", vec![short(), short()]).unwrap();
}

#[test]
fn a_baseline_is_small_and_read_back_the_same() {
    let scratch = Scratch::new();
    let target = Target { metric: "throughput".into(), value: 1.0, at_least: true, warn: 0.1, fail: 0.2 };
    let run = Record { targets: vec![target], ..record(100.0) };
    let baseline = Baseline::new("orders::put", vec![run]).unwrap();
    let path = baseline.save_to(scratch.path()).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert!(!text.contains("latency") && !text.contains("\"load\"") && !text.contains("at_least"), "{text}");
    assert!(text.starts_with("{\n  \"schema\": 1,\n  \"name\": \"orders::put\",\n"), "{text}");
    assert_eq!(Baseline::load_from(scratch.path(), "orders::put").unwrap(), baseline);
    let again = Baseline::load_from(scratch.path(), "orders::put").unwrap().save_to(scratch.path()).unwrap();
    assert_eq!((again, fs::read_to_string(&path).unwrap()), (path, text));
    assert_eq!(scratch.files().len(), 1);
}

#[test]
fn a_missing_baseline_says_how_to_write_it_and_what_there_is() {
    let scratch = Scratch::new();
    let place = Place::at(scratch.path());
    let error = place.load("kv-put").unwrap_err();
    assert_eq!(error.kind(), ResultsErrorKind::NoBaseline);
    let file = scratch.path().join("kv-put.json");
    assert_eq!(
        error.to_string(),
        format!(
            "there is no baseline `kv-put` at `{}` (write it with `{}` where all is well, and commit it)",
            file.display(),
            bless()
        )
    );
    for name in ["kv-putt", "other"] {
        Baseline::new(name, vec![record(1.0)]).unwrap().save_to(scratch.path()).unwrap();
    }
    fs::write(scratch.path().join("notes.json"), "[]").unwrap();
    assert!(place.load("kv-put").unwrap_err().to_string().ends_with("; there is `kv-putt`, `other`)"));
}

#[test]
fn a_baseline_that_cannot_be_read_is_named_and_left_alone() {
    let scratch = Scratch::new();
    let path = Baseline::new("a", vec![record(1.0)]).unwrap().save_to(scratch.path()).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, &text[..text.len() / 2]).unwrap();
    let error = Baseline::load_from(scratch.path(), "a").unwrap_err();
    assert_eq!(error.kind(), ResultsErrorKind::Format);
    assert!(error.to_string().contains("a.json` cannot be read (it is cut off"), "{error}");
    fs::write(&path, text.replacen("\"schema\": 1", "\"schema\": 2", 1)).unwrap();
    let error = Baseline::load_from(scratch.path(), "a").unwrap_err();
    assert!(error.to_string().contains("(update isolated-nats)"), "{error}");
    let mut empty = Baseline::new("a", vec![record(1.0)]).unwrap();
    empty.runs.clear();
    assert_eq!(kind(empty.compare(&record(1.0))), ResultsErrorKind::Format);
}

#[test]
fn several_runs_are_one_with_the_rounds_of_all() {
    let (first, mut second, mut third) = (record(1.0), record(2.0), record(3.0));
    second.metrics.clear();
    second.invalid.push((3, "too late".into()));
    let p50 = Metric::new("p50", MetricKind::Median, Unit::Seconds, Better::Lower);
    third.metrics.push(Metric { samples: samples(5.0), control: samples(7.0), ..p50 });
    let baseline = Baseline::new("a", vec![first, second, third]).unwrap();
    let all = pool::together(&baseline, &record(1.0)).unwrap();
    assert_eq!((all.rounds, all.title()), (30, "baseline a"));
    assert_eq!(all.invalid, [(13, "too late".to_owned())]);
    let none = vec![None; 10];
    let throughput = all.metric("throughput").unwrap();
    assert_eq!(throughput.samples, [samples(1.0), none.clone(), samples(3.0)].concat());
    assert!(throughput.control.is_empty());
    let p50 = all.metric("p50").unwrap();
    assert_eq!(p50.samples, [none.clone(), none.clone(), samples(5.0)].concat());
    assert_eq!(p50.control, [none.clone(), none, samples(7.0)].concat());
}

#[test]
fn what_runs_differ_by_is_no_regression() {
    let rules = || Rules { alpha: 0.01, least_rounds: 5, limits: [].into(), designs: false };
    let runs = |medians: &[f64]| medians.iter().map(|median| record(*median)).collect::<Vec<_>>();
    let widened = |medians: &[f64]| pool::widened(rules(), &runs(medians)).limits.get("throughput").copied();
    assert_eq!(widened(&[100.0, 200.0]), None, "two runs say nothing");
    assert_eq!(widened(&[100.0, 110.0, 95.0]), None, "20 % is more");
    let limits = widened(&[100.0, 60.0, 110.0]).unwrap();
    let expected = Limits::new(0.2, 0.4); // twice those of a saved throughput
    let near = |value: f64, expected: f64| (value - expected).abs() < 1e-6;
    assert!(near(limits.fail, expected.fail) && near(limits.warn, expected.warn), "{limits:?}");
    // A control that moved in the same way takes it all back.
    let mut even = runs(&[100.0, 60.0, 110.0]);
    for run in &mut even {
        run.metrics[0].control = run.metrics[0].samples.clone();
    }
    assert_eq!(pool::widened(rules(), &even).limits.len(), 0);
    let mut own = rules();
    own.limits.insert("throughput".into(), Limits::new(0.3, 0.5));
    let limits = pool::widened(own, &runs(&[100.0, 60.0, 110.0])).limits["throughput"];
    assert_eq!(limits, Limits::new(0.3, 0.5), "what is wide enough stays");
}

/// Of memory, runs may differ by exactly as much as those of the baseline did.
#[test]
fn what_a_run_of_the_baseline_had_is_no_regression() {
    let of = |bytes: f64| {
        let peak = Metric::new("peak heap", MetricKind::Memory, Unit::Bytes, Better::Lower);
        Record { metrics: vec![Metric { samples: vec![Some(bytes); 10], ..peak }], ..record(1.0) }
    };
    let runs = vec![of(1_000_000.0), of(1_000_000.0), of(1_200_000.0)];
    let baseline = Baseline::new("a", runs).unwrap();
    let verdict = |bytes| baseline.compare(&of(bytes)).unwrap().verdict;
    assert_eq!([verdict(1_200_000.0), verdict(1_220_000.0)], [Verdict::Same, Verdict::Regressed]);
}

fn metric(name: &str, kind: MetricKind, basis: Basis, verdict: Verdict) -> MetricComparison {
    let spread = Spread { count: 10, median: Some(1.0), mad: None, min: None, max: None };
    MetricComparison {
        name: name.into(),
        kind,
        unit: Unit::PerSecond,
        better: Better::Higher,
        base: spread,
        candidate: spread,
        basis,
        ratio: Some(Interval { value: 0.5, low: 0.4, high: 0.6 }),
        shift: None,
        p: Some(0.001),
        adjusted_p: Some(0.001),
        limits: kind.saved_limits(),
        verdict,
        warned: true,
        reason: "r".into(),
    }
}

fn comparison() -> Comparison {
    let metrics = vec![
        metric("throughput", MetricKind::Throughput, Basis::Absolute, Verdict::Regressed),
        metric("p50", MetricKind::Median, Basis::Control, Verdict::Same),
        metric("peak heap", MetricKind::Memory, Basis::Absolute, Verdict::Improved),
    ];
    Comparison {
        base: "baseline a".into(),
        candidate: "orders".into(),
        kind: ComparisonKind::Saved,
        rules: Rules { alpha: 0.01, least_rounds: 5, limits: [].into(), designs: false },
        metrics,
        unmatched: vec![],
        verdict: Verdict::Regressed,
        reason: "throughput is worse".into(),
        recommendation: Some("keep the base".into()),
        warnings: vec![],
    }
}

fn verdicts(comparison: &Comparison) -> Vec<Verdict> {
    comparison.metrics.iter().map(|metric| metric.verdict).collect()
}

#[test]
fn on_another_machine_only_what_it_does_not_change_is_compared() {
    let mut other = record(50.0);
    other.fingerprint.cores = Some(64);
    let baseline = Baseline::new("a", vec![record(100.0), other.clone()]).unwrap();
    for record in [&record(50.0), &other] {
        // One of the two runs is of another machine than either record.
        let comparison = baseline.compare(record).unwrap();
        assert_eq!(comparison.verdict, Verdict::Inconclusive);
        assert!(comparison.warnings[0].contains("different machines"), "{:?}", comparison.warnings);
    }
    let controlled = |throughput, control| {
        let mut record = record(throughput);
        record.control = Some("ping".into());
        record.metrics[0].control = vec![Some(control); 10];
        record
    };
    let baseline = Baseline::new("a", vec![controlled(100.0, 10.0)]).unwrap();
    let elsewhere = |throughput, control| {
        let mut record = controlled(throughput, control);
        record.fingerprint.cores = Some(64);
        baseline.compare(&record).unwrap().verdict
    };
    assert_eq!([elsewhere(1000.0, 100.0), elsewhere(100.0, 100.0)], [Verdict::Same, Verdict::Regressed]);
}

#[test]
fn of_another_build_and_of_a_quick_run_nothing_is_concluded() {
    let mut run = record(100.0);
    run.fingerprint.profile = Some("release".into());
    let baseline = Baseline::new("a", vec![run]).unwrap();
    let mut debug = record(100.0);
    debug.fingerprint.profile = Some("debug".into());
    let judged = judge::judged(comparison(), &baseline, &debug);
    assert_eq!((judged.verdict, verdicts(&judged)), (Verdict::Inconclusive, vec![Verdict::Inconclusive; 3]));
    assert_eq!((judged.recommendation, judged.warnings.len()), (None, 1));
    let same = judge::judged(comparison(), &baseline, &baseline.runs[0]);
    assert_eq!(same, comparison(), "of one build nothing is taken back");
    let compared = baseline.compare(&debug).unwrap();
    assert!(!compared.warnings.join(" ").contains("machines"), "{:?}", compared.warnings);
    assert!(judged.reason.contains("profile: debug, was release"), "{}", judged.reason);
    let mut quick = Record { quick: true, ..record(100.0) };
    quick.configuration.insert("payload".into(), "1 KiB".into());
    let judged = judge::judged(comparison(), &baseline, &quick);
    assert_eq!((judged.verdict, verdicts(&judged)), (Verdict::Inconclusive, vec![Verdict::Inconclusive; 3]));
    assert!(
        judged.reason.contains("quick one, of another configuration: payload: 1 KiB, was 128 B"),
        "{judged:?}"
    );
}

#[test]
fn another_configuration_is_refused_by_its_keys() {
    let baseline = Baseline::new("a", vec![record(100.0)]).unwrap();
    let mut other = record(100.0);
    other.configuration.insert("payload".into(), "1 KiB".into());
    let error = baseline.compare(&other).unwrap_err();
    assert_eq!(error.kind(), ResultsErrorKind::OtherConfiguration);
    assert_eq!(
        error.to_string(),
        format!(
            "baseline `a` is of another configuration: payload: 1 KiB, was 128 B (measure as before, or bless it with `{}`)",
            bless()
        )
    );
    let controlled = Record { control: Some("ping".into()), ..record(100.0) };
    let baseline = Baseline::new("a", vec![controlled.clone()]).unwrap();
    let other = Record { control: Some("echo".into()), ..controlled };
    assert!(baseline.compare(&other).unwrap_err().to_string().contains("control: echo, was ping"));
}

#[test]
fn only_blessing_writes() {
    let scratch = Scratch::new();
    let missing = settings(&scratch, false).check(&record(100.0), "orders");
    assert_eq!((kind(missing), scratch.files().len()), (ResultsErrorKind::NoBaseline, 0));
    let quick = Record { quick: true, ..record(100.0) };
    let refused = settings(&scratch, true).check(&quick, "orders");
    assert_eq!((kind(refused), scratch.files().len()), (ResultsErrorKind::NotABaseline, 0));
    let blessed = settings(&scratch, true).check(&record(100.0), "orders").unwrap();
    let path = scratch.path().join("orders.json");
    let said = format!("isolated-nats: orders is now baseline `orders`: {}\n", path.display());
    assert_eq!((blessed.said, blessed.comparison.verdict), (Some(said), Verdict::Same));
    let before = fs::read(&path).unwrap();
    let checked = settings(&scratch, false).check(&record(101.0), "orders").unwrap();
    assert_eq!((checked.comparison.verdict, checked.said), (Verdict::Same, None));
    assert!(settings(&scratch, false).check(&record(50.0), "orders").is_err());
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_regression_fails_with_its_figures_and_how_to_bless_them() {
    let scratch = Scratch::new();
    settings(&scratch, true).check(&record(100.0), "orders").unwrap();
    let error = settings(&scratch, false).check(&record(50.0), "orders").unwrap_err();
    assert_eq!(error.kind(), ResultsErrorKind::Regressed);
    let text = error.to_string();
    let lines: Vec<&str> = text.lines().map(str::trim_start).collect();
    assert_eq!(lines[0], "`orders` is worse than baseline `orders`");
    assert!(
        lines[1].starts_with("expected: no worse than on 2") && lines[2].starts_with("actual:   "),
        "{text}"
    );
    let head = lines.iter().position(|line| line.starts_with("metric ")).unwrap();
    let row: Vec<&str> = lines[head + 1].split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
    assert_eq!(row, ["throughput", "100 /s", "50.0 /s", "-50.0 %", "regressed"]);
    let last = lines[lines.len() - 1];
    let fix = format!("intended? `{}` makes it the baseline; commit `", bless());
    assert!(last.starts_with(&fix) && last.ends_with("orders.json`"), "{text}");
    let better = settings(&scratch, false).check(&record(200.0), "orders").unwrap();
    assert_eq!((better.comparison.verdict, better.said), (Verdict::Improved, None));
}

#[test]
fn a_test_does_not_write_the_baseline_of_another() {
    let scratch = Scratch::new();
    let of = |test: &str| {
        let mut record = record(100.0);
        record.configuration.insert("test".into(), test.into());
        record
    };
    settings(&scratch, true).check(&of("a::puts"), "orders").unwrap();
    let error = settings(&scratch, true).check(&of("b::puts"), "orders").unwrap_err();
    assert_eq!(error.kind(), ResultsErrorKind::OtherConfiguration);
    let what =
        "baseline `orders` is that of test `a::puts`, and not of `b::puts` (give one of them another name";
    assert!(error.to_string().starts_with(what), "{error}");
    assert_eq!(
        kind(settings(&scratch, false).check(&of("b::puts"), "orders")),
        ResultsErrorKind::OtherConfiguration
    );
    settings(&scratch, true).check(&of("a::puts"), "orders").unwrap();
}

#[test]
fn what_cannot_be_told_passes_aloud_unless_it_shall_fail() {
    let scratch = Scratch::new();
    settings(&scratch, true).check(&record(100.0), "orders").unwrap();
    let quick = Record { quick: true, ..record(50.0) };
    let checked = settings(&scratch, false).check(&quick, "orders").unwrap();
    assert_eq!(checked.comparison.verdict, Verdict::Inconclusive);
    let said = checked.said.unwrap();
    assert!(said.starts_with("isolated-nats: orders: not told from baseline `orders`: the run is"), "{said}");
    let strict = Settings { inconclusive_fails: true, ..settings(&scratch, false) };
    assert_eq!(kind(strict.check(&quick, "orders")), ResultsErrorKind::Inconclusive);
}
