use super::{Basis, Comparison, ComparisonKind, Rules, Spread, Verdict};
use crate::results::fingerprint::Fingerprint;
use crate::results::metric::{Better, Limits, Metric, MetricKind, Unit};
use crate::results::record::{Record, SCHEMA};
use crate::results::time::Moment;

mod memory;

/// Made here field by field, so that nothing of the machine is read.
fn record(side: &str, metrics: Vec<Metric>) -> Record {
    Record {
        schema: SCHEMA,
        scenario: "bus".into(),
        side: Some(side.into()),
        taken: Moment(0),
        quick: false,
        rounds: metrics.iter().map(|metric| metric.samples.len()).max().unwrap_or(0),
        fingerprint: Fingerprint::default(),
        configuration: std::collections::BTreeMap::new(),
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

fn metric(name: &str, samples: impl IntoIterator<Item = f64>) -> Metric {
    let (kind, unit, better) = match name {
        "throughput" => (MetricKind::Throughput, Unit::PerSecond, Better::Higher),
        "p99" => (MetricKind::Tail, Unit::Seconds, Better::Lower),
        "errors" => (MetricKind::Errors, Unit::Share, Better::Lower),
        "peak heap" => (MetricKind::Memory, Unit::Bytes, Better::Lower),
        _ => (MetricKind::Median, Unit::Seconds, Better::Lower),
    };
    let mut metric = Metric::new(name, kind, unit, better);
    metric.samples = samples.into_iter().map(Some).collect();
    metric
}

/// Rounds that differ by a few percent, in an order that is the same for all, times `factor`.
fn rounds(count: u32, factor: f64) -> impl Iterator<Item = f64> {
    (0..count).map(move |round| factor * (1000.0 + f64::from(round * 7 % 10) * 5.0 + f64::from(round) / 10.0))
}

/// Nothing but noise: two halves that are far apart, the same on both sides but for their order.
fn noise(count: u32, first: bool) -> impl Iterator<Item = f64> {
    (0..count)
        .map(move |round| if round.is_multiple_of(2) == first { 1000.0 } else { 2000.0 } + f64::from(round))
}

fn live(base: Vec<Metric>, candidate: Vec<Metric>) -> Comparison {
    let (base, candidate) = (record("old", base), record("new", candidate));
    Comparison::of(&base, &candidate, ComparisonKind::Interleaved, &Rules::interleaved())
}

fn saved(base: &Record, candidate: &Record, differences: &[String]) -> Comparison {
    Comparison::with_differences(base, candidate, ComparisonKind::Saved, &Rules::saved(), differences)
}

fn verdicts(comparison: &Comparison) -> Vec<Verdict> {
    comparison.metrics.iter().map(|metric| metric.verdict).collect()
}

#[test]
fn less_throughput_is_a_regression_and_less_time_an_improvement() {
    let base = || vec![metric("throughput", rounds(20, 1.0)), metric("p50", rounds(20, 1e-6))];
    let candidate = vec![metric("throughput", rounds(20, 0.82)), metric("p50", rounds(20, 0.8e-6))];
    let comparison = live(base(), candidate);
    assert_eq!(verdicts(&comparison), [Verdict::Regressed, Verdict::Improved]);
    assert_eq!(comparison.verdict, Verdict::Regressed);
    assert_eq!(
        comparison.reason,
        "throughput of `new` is 18 % lower (95 %: 18 % to 18 % lower), p < 0.0001 over 20 rounds; better in p50"
    );
    assert_eq!(comparison.recommendation, None, "it is a trade");
    let ratio = comparison.metrics[0].ratio.expect("all are positive");
    assert!((ratio.value - 0.82).abs() < 1e-9, "{ratio:?}");
    // 2 of 2^20 signs, times two metrics.
    let adjusted = comparison.metrics[0].adjusted_p.expect("it is judged");
    assert!((adjusted - 4.0 * 0.5_f64.powi(20)).abs() < 1e-15, "{adjusted}");
}

#[test]
fn what_is_better_and_nowhere_worse_is_recommended() {
    let of = |factor| vec![metric("p50", rounds(20, 1e-6)), metric("throughput", rounds(20, factor))];
    let comparison = live(of(1.0), of(1.3));
    assert_eq!(
        (comparison.verdict, verdicts(&comparison)),
        (Verdict::Improved, vec![Verdict::Same, Verdict::Improved])
    );
    assert_eq!(
        comparison.recommendation.as_deref(),
        Some(
            "prefer `new`: throughput of `new` is 30 % higher (95 %: 30 % to 30 % higher), p < 0.0001 over 20 rounds; it is worse in \
             nothing that was measured"
        )
    );
    let reverse = live(of(1.3), of(1.0)).recommendation.expect("the base is better");
    assert!(reverse.starts_with("prefer `old`: throughput of `new` is 23 % lower"), "{reverse}");
}

/// At the limit it is a regression, just below it none, though it is as significant.
#[test]
fn a_difference_below_what_matters_is_none_but_is_warned_of() {
    for (factor, verdict, warned) in [
        (1.101, Verdict::Regressed, false),
        (1.09, Verdict::Same, true),
        (1.04, Verdict::Same, false),
        (0.95, Verdict::Same, false),
        (0.92, Verdict::Same, false),
        (0.899, Verdict::Improved, false),
    ] {
        let comparison = live(vec![metric("p50", rounds(20, 1.0))], vec![metric("p50", rounds(20, factor))]);
        let found = &comparison.metrics[0];
        assert_eq!((found.verdict, found.warned), (verdict, warned), "{factor}: {}", found.reason);
    }
}

#[test]
fn too_few_rounds_are_inconclusive_however_far_apart() {
    let comparison = live(vec![metric("p50", rounds(3, 1.0))], vec![metric("p50", rounds(3, 2.0))]);
    assert_eq!(comparison.verdict, Verdict::Inconclusive);
    let least = Rules::interleaved().least_rounds;
    let expected = format!(
        "3 rounds of `old`; it takes at least {least}, and even sides wholly apart could not be told apart with so few (p = 0.25)"
    );
    assert_eq!(comparison.reason, expected);
    let found = &comparison.metrics[0];
    assert_eq!((found.adjusted_p, found.p), (None, Some(0.25)));
}

#[test]
fn what_no_number_of_rounds_this_small_could_tell_is_said() {
    let rules = Rules::interleaved().least_rounds(4).alpha(0.05);
    let of = |factor| record("side", vec![metric("p50", rounds(4, factor))]);
    let comparison = Comparison::of(&of(1.0), &of(2.0), ComparisonKind::Interleaved, &rules);
    assert_eq!(comparison.verdict, Verdict::Inconclusive);
    let expected =
        "even sides wholly apart could not be told apart with 4 rounds over 1 metrics at alpha 0.05";
    assert!(comparison.reason.ends_with(expected), "{}", comparison.reason);
}

#[test]
fn noise_is_inconclusive_and_says_how_much_more_it_takes() {
    let noisy = |first: bool| noise(20, first).map(|value| if value > 1500.0 { value * 0.6 } else { value });
    let comparison = live(vec![metric("p50", noisy(true))], vec![metric("p50", noisy(false))]);
    assert_eq!(comparison.verdict, Verdict::Inconclusive);
    let (text, ratio) = (&comparison.reason, comparison.metrics[0].ratio.expect("all are positive"));
    assert!(text.contains("and 10 % matter; about ") && text.ends_with(" rounds would tell"), "{text}");
    let rounds = text.split("about ").nth(1).and_then(|rest| rest.split(' ').next());
    let rounds: f64 = rounds.and_then(|rounds| rounds.parse().ok()).expect("a number");
    // Its upper end, which is the further one, must come down to 10 %.
    let expected = 20.0 * ((ratio.high - ratio.value) / (1.1 - ratio.value)).powi(2);
    assert!((rounds - expected.ceil()).abs() < 1.5, "{rounds}, not {expected}");
    let wild = live(vec![metric("p50", noise(20, true))], vec![metric("p50", noise(20, false))]);
    assert!(wild.reason.ends_with("and 10 % matter; more rounds would hardly tell"), "{}", wild.reason);
}

/// That p99 cannot be told, as it mostly cannot, makes nothing of what the others tell.
#[test]
fn a_tail_that_cannot_be_told_leaves_the_others_to_decide() {
    let wild =
        |first| metric("p99", noise(20, first).map(|value| value * if value > 1500.0 { 40.0 } else { 1.0 }));
    let of = |first, factor| vec![metric("throughput", rounds(20, factor)), wild(first)];
    let comparison = live(of(true, 1.0), of(false, 1.0));
    assert_eq!(verdicts(&comparison), [Verdict::Same, Verdict::Inconclusive]);
    assert_eq!(comparison.verdict, Verdict::Same);
    assert_eq!(comparison.reason, "no difference that matters in throughput; it cannot be told of p99");
    let alone = live(vec![wild(true)], vec![wild(false)]);
    assert_eq!(alone.verdict, Verdict::Inconclusive);
    let better = live(of(true, 1.0), of(false, 1.3)).recommendation.expect("throughput tells");
    assert!(better.ends_with("worse in nothing that was measured (p99 cannot be told)"), "{better}");
}

/// Of a base of nothing there is no share, so it takes the floor alone.
#[test]
fn errors_out_of_nothing_are_a_regression_from_the_floor_on() {
    let none = || metric("errors", std::iter::repeat_n(0.0, 20));
    let of = |share: f64| live(vec![none()], vec![metric("errors", std::iter::repeat_n(share, 20))]);
    let comparison = of(0.02);
    assert_eq!((comparison.verdict, comparison.metrics[0].ratio), (Verdict::Regressed, None));
    assert!(comparison.reason.starts_with("errors of `new` are 2.00 % higher"), "{}", comparison.reason);
    assert_eq!(of(0.0005).verdict, Verdict::Same, "less than the floor of 0.1 %");
    let same = of(0.0);
    assert_eq!((same.verdict, same.metrics[0].p), (Verdict::Same, Some(1.0)));
    assert_eq!(same.metrics[0].reason, "errors of `new` are the same in all rounds");
}

/// Twice as much of hardly anything.
#[test]
fn what_is_below_the_floor_never_matters() {
    let rules = Rules::interleaved().limit("p50", Limits { floor: 0.001, ..Limits::new(0.05, 0.1) });
    let of = |factor| record("side", vec![metric("p50", rounds(20, factor))]);
    let comparison = Comparison::of(&of(1e-7), &of(2e-7), ComparisonKind::Interleaved, &rules);
    let found = &comparison.metrics[0];
    assert_eq!((found.verdict, found.warned), (Verdict::Same, false));
    assert!(found.reason.ends_with("all of it less than the 1.00 ms that matter"), "{}", found.reason);
    let over = Comparison::of(&of(1e-6), &of(3e-6), ComparisonKind::Interleaved, &rules);
    assert_eq!(over.verdict, Verdict::Regressed);
}

/// About three times as far apart as they scatter: 20 % more, and far from sure.
#[test]
fn a_large_difference_that_is_not_sure_says_how_many_rounds_it_takes() {
    let base = || metric("p50", std::iter::repeat_n(1000.0, 12));
    let of = |pattern: [f64; 4]| {
        metric(
            "p50",
            pattern.into_iter().cycle().take(12).zip(1..).map(|(value, round)| value + f64::from(round)),
        )
    };
    let comparison = live(vec![base()], vec![of([1600.0, 700.0, 1500.0, 1200.0])]);
    assert_eq!(comparison.verdict, Verdict::Inconclusive);
    let (found, text) = (&comparison.metrics[0], &comparison.reason);
    let p = found.p.expect("it is judged");
    let rounds = (12.0 * 0.01_f64.ln() / p.ln()).ceil();
    assert!(text.ends_with(&format!("and 10 % matter; about {rounds} rounds would tell")), "{text}, p {p}");
    let even = live(vec![base()], vec![of([2000.0, 500.0, 1990.0, 490.0])]);
    assert_eq!(even.verdict, Verdict::Inconclusive, "{}", even.reason);
}

/// Every second round takes all of a rate away, so it has no logarithm.
#[test]
fn rates_of_nothing_are_compared_by_their_differences() {
    let of = |factor: f64| {
        metric("throughput", (0..24).map(move |round| f64::from(round % 4) * factor + f64::from(round % 4)))
    };
    let comparison = live(vec![of(100.0)], vec![of(50.0)]);
    let found = &comparison.metrics[0];
    assert_eq!((found.ratio, found.verdict), (None, Verdict::Regressed), "{}", found.reason);
    assert!(found.reason.starts_with("throughput of `new` is 50 % lower"), "{}", found.reason);
}

#[test]
fn a_round_that_cannot_be_believed_is_left_out_of_both_sides() {
    let (mut base, mut candidate) = (
        record("old", vec![metric("p50", rounds(20, 1.0))]),
        record("new", vec![metric("p50", rounds(20, 1.0))]),
    );
    candidate.invalid = (0..5).map(|round| (round, "a reason".to_owned())).collect();
    base.invalid = vec![(0, "a reason".into()), (7, "another".into())];
    candidate.metrics[0].samples[9] = None;
    let comparison = Comparison::of(&base, &candidate, ComparisonKind::Interleaved, &Rules::interleaved());
    let found = &comparison.metrics[0];
    assert_eq!((found.base.count, found.candidate.count, found.basis), (13, 13, Basis::Paired));
    assert_eq!(
        comparison.warnings,
        ["5 of 20 rounds of `new` cannot be believed and are left out: a reason"]
    );
}

/// Twice as slow a machine, whose control is twice as slow too.
#[test]
fn a_saved_record_is_compared_by_its_ratio_to_the_control() {
    let of = |factor: f64, control: bool| {
        let mut throughput = metric("throughput", rounds(20, factor));
        if control {
            throughput.control = rounds(20, factor).map(|value| Some(value * 3.0)).collect();
        }
        record("now", vec![throughput, metric("peak heap", rounds(20, 1.0))])
    };
    let comparison = saved(&of(1.0, true), &of(0.5, true), &[]);
    assert_eq!(verdicts(&comparison), [Verdict::Same, Verdict::Same]);
    assert_eq!([comparison.metrics[0].basis, comparison.metrics[1].basis], [Basis::Control, Basis::Absolute]);
    assert!(comparison.warnings.is_empty(), "{:?}", comparison.warnings);
    let comparison = saved(&of(1.0, true), &of(0.5, false), &[]);
    assert_eq!((comparison.metrics[0].basis, comparison.verdict), (Basis::Absolute, Verdict::Regressed));
    assert_eq!(comparison.warnings.len(), 1);
    assert!(comparison.warnings[0].starts_with("throughput of a saved record without enough ratios"));
}

#[test]
fn of_another_machine_only_ratios_and_memory_are_judged() {
    let of = |factor: f64| {
        let mut throughput = metric("throughput", rounds(20, factor));
        throughput.control = rounds(20, factor).map(Some).collect();
        record(
            "now",
            vec![
                throughput,
                metric("p50", rounds(20, factor)),
                metric("peak heap", rounds(20, 100.0 * factor)),
            ],
        )
    };
    let comparison = saved(&of(1.0), &of(1.5), &["cpu model: x, was y".into()]);
    assert_eq!(verdicts(&comparison), [Verdict::Same, Verdict::Inconclusive, Verdict::Regressed]);
    assert_eq!(
        comparison.metrics[1].reason,
        "measured on another machine or build without ratios to a control (cpu model: x, was y)"
    );
    assert_eq!(comparison.warnings.len(), 1, "{:?}", comparison.warnings);
    assert_eq!(comparison.metrics[1].adjusted_p, None);
}

/// A test that waits for a timer: the machine was busy when it was blessed, and the control slow.
#[test]
fn what_takes_as_long_as_before_is_not_worse_for_a_faster_control() {
    let of = |factor: f64, control: f64| {
        let mut duration = Metric::new("duration", MetricKind::Duration, Unit::Seconds, Better::Lower);
        duration.samples = rounds(10, factor).map(Some).collect();
        duration.control = rounds(10, control).map(Some).collect();
        record("now", vec![duration])
    };
    let verdict = |now: &Record| saved(&of(1.0, 0.9), now, &[]).metrics.remove(0);
    let faster = verdict(&of(1.01, 0.3));
    assert_eq!((faster.verdict, faster.warned), (Verdict::Inconclusive, false));
    let why = "1 % higher by itself: it is the control that changed";
    assert!(faster.reason.ends_with(why), "{}", faster.reason);
    assert_eq!(verdict(&of(1.0, 2.7)).verdict, Verdict::Inconclusive, "nor better for a slower one");
    assert_eq!(verdict(&of(2.0, 0.9)).verdict, Verdict::Regressed);
    assert_eq!(verdict(&of(3.0, 2.7)).verdict, Verdict::Same, "a slower machine");
    let elsewhere = saved(&of(1.0, 0.9), &of(1.0, 0.3), &["cpu model: x, was y".into()]);
    assert_eq!(elsewhere.verdict, Verdict::Regressed, "another machine has times of its own");
}

/// The ratios are of two different things.
#[test]
fn another_control_is_no_control() {
    let of = |control: &str| {
        let mut throughput = metric("throughput", rounds(20, 1.0));
        throughput.control = rounds(20, 1.0).map(Some).collect();
        Record { control: Some(control.into()), ..record("now", vec![throughput]) }
    };
    assert_eq!(saved(&of("plain"), &of("plain"), &[]).metrics[0].basis, Basis::Control);
    let comparison = saved(&of("plain"), &of("other"), &[]);
    assert_eq!(comparison.metrics[0].basis, Basis::Absolute);
    assert!(comparison.warnings[0].contains("with another control"), "{:?}", comparison.warnings);
}

#[test]
fn metrics_of_one_side_are_named_and_none_are_inconclusive() {
    let comparison = live(vec![metric("p50", rounds(20, 1.0))], vec![metric("p99", rounds(20, 1.0))]);
    assert_eq!(comparison.unmatched, ["p99 (`new` only)", "p50 (`old` only)"]);
    assert_eq!(comparison.verdict, Verdict::Inconclusive);
    assert_eq!(comparison.reason, "the two have no metric in common");
}

#[test]
fn rules_can_be_set_for_one_metric() {
    let rules = Rules::interleaved().limit("p50", Limits::new(0.2, 0.4));
    let of =
        |factor| record("side", vec![metric("p50", rounds(20, factor)), metric("p90", rounds(20, factor))]);
    let comparison = Comparison::of(&of(1.0), &of(1.3), ComparisonKind::Interleaved, &rules);
    assert_eq!(verdicts(&comparison), [Verdict::Same, Verdict::Regressed]);
    assert!(comparison.metrics[0].warned);
}

#[test]
fn a_spread_is_absent_without_samples() {
    let spread = Spread::of(&[3.0, 1.0, 2.0, 9.0]);
    assert_eq!((spread.count, spread.median, spread.mad), (4, Some(2.5), Some(1.0)));
    assert_eq!((spread.min, spread.max), (Some(1.0), Some(9.0)));
    let none = Spread::of(&[]);
    assert_eq!((none.count, none.median, none.mad, none.min, none.max), (0, None, None, None, None));
}

#[test]
fn a_comparison_survives_its_text() {
    let comparison = live(vec![metric("p50", rounds(20, 1.0))], vec![metric("p50", rounds(20, 1.3))]);
    let text = serde_json::to_string(&comparison).expect("it has no odd floats");
    assert_eq!(serde_json::from_str::<Comparison>(&text).expect("it was just written"), comparison);
}

/// Seven rounds a hundred thousand times as long as the others, and 1 % longer; the others a fifth shorter.
#[test]
fn the_verdict_goes_the_way_that_is_told() {
    let of = |long: f64, short: f64| {
        metric("p50", (0..20).map(move |round| if round < 7 { long * f64::from(round + 1) } else { short }))
    };
    let comparison = live(vec![of(100_000.0, 1.0)], vec![of(101_000.0, 0.8)]);
    let found = &comparison.metrics[0];
    let ratio = found.ratio.expect("all are positive").value;
    assert!(ratio < 0.9, "{found:?}");
    assert_eq!(found.verdict, Verdict::Improved, "{}", found.reason);
}
