use super::super::files::tests::Scratch;
use super::super::fingerprint::Commit;
use super::super::metric::MetricKind;
use super::super::store::Store;
use super::*;

fn run(time: u64, throughput: f64) -> Results {
    let mut record = Record::new("a");
    record.taken = Moment(time);
    record.rounds = 3;
    record.fingerprint.commit = Some(Commit { hash: format!("{time:040x}"), changed: Some(time == 1) });
    let mut metric = Metric::new("throughput", MetricKind::Throughput, Unit::PerSecond, Better::Higher);
    metric.samples = vec![Some(throughput * 0.5), Some(throughput), Some(throughput * 2.0)];
    record.metrics.push(metric);
    Results {
        schema: 1,
        title: "a".into(),
        records: vec![record],
        comparisons: vec![],
        sweep: None,
        findings: vec![],
    }
}

#[test]
fn without_runs_nothing_is_said() {
    let trend = Trend::of("a", &[]);
    assert!(trend.runs.is_empty() && trend.metrics.is_empty());
    assert_eq!(trend.to_string(), "trend of `a`: 0 runs, the oldest first\n");
    let one = Trend::of("a", &[run(1, 100.0)]);
    let metric = &one.metrics[0];
    assert_eq!(
        (metric.latest, metric.earlier, metric.change, metric.sigmas),
        (Some(100.0), None, None, None)
    );
    assert_eq!(metric.worse(), None);
}

/// By Python, with the medians `y` of 100, 102, 98, 101, 99, 103, 97, 104 and then 80: `statistics.median(y[:8])` is 100.5; of the distances from it
/// the median is 2, and (80 - 100.5) / (1.4826022 * 2) is -6.9135. `scipy.stats.theilslopes(y, range(9)).slope` is -0.375; of the 36 slopes in
/// order, `(36 - 1.96 * sqrt(9 * 8 * 23 / 18)) / 2` is 8.6, and the eighth from each end are -22 / 7 and 1. Here over the median of all nine, 100.
#[test]
fn the_latest_run_is_compared_with_the_earlier_ones() {
    let medians = [100.0, 102.0, 98.0, 101.0, 99.0, 103.0, 97.0, 104.0, 80.0];
    let runs: Vec<Results> = (1..).zip(medians).map(|(time, median)| run(time, median)).collect();
    let trend = Trend::of("a", &runs);
    let metric = &trend.metrics[0];
    assert_eq!(metric.medians, medians.map(Some));
    assert_eq!((metric.earlier, metric.latest), (Some(100.5), Some(80.0)));
    assert!(
        (metric.change.unwrap() + 20.5 / 100.5).abs() < 1e-12
            && (metric.sigmas.unwrap() + 6.9135).abs() < 1e-4,
        "{metric:?}"
    );
    assert_eq!(metric.worse(), Some(true));
    let slope = metric.slope.unwrap();
    for (end, expected) in [(slope.value, -0.375), (slope.low, -22.0 / 7.0), (slope.high, 1.0)] {
        assert!((end - expected / 100.0).abs() < 1e-12, "{slope:?}");
    }
    let few = Trend::of("a", &runs[..5]);
    assert_eq!((few.metrics[0].slope, few.metrics[0].worse()), (None, None));
}

/// The medians, the last of them the latest run's.
fn of_medians(medians: &[f64]) -> MetricTrend {
    let runs: Vec<Results> = (1..).zip(medians).map(|(time, median)| run(time, *median)).collect();
    Trend::of("a", &runs).metrics.remove(0)
}

// The same code, by the trial: 4 earlier runs from which the latest is 14 deviations away, and a wide spread of 8.
#[test]
fn the_same_code_is_neither_worse_nor_better() {
    let few = of_medians(&[100.0, 101.0, 99.0, 100.5, 70.0]);
    assert_eq!((few.worse(), few.sigmas), (None, None));
    assert!(few.change.unwrap() < -0.25);
    let wide = [0.582, 0.4, 0.8, 0.5, 0.7, 0.6, 0.55, 0.62];
    let judged = |latest: f64| of_medians(&[&wide[..], &[latest]].concat()).worse();
    assert_eq!([judged(0.435), judged(0.82), judged(0.1)], [None, None, Some(true)]);
    // Beyond 3 sigma, but one earlier run was there too.
    let outlier = [100.0, 101.0, 99.0, 100.5, 99.5, 100.2, 99.8, 60.0];
    let judged = |latest: f64| of_medians(&[&outlier[..], &[latest]].concat()).worse();
    assert_eq!(
        [judged(70.0), judged(59.0), judged(104.5), judged(130.0)],
        [None, Some(true), None, Some(false)]
    );
}

