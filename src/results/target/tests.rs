use super::*;
use crate::results::findings::made::{metric, record};
use crate::results::metric::{Better, MetricKind, Unit};

fn judged(target: &Target, samples: &[f64]) -> TargetResult {
    let lower = metric("p99", MetricKind::Tail, Unit::Seconds, Better::Lower, samples);
    let higher = metric("throughput", MetricKind::Throughput, Unit::PerSecond, Better::Higher, samples);
    target.judge(&record("bus", vec![lower, higher])).unwrap()
}

#[test]
fn the_miss_decides_and_its_bands_are_inclusive() {
    let target = Target::at_least("throughput", 1000.0);
    for (measured, verdict, text) in [
        (1200.0, Severity::Good, "throughput is 1 200 /s and meets the target of at least 1 000 /s"),
        (1000.0, Severity::Good, "throughput is 1 000 /s and meets the target of at least 1 000 /s"),
        (
            900.0,
            Severity::Good,
            "throughput is 900 /s and misses the target of at least 1 000 /s by 10.0 % (within 10.0 %)",
        ),
        (
            899.0,
            Severity::Warn,
            "throughput is 899 /s and misses the target of at least 1 000 /s by 10.1 % (more than 10.0 %, no more than 20.0 %)",
        ),
        (800.0, Severity::Warn, ""),
        (
            799.0,
            Severity::Fail,
            "throughput is 799 /s and misses the target of at least 1 000 /s by 20.1 % (more than 20.0 %)",
        ),
    ] {
        let result = judged(&target, &[measured]);
        assert_eq!(result.verdict, verdict, "{measured}");
        assert!(text.is_empty() || result.text == text, "{}", result.text);
    }
}

#[test]
fn a_time_is_judged_by_its_median_and_other_bands() {
    let target = Target::time_at_most("p99", Duration::from_millis(5)).bands(0.0, 0.5);
    let result = judged(&target, &[0.1, 0.006, 0.004]);
    assert_eq!((result.measured, result.verdict), (Some(0.006), Severity::Warn));
    assert!((result.miss.unwrap() - 0.2).abs() < 1e-9);
    assert!(result.text.starts_with("p99 is 6.00 ms and misses the target of at most 5.00 ms by 20.0 %"));
    // 5.5 ms is 10 % more than 5 ms, whatever binary fractions make of it.
    let decimal = judged(&Target::at_most("p99", 0.005), &[0.0055]);
    assert_eq!(decimal.verdict, Severity::Good);
}

#[test]
fn of_nothing_any_is_too_much() {
    let target = Target::at_most("p99", 0.0);
    assert_eq!(judged(&target, &[0.0]).verdict, Severity::Good);
    let result = judged(&target, &[0.001]);
    assert_eq!(result.verdict, Severity::Fail);
    assert_eq!(result.text, "p99 is 1.00 ms and misses the target of at most 0 s (more than 20.0 %)");
}

#[test]
fn what_was_not_measured_neither_passes_nor_fails() {
    let result = judged(&Target::at_most("p99", 0.005), &[]);
    assert_eq!((result.verdict, result.measured, result.miss), (Severity::Unknown, None, None));
    let text = "p99 was not measured, so the target of at most 5.00 ms is neither met nor missed";
    assert_eq!(result.text, text);
}

#[test]
fn misuse_says_what_to_give() {
    let throughput = metric("throughput", MetricKind::Throughput, Unit::PerSecond, Better::Higher, &[1.0]);
    let record = record("bus", vec![throughput]);
    let error = |target: Target| {
        let error = target.judge(&record).unwrap_err();
        assert_eq!(error.kind(), ResultsErrorKind::Misuse);
        error.to_string()
    };
    let unknown = error(Target::at_least("thruput", 1.0));
    assert_eq!(
        unknown,
        "a target is set for `thruput`, which `bus` does not have (its metrics: `throughput`)"
    );
    let bands = "the bands of the target of `throughput` are 0.3 and 0.2 (give shares: 0 <= warn <= fail)";
    assert_eq!(error(Target::at_least("throughput", 1.0).bands(0.3, 0.2)), bands);
    for (warn, fail) in [(-0.1, 0.2), (f64::NAN, 0.2), (0.1, f64::NAN), (0.1, f64::INFINITY)] {
        assert!(error(Target::at_least("throughput", 1.0).bands(warn, fail)).contains("the bands"));
    }
    assert!(error(Target::at_least("throughput", f64::NAN)).contains("finite"));
}

#[test]
fn rounds_that_cannot_be_believed_decide_nothing() {
    let target = Target::at_least("throughput", 1000.0);
    let throughput = |samples: &[f64]| {
        metric("throughput", MetricKind::Throughput, Unit::PerSecond, Better::Higher, samples)
    };
    let mut disturbed = record("bus", vec![throughput(&[100.0, 1010.0, 90.0])]);
    disturbed.invalid = vec![(0, "others were busy".into()), (2, "others were busy".into())];
    let result = target.judge(&disturbed).unwrap();
    assert_eq!((result.measured, result.verdict), (Some(1010.0), Severity::Good));
    disturbed.invalid.push((1, "others were busy".into()));
    let result = target.judge(&disturbed).unwrap();
    assert_eq!((result.measured, result.verdict), (None, Severity::Unknown));
    let text = "throughput was measured in no round that can be believed, so the target of at least 1 000 /s is neither met \
                nor missed";
    assert_eq!(result.text, text);
}

#[test]
fn what_binary_fractions_miss_is_no_miss() {
    let result = judged(&Target::at_most("p99", 0.3), &[0.1 + 0.2]);
    assert_eq!((result.miss, result.verdict), (Some(0.0), Severity::Good));
    assert!(result.text.contains("meets"), "{}", result.text);
}
