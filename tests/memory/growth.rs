//! Rounds of the same work, with a leak and without one.

use std::collections::HashMap;
use std::hint::black_box;

use isolated_nats::{GrowthErrorKind, GrowthVerdict, MemoryProbe};

#[test]
fn rounds_that_give_everything_back_pass() {
    let report = MemoryProbe::growth_blocking(100, || black_box(vec![1_u8; 10_000])).unwrap();
    assert_eq!(report.verdict(0.0), GrowthVerdict::Pass, "{report}");
    assert_eq!(report.bytes_per_round, 0.0, "{report}");
}

#[test]
fn a_few_bytes_each_round_are_found() {
    let mut kept = Vec::with_capacity(100);
    let report = MemoryProbe::growth_blocking(100, || kept.push(black_box(Box::new([1_u8; 48])))).unwrap();
    assert_eq!(report.verdict(0.0), GrowthVerdict::Fail, "{report}");
    assert_eq!(report.bytes_per_round, 48.0, "{report}");
    assert_eq!(report.verdict(48.0), GrowthVerdict::Pass, "{report}");
}

#[test]
fn a_table_that_has_grown_is_no_leak() {
    let mut table = HashMap::new();
    let mut round = 0_u32;
    let report = MemoryProbe::growth_blocking(200, || {
        round += 1;
        table.insert(round % 64, round);
    });
    assert_eq!(report.unwrap().verdict(0.0), GrowthVerdict::Pass);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_and_blocking_threads_are_part_of_a_round() {
    let clean = MemoryProbe::growth(200, async || {
        let blocking = tokio::task::spawn_blocking(|| black_box(vec![1_u8; 5000]));
        tokio::spawn(async { black_box(vec![1_u8; 5000]) }).await.unwrap().len()
            + blocking.await.unwrap().len()
    });
    let clean = clean.await.unwrap();
    assert_ne!(clean.verdict(256.0), GrowthVerdict::Fail, "{clean}");

    let leaky = MemoryProbe::growth(200, async || {
        tokio::task::spawn_blocking(|| std::mem::forget(black_box(vec![1_u8; 5000]))).await.unwrap();
    });
    let leaky = leaky.await.unwrap();
    assert_eq!(leaky.verdict(1024.0), GrowthVerdict::Fail, "{leaky}");
    assert!((4900.0..5100.0).contains(&leaky.bytes_per_round), "{leaky}");
}

#[tokio::test]
async fn tasks_that_end_after_their_round_are_no_leak() {
    let report = MemoryProbe::growth(40, async || {
        drop(tokio::spawn(async {
            for _ in 0..100 {
                tokio::task::yield_now().await; // longer than a round
            }
        }));
    });
    let report = report.await.unwrap();
    assert_ne!(report.verdict(0.0), GrowthVerdict::Fail, "{report}");

    let report =
        MemoryProbe::growth(40, async || drop(tokio::spawn(std::future::pending::<()>()))).await.unwrap();
    assert_eq!(report.verdict(0.0), GrowthVerdict::Fail, "{report}");
}

#[tokio::test]
async fn a_round_may_change_what_it_captures() {
    let mut kept = Vec::with_capacity(50);
    let report = MemoryProbe::growth(50, async || kept.push(Box::new([1_u8; 64]))).await.unwrap();
    assert_eq!(report.bytes_per_round, 64.0, "{report}");
}

#[test]
fn too_few_rounds_are_refused_before_the_first() {
    let error = MemoryProbe::growth_blocking(5, || panic!("it is not run")).unwrap_err();
    assert_eq!(error.kind(), GrowthErrorKind::TooFewRounds);
}
