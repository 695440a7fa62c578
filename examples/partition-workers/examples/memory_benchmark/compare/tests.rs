use isolated_nats::results::{Better, Metric, MetricKind, Unit};

use super::super::cell::MADE;
use super::super::records::{LIVE_HEAP, TO_STABLE};
use super::*;

/// A record of so many repeats, of which each differs a little from the others.
fn record(cell: Cell, repeats: u32, heap: f64, time: f64) -> (Cell, Record) {
    let mut record = Record::new(SCENARIO).configured("workers", cell.workers.to_string());
    record.side = Some(cell.to_string());
    record.rounds = repeats as usize;
    let mut metric = |name, kind, unit, middle: f64| {
        let mut metric = Metric::new(name, kind, unit, Better::Lower);
        metric.samples =
            (0..repeats).map(|repeat| Some(middle * (1.0 + f64::from(repeat) / 1000.0))).collect();
        record.metrics.push(metric);
    };
    metric(LIVE_HEAP, MetricKind::Memory, Unit::Bytes, heap);
    metric(TO_STABLE, MetricKind::Duration, Unit::Seconds, time);
    metric("p99", MetricKind::Tail, Unit::Seconds, time * f64::from(repeats));
    (cell, record)
}

fn all(repeats: u32, heap: f64, time: f64) -> Vec<(Cell, Record)> {
    MADE.into_iter().map(|cell| record(cell, repeats, heap, time)).collect()
}

fn saved(repeats: u32) -> Saved {
    let records = all(repeats, 1e6, 0.2).into_iter().map(|(_, record)| record).collect();
    Saved { name: "main".into(), results: Results::new(SCENARIO, records, Vec::new()) }
}

fn verdict_of(repeats: u32, heap: f64, time: f64) -> Option<Verdict> {
    verdict(&saved(10).compare(&all(repeats, heap, time)))
}

#[test]
fn a_tenth_more_memory_and_half_as_much_time_again_are_regressions() {
    assert_eq!(verdict_of(5, 1e6, 0.2), Some(Verdict::Same));
    assert_eq!(verdict_of(5, 1.15e6, 0.2), Some(Verdict::Regressed));
    assert_eq!(verdict_of(5, 1.08e6, 0.2), Some(Verdict::Same));
    assert_eq!(verdict_of(5, 1e6, 0.32), Some(Verdict::Regressed));
    assert_eq!(verdict_of(5, 1e6, 0.28), Some(Verdict::Same));
    assert_eq!(verdict_of(5, 0.5e6, 0.2), Some(Verdict::Improved));
}

#[test]
fn a_short_start_that_takes_twice_as_long_is_no_regression() {
    let quick = Saved {
        results: Results::new(SCENARIO, vec![record(MADE[0], 10, 1e6, 0.01).1], Vec::new()),
        ..saved(0)
    };
    assert_eq!(verdict(&quick.compare(&[record(MADE[0], 5, 1e6, 0.02)])), Some(Verdict::Same));
}

#[test]
fn too_few_samples_are_inconclusive_on_either_side() {
    assert_eq!(verdict_of(4, 2e6, 0.2), Some(Verdict::Inconclusive));
    assert_eq!(verdict(&saved(9).compare(&all(5, 2e6, 0.2))), Some(Verdict::Inconclusive));
}

#[test]
fn a_quick_run_is_never_more_than_inconclusive() {
    let mut records = all(5, 2e6, 0.2);
    records.iter_mut().for_each(|(_, record)| record.quick = true);
    assert_eq!(verdict(&saved(10).compare(&records)), Some(Verdict::Inconclusive));
    assert!(save("main", &records).unwrap_err().contains("quick"));
}

#[test]
fn what_is_not_in_the_saved_run_or_of_another_configuration_is_inconclusive() {
    let other = record("2w-7p".parse().unwrap(), 5, 1e6, 0.2);
    assert!(saved(10).compare(&[other])[0].1.as_ref().unwrap_err().contains("there is no run"));
    let mut records = all(5, 1e6, 0.2);
    records[0].1 = records[0].1.clone().configured("load", "1 ms");
    let compared = saved(10).compare(&records);
    assert!(compared[0].1.as_ref().unwrap_err().contains("load: 1 ms, was not set"), "{compared:?}");
    assert_eq!(verdict(&compared), Some(Verdict::Inconclusive));
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    for name in ["", "../a", "a/b", ".a", "a b"] {
        assert!(file(name).unwrap_err().contains("neither a file nor a name"), "{name}");
    }
    assert!(file("main-2.14").unwrap().ends_with("baselines/main-2.14.json"));
}
