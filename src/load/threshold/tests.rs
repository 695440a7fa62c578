use super::*;
use crate::load::made::{failing, put_and_get, report, served, snapshot};
use crate::load::report::LoadReport;
use crate::load::snapshot::LoadSnapshot;

const MS: u64 = 1_000_000;

fn threshold(text: &str) -> Threshold {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

fn refused(text: &str) -> String {
    let error = text.parse::<Threshold>().expect_err(text);
    assert_eq!(error.kind(), LoadErrorKind::Threshold);
    error.to_string()
}

/// The verdict and why.
fn judged(text: &str, report: &LoadReport) -> (ThresholdVerdict, String) {
    let result = threshold(text).judge(report);
    (result.verdict, result.why)
}

fn verdict(text: &str, report: &LoadReport) -> ThresholdVerdict {
    judged(text, report).0
}

/// A hundred operations of 1 to 100 ms, in a closed loop, where the response is the service.
fn hundred() -> LoadReport {
    let mut report = served("total", (1..=100).map(|ms| ms * MS));
    report.setup.closed = true;
    report
}

#[test]
fn every_text_of_the_documentation_can_be_read_and_written() {
    for text in [
        "p99<5ms",
        "p99.9<=20ms",
        "mean<2ms",
        "max<1s",
        "response p99<5ms",
        "service p99<1500us",
        "lag p99<750ns",
        "delivery p99<20ms for consumer",
        "set-up p99<1s",
        "errors<1%",
        "errors<0.07% for get it all",
        "errors<10",
        "dropped<=0",
        "unfinished<1%",
        "rate>=1000/s",
        "rate>0.5/s",
        "achieved>=99%",
        "lost<=0",
        "duplicates<=0",
        "reordered<=0",
        "rss_growth<10%",
        "rss_growth<8MiB for server",
        "peak_heap<8MiB",
        "p99<5ms for put warn 20%",
        "p99<5ms warn 0%",
        "p99<5ms for warn me",
    ] {
        let read = threshold(text);
        assert_eq!(read.to_string(), text);
        assert_eq!(threshold(&read.to_string()), read);
        assert_eq!(format!("{read:?}"), format!("Threshold({text})"));
    }
    assert_eq!(threshold(" p99 ≤ 0.005 s for  put ").to_string(), "p99<=5ms for put");
    assert_eq!(threshold("rate >= 10_000/s"), Threshold::rate_at_least(Rate::per_second(10_000.0)));
}

#[test]
fn typed_ones_are_those_of_the_text() {
    let ms = Duration::from_millis;
    for (typed, text) in [
        (Threshold::p99_at_most(ms(5)).of_operation("put").warn_at(0.2), "p99<=5ms for put warn 20%"),
        (Threshold::percentile_at_most(99.9, ms(5)).of_service(), "service p99.9<=5ms"),
        (Threshold::mean_at_most(ms(2)).of_lag(), "lag mean<=2ms"),
        (Threshold::max_at_most(ms(1000)).of_response(), "response max<=1s"),
        (Threshold::max_at_most(ms(1000)).of_delivery(), "delivery max<=1s"),
        (Threshold::max_at_most(ms(1000)).of_set_up(), "set-up max<=1s"),
        (Threshold::errors_at_most_share(0.01), "errors<=1%"),
        (Threshold::errors_at_most(10), "errors<=10"),
        (Threshold::dropped_at_most(0), "dropped<=0"),
        (Threshold::unfinished_at_most(0), "unfinished<=0"),
        (Threshold::rate_at_least(Rate::per_second(0.5)), "rate>=0.5/s"),
        (Threshold::achieved_at_least_share(0.99), "achieved>=99%"),
        (Threshold::lost_at_most(0), "lost<=0"),
        (Threshold::duplicates_at_most(1), "duplicates<=1"),
        (Threshold::reordered_at_most(2), "reordered<=2"),
        (Threshold::rss_growth_at_most_share(0.1), "rss_growth<=10%"),
        (Threshold::peak_heap_at_most(8 << 20), "peak_heap<=8MiB"),
    ] {
        assert_eq!(typed, threshold(text));
        assert_eq!(typed.to_string(), text);
        typed.check(&["put".into()]).unwrap();
    }
}

#[test]
fn what_is_wrong_is_told_with_its_place_and_what_is_right() {
    for (text, why) in [
        ("", "character 1: there is no `<`, `<=`, `>=` or `>` (right is, for example, `p99<5ms`)"),
        ("p99", "character 1: there is no `<`, `<=`, `>=` or `>` (right is, for example, `p99<5ms`)"),
        (
            "p99<5mss",
            "character 5: `mss` is no unit (known are ns, us, ms, s, min, %, /s, B, KiB, MiB, GiB) (right is, for \
             example, `p99<5ms`)",
        ),
        (
            "p99=5ms",
            "character 4: `=` bounds nothing: write `<`, `<=`, `>=` or `>` (right is, for example, `p99<=5ms`)",
        ),
        (
            "ack p99<5ms",
            "character 1: `ack` is no time (known are response, service, lag, delivery, set-up) (right is, for example, \
             `service p99<5ms`)",
        ),
        (
            "service fast<5ms",
            "character 9: `fast` is no figure (known are p99 and the like, mean, max, errors, dropped, unfinished, rate, \
             achieved, lost, duplicates, reordered, rss_growth, peak_heap) (right is, for example, `p99<5ms`)",
        ),
        ("p99<", "character 5: `` is no number (right is, for example, `p99<5ms`)"),
        ("p99<-5ms", "character 5: `-5ms` is negative (right is, for example, `p99<5ms`)"),
        ("p99<5ms for ", "character 5: nothing follows `for` (right is, for example, `p99<5ms for put`)"),
        (
            "p99<5ms warn lots",
            "character 14: `warn` takes how near the limit is warned of, from 0% to less than 100% of it (right is, for example, `p99<5ms warn 20%`)",
        ),
        (
            "errors<1.5",
            "character 8: `1.5` is no count (a time has a unit, a share has `%`) (right is, for example, `errors<1%`)",
        ),
    ] {
        let told = refused(text);
        assert!(told.starts_with(&format!("threshold `{text}`, {why}")), "{told}");
    }
}

#[test]
fn what_no_run_could_meet_or_fail_is_refused() {
    for (text, why) in [
        ("p101<5ms", "there are percentiles above 0 and up to 100"),
        ("p0<5ms", "there are percentiles above 0 and up to 100"),
        ("p99<0ms", "no run can meet it: everything takes some time"),
        ("p99<5%", "the limit of `p99` is a time, such as `5ms`"),
        ("p99>5ms", "`p99` is bounded from above: less of it is no fault"),
        ("errors>1%", "`errors` is bounded from above"),
        ("errors<0%", "no run can meet it: nothing is less than none (write `<=`)"),
        ("errors<0", "no run can meet it: nothing is less than none (write `<=`)"),
        ("errors<=100%", "every run meets it"),
        ("errors<101%", "every run meets it"),
        ("errors<5ms", "the limit of `errors` is a share, such as `1%`, or a count"),
        ("lost<0", "no run can meet it"),
        ("rate<1000/s", "`rate` is bounded from below: more of it is no fault"),
        ("rate>=0/s", "a limit of nothing bounds nothing"),
        ("rate>=1000", "the limit of `rate` is a rate, such as `1000/s`"),
        ("achieved>=101%", "no run can meet it: no more than what is offered can be achieved"),
        ("achieved>100%", "no run can meet it"),
        ("peak_heap<8", "the limit of `peak_heap` is a size, such as `8MiB`"),
        ("peak_heap<8MiB for put", "`peak_heap` is of the run as a whole (leave out ` for put`)"),
        ("lost<=0 for put", "`lost` is of the run as a whole"),
        ("service rate>=1/s", "`rate` is not a figure of the service time"),
        ("p99<5ms warn 100%", "`warn` takes how near the limit is warned of"),
    ] {
        let told = refused(text);
        assert!(told.contains(why) && told.contains("(right is, for example, `"), "{told}");
    }
}

#[test]
fn typed_ones_are_refused_by_the_check() {
    let ms = Duration::from_millis(5);
    for wrong in [
        Threshold::percentile_at_most(f64::NAN, ms),
        Threshold::percentile_at_most(-1.0, ms),
        Threshold::p99_at_most(Duration::ZERO),
        Threshold::errors_at_most_share(-0.1),
        Threshold::errors_at_most_share(f64::NAN),
        Threshold::achieved_at_least_share(1.1),
        Threshold::rate_at_least(Rate::per_second(-1.0)),
        Threshold::rate_at_least(Rate::per_second(f64::INFINITY)),
        Threshold::errors_at_most(0).of_lag(),
        Threshold::p99_at_most(ms).warn_at(1.0),
        Threshold::p99_at_most(ms).warn_at(f64::NAN),
        Threshold::lost_at_most(0).of_operation("put"),
        Threshold::from("nonsense"),
    ] {
        let error = wrong.check(&["put".into()]).expect_err(&wrong.to_string());
        assert_eq!(error.kind(), LoadErrorKind::Threshold);
        assert!(error.to_string().starts_with(&format!("threshold `{wrong}`")), "{error}");
    }
}

#[test]
fn an_unknown_operation_is_refused_with_the_known_ones() {
    let error = threshold("p99<5ms for putt").check(&["put".into(), "get".into()]).unwrap_err();
    let told = "threshold `p99<5ms for putt`: there is no operation `putt` (there are `put`, `get`)";
    assert_eq!(error.to_string(), told);
    threshold("delivery p99<5ms for consumer").check(&["put".into()]).unwrap();
    threshold("rss_growth<10% for server").check(&["put".into()]).unwrap();
}

#[test]
fn a_limit_is_told_from_one_beside_it() {
    use ThresholdVerdict::{Failed, Passed, Warned};
    let report = hundred();
    for (text, expected) in [
        ("p100<=100ms", Warned),
        ("p100<100ms", Failed),
        ("p100<=112ms", Passed),
        ("max<=110ms", Warned),
        ("max<=110ms warn 0%", Passed),
        ("max<=200ms warn 60%", Warned),
        ("mean<=50500us", Warned),
        ("mean<50500us", Failed),
        ("p1<=1ms warn 0%", Passed),
        ("rate>=10/s", Warned),
        ("rate>10/s", Failed),
        ("rate>=9/s", Passed),
        ("errors<=0", Passed),
        ("dropped<=0", Passed),
        ("unfinished<=0", Passed),
    ] {
        assert_eq!(verdict(text, &report), expected, "{text}");
    }
    let text = judged("max<100ms", &served("total", [100 * MS - 5_000 + 1])).1;
    assert_eq!(text, "100000001ns, allowed is < 100ms", "three figures would not tell them apart");
}

#[test]
fn a_bare_percentile_is_of_the_response_in_an_open_schedule_and_of_the_service_in_a_closed_loop() {
    let mut report = served("total", [1_000; 10]);
    let found = |text: &str, report: &LoadReport| threshold(text).judge(report).found;
    let micros = |micros| Some(ThresholdValue::Time(Duration::from_micros(micros)));
    assert_eq!(found("p99<1s", &report), micros(6));
    assert_eq!(found("service p99<1s", &report), micros(1));
    assert_eq!(found("lag p99<1s", &report), micros(5));
    report.setup.closed = true;
    assert_eq!(found("p99<1s", &report), micros(1));
}

#[test]
fn what_was_not_served_is_slower_than_any() {
    use ThresholdVerdict::{Failed, Passed};
    let report = failing(hundred(), 1);
    assert_eq!(verdict("p99<=150ms", &report), Passed, "rank 100 of 101 is the slowest that was served");
    let of = |text| judged(text, &report);
    assert_eq!(of("p99.9<=10min"), (Failed, "not served: 1 of 101 failed".into()));
    assert_eq!(of("max<=10min"), (Failed, "not served: 1 of 101 failed".into()));
    assert_eq!(of("service max<=10min"), (Failed, "not served: 1 of 101 failed".into()));
    assert_eq!(of("mean<=1s"), (Passed, "50.5 ms, allowed is <= 1.00 s (not in it: 1 of 101 failed)".into()));
    let mut report = failing(hundred(), 9_000);
    (report.counts.dropped, report.counts.unfinished) = (3, 2);
    assert_eq!(judged("p50<1s", &report).1, "not served: 9 000 of 9 105 failed, 3 dropped, 2 unfinished");
    let alone = failing(self::report("total"), 3);
    assert_eq!(judged("mean<1s", &alone), (Failed, "not served: 3 of 3 failed".into()));
    let result = threshold("p99<1s").judge(&alone);
    assert_eq!((result.verdict, result.found), (Failed, None));
}

#[test]
fn without_a_sample_everything_fails() {
    let nothing = LoadReport { operations: vec![report("put")], ..report("total") };
    for text in [
        "p99<1s",
        "mean<1s",
        "max<1s",
        "service p99<1s",
        "lag p99<1s",
        "errors<1%",
        "errors<10",
        "dropped<=0",
        "unfinished<=0",
        "rate>=1/s",
    ] {
        let one = format!("{text} for put");
        assert_eq!(judged(text, &nothing), (ThresholdVerdict::Failed, "no operation ended".into()), "{text}");
        assert_eq!(
            judged(&one, &nothing),
            (ThresholdVerdict::Failed, "no operation `put` ended".into()),
            "{text}"
        );
    }
    for (text, why) in [
        ("achieved>=99%", "nothing was offered: a closed loop has no rate of its own"),
        ("delivery p99<1s", "there is no service"),
        ("delivery p99<1s for a", "there is no service `a`"),
        ("set-up p99<1s", "no worker was set up, or none needs it"),
        ("lost<=0", "not measured: give the builder a verifier"),
        ("duplicates<=0", "not measured: give the builder a verifier"),
        ("reordered<=0", "not measured: give the builder a verifier"),
        ("rss_growth<10%", "not measured: call `with(..)` on the report"),
        ("peak_heap<8MiB", "not measured: call `with(..)` on the report"),
    ] {
        assert_eq!(judged(text, &nothing), (ThresholdVerdict::Failed, why.into()), "{text}");
    }
    assert_eq!(judged("p99<1s", &LoadReport { operations: Vec::new(), ..nothing }).1, "no operation ended");
}

#[test]
fn injected_failures_are_neither_served_nor_not() {
    let mut report = report("total");
    report.counts.injected = 100;
    assert_eq!(judged("errors<1%", &report), (ThresholdVerdict::Failed, "no operation ended".into()));
    let mut report = hundred();
    report.counts.injected = 100;
    assert_eq!(verdict("max<1s", &report), ThresholdVerdict::Passed);
}

#[test]
fn shares_and_counts_of_one_operation_are_its_own() {
    use ThresholdVerdict::{Failed, Passed};
    let report = put_and_get();
    assert_eq!(
        judged("errors<1% for put", &report),
        (Failed, "2.50 %, allowed is < 1.00 % (150 of 6 000)".into())
    );
    assert_eq!(
        judged("errors<1% for get", &report),
        (Passed, "0 %, allowed is < 1.00 % (0 of 4 000)".into())
    );
    assert_eq!(verdict("errors<=1.5% warn 0%", &report), Passed, "a decimal fraction is on its limit");
    assert_eq!(judged("errors<150", &report), (Failed, "150, allowed is < 150".into()));
    assert_eq!(judged("rate>=600/s for put", &report).1, "585/s, allowed is >= 600/s");
    assert_eq!(verdict("p95<1s for put", &report), Passed);
    assert_eq!(judged("p99<1s for put", &report).1, "not served: 150 of 6 000 failed");
}

#[test]
fn what_is_missing_of_the_rate_offered_has_the_band() {
    use ThresholdVerdict::{Failed, Passed, Warned};
    let with = |failed| {
        let mut report = failing(served("total", (0..1_000 - failed).map(|_| MS)), failed);
        report.counts.planned = Some(1_000);
        report
    };
    assert_eq!(judged("achieved>=99%", &with(0)), (Passed, "100.0 %, allowed is >= 99.00 %".into()));
    assert_eq!(judged("achieved>=99%", &with(10)), (Warned, "99%, hardly above 99%".into()));
    assert_eq!(judged("achieved>=99%", &with(11)), (Failed, "98.90 %, allowed is >= 99.00 %".into()));
    assert_eq!(verdict("achieved>=100%", &with(0)), Passed);
}

#[test]
fn a_run_is_stopped_for_what_was_passed_and_for_nothing_else() {
    let run = |report: &LoadReport| snapshot(report);
    let slow = run(&put_and_get());
    let hopeless = |text: &str, so_far: &LoadSnapshot| threshold(text).hopeless(so_far);
    assert_eq!(
        hopeless("errors<1% for put", &slow).as_deref(),
        Some("`errors<1% for put`: 2.50 %, allowed is < 1.00 % (150 of 6 000)")
    );
    assert_eq!(hopeless("errors<1% for get", &slow), None);
    assert_eq!(hopeless("p99<1s", &slow).as_deref(), Some("`p99<1s`: not served: 150 of 10 000 failed"));
    assert_eq!(hopeless("p95<1s", &slow), None);
    assert!(hopeless("service mean<1us", &slow).is_some());
    for text in
        ["rate>=1000000/s", "achieved>=99%", "unfinished<=0", "lost<=0", "rss_growth<1%", "peak_heap<1B"]
    {
        assert_eq!(hopeless(text, &slow), None, "{text} is told at the end");
    }
    for text in ["p99<1ns", "errors<1%", "dropped<=0", "lag p99<1ns", "p99<1ns for put"] {
        assert_eq!(hopeless(text, &run(&report("total"))), None, "{text}: no sample is no reason");
    }
}

#[test]
fn a_result_survives_json() {
    let result = threshold("p99<5ms for put").judge(&put_and_get());
    let text = serde_json::to_string(&result).unwrap();
    assert_eq!(serde_json::from_str::<ThresholdResult>(&text).unwrap(), result);
    assert_eq!(result.to_string(), "`p99<5ms for put` failed: not served: 150 of 6 000 failed");
}
