//! Figures that are hard to draw.

use super::check;
use crate::results::document::Results;
use crate::results::made;

fn drawn(results: &Results) -> Vec<String> {
    let plots = results.plots();
    for plot in &plots {
        check(&plot.svg).unwrap_or_else(|why| panic!("{}: {why}", plot.name));
        assert!(!plot.svg.contains("NaN") && !plot.svg.contains("inf"), "{}", plot.svg);
    }
    plots.into_iter().map(|plot| plot.svg).collect()
}

/// All samples of the two sides.
fn with_samples(value: impl Fn(usize) -> Option<f64>) -> Results {
    let mut results = made::two_sides();
    for metric in results.records.iter_mut().flat_map(|record| &mut record.metrics) {
        metric.samples.iter_mut().enumerate().for_each(|(round, sample)| *sample = value(round));
    }
    results
}

#[test]
fn equal_single_huge_and_negative_samples_can_be_drawn() {
    for value in [0.0, 1.0, -5.0, 1e-12, 1e300, f64::MIN_POSITIVE] {
        assert_eq!(drawn(&with_samples(|_| Some(value))).len(), 4, "{value}");
        assert_eq!(drawn(&with_samples(|round| (round == 3).then_some(value))).len(), 4, "{value}");
    }
    drawn(&with_samples(|round| Some(if round == 0 { 1e-9 } else { 1e12 })));
}

#[test]
fn without_samples_there_is_no_plot_of_them() {
    let svgs = drawn(&with_samples(|_| None));
    assert_eq!(svgs.len(), 3);
    assert!(svgs.iter().all(|svg| !svg.contains("Samples by round")));
}

#[test]
fn of_a_base_that_was_saved_the_median_is_drawn() {
    let mut results = made::two_sides();
    results.records.remove(0);
    let svgs = drawn(&results);
    assert!(svgs[0].contains("Samples by round"));
    assert!(!svgs[0].contains("class=\"h d s0\" cx=\"26.0\"/>\n<circle class=\"h"), "{}", svgs[0]);
}

#[test]
fn a_sweep_of_one_level_or_none_can_be_drawn() {
    let mut results = made::sweep();
    let sweep = results.sweep.as_mut().unwrap();
    sweep.levels.truncate(1);
    assert_eq!(drawn(&results).len(), 1);
    let sweep = results.sweep.as_mut().unwrap();
    sweep.levels[0].metrics.retain(|metric| metric.name == "p50");
    assert_eq!(drawn(&results).len(), 0, "neither throughput nor p99 was measured");
    results.sweep.as_mut().unwrap().levels.clear();
    assert_eq!(drawn(&results).len(), 0);
}

#[test]
fn distributions_of_one_time_and_of_many_records_can_be_drawn() {
    let mut results = made::two_sides();
    results.records[0].latency = Some(crate::load::made::latency([5_000]));
    results.records[1].latency = Some(crate::load::made::latency([]));
    assert_eq!(drawn(&results).len(), 4);
    let record = results.records[0].clone();
    results.records = vec![record; 9];
    let svgs = drawn(&results);
    assert!(svgs[1].contains("2 more are not drawn"), "{}", svgs[1]);
}