#[test]
fn eight_earlier_runs_that_are_alike_have_no_deviation_and_a_change_is_news() {
    let alike = of_medians(&[5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 4.0]);
    assert_eq!((alike.sigmas, alike.worse()), (None, Some(true)));
    assert_eq!(of_medians(&[5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 4.0]).worse(), None); // seven
}

#[test]
fn quick_runs_and_other_configurations_are_left_out_and_counted() {
    let mut runs: Vec<Results> = (1..=5).map(|time| run(time, 100.0)).collect();
    runs[1].records[0].quick = true;
    runs[2].records[0].configuration.insert("payload".into(), "1 KiB".into());
    let trend = Trend::of("a", &runs);
    let times: Vec<u64> = trend.runs.iter().map(|run| run.taken.unix_seconds()).collect();
    assert_eq!((times, trend.quick, trend.other_configuration), (vec![1, 4, 5], 1, 1));
    assert!(
        trend
            .to_string()
            .contains("3 runs, the oldest first; left out: 1 quick, 1 of another configuration\n")
    );
}

#[test]
fn ratios_to_the_control_are_followed_where_every_run_has_them() {
    let with_control = |time, throughput, control| {
        let mut run = run(time, throughput);
        run.records[0].metrics[0].control = vec![Some(control * 0.5), Some(control), Some(control * 2.0)];
        run
    };
    let mut runs = vec![with_control(1, 100.0, 200.0), with_control(2, 50.0, 100.0)];
    let trend = Trend::of("a", &runs);
    assert_eq!((trend.metrics[0].basis, trend.metrics[0].change), (Basis::Control, Some(0.0)));
    assert_eq!((trend.metrics[0].plain_earlier, trend.metrics[0].plain_latest), (Some(100.0), Some(50.0)));
    let text = trend.to_string();
    assert!(
        text.contains("0.500 x control (100 /s)") && text.contains("0.500 x control (50.0 /s)"),
        "{text}"
    );
    assert!(text.contains("x control: the ratio to the control of the same run"), "{text}");
    runs.insert(0, run(0, 70.0));
    let trend = Trend::of("a", &runs);
    assert_eq!((trend.metrics[0].basis, trend.metrics[0].latest), (Basis::Absolute, Some(50.0)));
    assert_eq!((trend.metrics[0].plain_earlier, trend.metrics[0].plain_latest), (None, None));
}

#[test]
fn a_metric_that_a_run_does_not_have_is_absent() {
    let mut runs = vec![run(1, 100.0), run(2, 100.0), run(3, 100.0)];
    runs[1].records[0].metrics.clear();
    let trend = Trend::of("a", &runs);
    assert_eq!(trend.metrics[0].medians, [Some(100.0), None, Some(100.0)]);
    assert!(trend.to_string().lines().nth(3).unwrap().ends_with(" -"), "{trend}");
}

#[test]
fn a_trend_is_shown_run_by_run_with_what_changed() {
    let mut runs: Vec<Results> =
        (1..).zip([100.0, 100.0, 112.0]).map(|(time, median)| run(time, median)).collect();
    runs[0].records[0].fingerprint.cores = Some(4);
    runs[2].records[0].fingerprint.cores = Some(2);
    assert_eq!(
        Trend::of("a", &runs).to_string(),
        "trend of `a`: 3 runs, the oldest first\n  \
           time                           commit  throughput\n  \
           1970-01-01T00:00:01Z *  000000000000+      100 /s\n  \
           1970-01-01T00:00:02Z     000000000000      100 /s\n  \
           1970-01-01T00:00:03Z     000000000000      112 /s\n  \
           * 1 of another machine, build or runtime than the latest\n  \
           latest against earlier  earlier  latest   change  sigma  per run\n  \
           throughput               100 /s  112 /s  +12.0 %      -        -\n  \
           earlier: the median of the runs before the latest; sigma: how many deviations of these the latest is from it, with 8 of them \
           or more\n  \
           per run: the change from one run to the next, over all runs (Theil-Sen, with its interval), with 6 runs or more\n  \
           worse, better: by more than 5 % and 3 sigma, beyond each of 8 earlier runs or more; what is less is no news\n"
    );
}

#[test]
fn the_store_has_the_trend_of_a_scenario_and_it_is_read_back() {
    let scratch = Scratch::new();
    let store = Store::at(scratch.path());
    for time in [2, 1, 3] {
        store.save(&run(time, 100.0)).unwrap();
    }
    let trend = store.trend("a").unwrap();
    let times: Vec<u64> = trend.runs.iter().map(|run| run.taken.unix_seconds()).collect();
    assert_eq!(times, [1, 2, 3]);
    assert_eq!(serde_json::from_str::<Trend>(&serde_json::to_string(&trend).unwrap()).unwrap(), trend);
    assert!(store.trend("b").unwrap().runs.is_empty());
}
