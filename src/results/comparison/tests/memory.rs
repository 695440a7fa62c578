//! Memory, of which there is often nothing, and which hardly differs from run to run.

use super::{live, record, saved};
use crate::results::comparison::{Comparison, MetricComparison, Verdict};
use crate::results::metric::{Better, Metric, MetricKind, Unit};

fn memory(unit: Unit, samples: impl IntoIterator<Item = u32>) -> Metric {
    let mut metric = Metric::new("live heap", MetricKind::Memory, unit, Better::Lower);
    metric.samples = samples.into_iter().map(|sample| Some(f64::from(sample))).collect();
    metric
}

/// As of a saved record, with ten rounds of one value each.
fn change(unit: &Unit, from: u32, to: u32) -> MetricComparison {
    let of = |side, value| record(side, vec![memory(unit.clone(), [value; 10])]);
    saved(&of("old", from), &of("new", to), &[]).metrics.remove(0)
}

#[test]
fn a_few_bytes_out_of_nothing_do_not_matter_and_a_leak_does() {
    let bytes = |from, to| change(&Unit::Bytes, from, to).verdict;
    assert_eq!([bytes(0, 0), bytes(0, 64), bytes(64, 0), bytes(64, 192)], [Verdict::Same; 4]);
    assert_eq!([bytes(0, 4096), bytes(0, 1 << 20), bytes(64, 1 << 20)], [Verdict::Regressed; 3]);
    assert_eq!(bytes(1 << 20, 0), Verdict::Improved);
    let leak = change(&Unit::Bytes, 0, 1 << 20).reason;
    assert!(
        leak.starts_with("live heap of `new` is 1.00 MiB higher (95 %: 1.00 MiB to 1.00 MiB higher)"),
        "{leak}"
    );
    let little = change(&Unit::Bytes, 0, 64).reason;
    assert!(little.ends_with("all of it less than the 4.00 KiB that matter"), "{little}");
}

#[test]
fn a_few_blocks_of_thousands_do_not_matter_and_a_tenth_does() {
    let blocks = |from, to| change(&Unit::Count, from, to).verdict;
    assert_eq!([blocks(5000, 5004), blocks(5004, 5000), blocks(0, 5), blocks(20, 25)], [Verdict::Same; 4]);
    assert_eq!(blocks(5000, 4500), Verdict::Improved, "a tenth is a tenth, in logarithms too");
    assert_eq!([blocks(5000, 5500), blocks(0, 5000)], [Verdict::Regressed; 2]);
}

/// Too rare to be told, and not the same in all of them.
#[test]
fn what_one_round_holds_is_not_said_to_be_in_none() {
    let of = |first| memory(Unit::Bytes, [first].into_iter().chain([0; 19]));
    let told = |first| -> Comparison { live(vec![of(0)], vec![of(first)]) };
    assert_eq!(told(1 << 20).metrics[0].reason, "live heap of `new` is the same in most rounds");
    assert_eq!(told(0).metrics[0].reason, "live heap of `new` is the same in all rounds");
}
