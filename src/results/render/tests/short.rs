//! How much a reader has to read, of comparisons that were really made.

use crate::results::comparison::{Comparison, ComparisonKind, Rules};
use crate::results::document::Results;
use crate::results::made;
use crate::results::metric::{Better, Metric, MetricKind, Unit};
use crate::results::record::Record;
use crate::results::target::Target;

fn side(name: &str, slower: f64, rounds: u32) -> Record {
    let metrics = [
        ("throughput", MetricKind::Throughput, Unit::PerSecond, Better::Higher, 1000.0 / slower),
        ("p50", MetricKind::Median, Unit::Seconds, Better::Lower, 1e-3 * slower),
        ("p99", MetricKind::Tail, Unit::Seconds, Better::Lower, 5e-3 * slower),
        ("errors", MetricKind::Errors, Unit::Share, Better::Lower, 0.0),
        ("peak heap", MetricKind::Memory, Unit::Bytes, Better::Lower, 4e6 / slower),
    ];
    let metrics = metrics.map(|(name, kind, unit, better, value)| {
        let sample = |round| Some(value * (1.0 + 0.01 * f64::from(round * 7 % 10)));
        Metric { samples: (0..rounds).map(sample).collect(), ..Metric::new(name, kind, unit, better) }
    });
    Record {
        side: Some(name.into()),
        rounds: rounds as usize,
        metrics: metrics.into(),
        fingerprint: made::two_sides().records.remove(0).fingerprint,
        targets: vec![Target::at_least("throughput", 250.0)],
        ..Record::new("bus")
    }
}

fn compared(kind: ComparisonKind, slower: f64, rounds: u32) -> Results {
    let (old, new) = (side("old", 1.0, rounds), side("new", slower, rounds));
    let rules = match kind {
        ComparisonKind::Interleaved => Rules::interleaved(),
        ComparisonKind::Saved => Rules::saved(),
    };
    let comparison = Comparison::of(&old, &new, kind, &rules);
    Results::new("bus", vec![old, new], vec![comparison])
}

/// The report without what each record has of its own.
fn gist(text: &str) -> String {
    let (before, rest) = text.split_once("\nMeasurements\n").unwrap();
    let (_, after) = rest.split_once("\nMachine, build and configuration\n").unwrap();
    format!("{before}\nMachine, build and configuration\n{after}")
}

#[test]
fn two_sides_of_five_metrics_are_told_in_fifty_lines() {
    let text = compared(ComparisonKind::Interleaved, 1.5, 20).to_string();
    let short = gist(&text);
    assert!(short.lines().count() <= 50, "{} lines: {short}", short.lines().count());
    assert_eq!(text.matches("worse than `old`").count(), 1, "{text}");
    assert_eq!(text.matches("is worse than").count(), 1, "{text}");
    assert!(text.contains("318.0 % to spare") && !text.contains("  hash"), "{text}");
}

#[test]
fn what_to_do_comes_right_after_the_outcome() {
    let mut results = compared(ComparisonKind::Interleaved, 1.5, 20);
    results.comparisons[0].recommendation = Some("prefer old".into());
    let results = Results::new("bus", results.records, results.comparisons);
    for text in [results.to_string(), results.markdown()] {
        let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        assert!(lines[1].contains("Outcome: failed") && lines[2].contains("prefer old"), "{text}");
        assert_eq!(text.matches("prefer").count(), 1, "{text}");
    }
}

#[test]
fn a_reason_of_several_metrics_is_told_once() {
    for kind in [ComparisonKind::Interleaved, ComparisonKind::Saved] {
        let text = compared(kind, 1.5, 4).to_string();
        assert_eq!(text.matches("it takes at least").count(), 1, "{text}");
    }
    let text = compared(ComparisonKind::Saved, 1.5, 20).to_string();
    assert_eq!(text.matches("of a saved record without enough ratios").count(), 1, "{text}");
    assert_eq!(text.matches("throughput regressed").count(), 1, "{text}");
    assert!(!text.contains("no control ran"), "the warning says it: {text}");
}

#[test]
fn only_what_works_is_suggested() {
    let bless = |results: &Results| results.to_string().matches("isolated-nats bless").count();
    let text = |results: &Results| results.to_string();
    let enough = compared(ComparisonKind::Interleaved, 1.0, 10);
    assert!(text(&enough).contains("bless bus --side old") && bless(&enough) == 2, "{enough}");
    assert_eq!(bless(&compared(ComparisonKind::Interleaved, 1.0, 4)), 0, "too few rounds");
    let mut quick = enough.clone();
    quick.records.iter_mut().for_each(|record| record.quick = true);
    assert_eq!(bless(&quick), 0);
    assert!(text(&enough).contains("isolated-nats trend") && !text(&quick).contains("isolated-nats trend"));
}
