//! What a run is held to, and how that is told.

use std::time::Duration;

use isolated_nats::load::{LoadErrorKind, LoadGeneratorBuilder, LoadReport, ThresholdVerdict};
use isolated_nats::{LoadGenerator, OperationContext, OperationError, Rate, Schedule, Threshold};

async fn well(_: OperationContext) -> Result<(), OperationError> {
    tokio::task::yield_now().await;
    Ok(())
}

async fn every_second(context: OperationContext) -> Result<(), OperationError> {
    tokio::task::yield_now().await;
    if context.sequence().is_multiple_of(2) { Ok(()) } else { Err("odd".into()) }
}

fn load() -> LoadGeneratorBuilder {
    LoadGenerator::builder()
        .schedule(Schedule::steady(Rate::per_second(2_000.0), Duration::from_millis(250)))
        .operation("put", 1, well)
}

fn verdicts(report: &LoadReport) -> Vec<ThresholdVerdict> {
    report.thresholds().iter().map(|result| result.verdict).collect()
}

#[tokio::test]
async fn a_run_is_held_to_text_and_typed_thresholds() {
    let report = load()
        .threshold("p99<1min for put")
        .threshold(Threshold::errors_at_most(0))
        .threshold("rate>=1000000/s".to_owned())
        .run()
        .await
        .unwrap();
    let [fast, whole, slow] = verdicts(&report).try_into().unwrap();
    assert_eq!(
        [fast, whole, slow],
        [ThresholdVerdict::Passed, ThresholdVerdict::Passed, ThresholdVerdict::Failed]
    );
    let error = report.check().unwrap_err().to_string();
    assert!(error.contains("`rate>=1000000/s`: ") && !error.contains("p99"), "{error}");
    report.assert_that("max<1min".parse().unwrap());
    let text = report.to_string();
    assert!(text.contains("threshold  failed  rate>=1000000/s: "), "{text}");
    println!("{report}\n{}", report.histogram());
}

#[tokio::test]
async fn what_cannot_be_used_is_refused_before_anything_runs() {
    for (threshold, why) in [
        ("p99<5ms for get", "there is no operation `get` (there are `put`)"),
        ("p99<5mss", "`mss` is no unit"),
        ("errors>1%", "`errors` is bounded from above"),
    ] {
        let refused = load().threshold(threshold).run().await.unwrap_err();
        assert_eq!(refused.kind(), LoadErrorKind::Threshold);
        assert!(refused.to_string().contains(why), "{refused}");
    }
}

#[tokio::test]
async fn a_run_ends_early_when_a_threshold_is_passed() {
    let report = LoadGenerator::builder()
        .schedule(Schedule::steady(Rate::per_second(1_000.0), Duration::from_secs(3_600)))
        .operation("half", 1, every_second)
        .threshold("errors<10% for half")
        .stop_early(Duration::ZERO)
        .run()
        .await
        .unwrap();
    assert_eq!(verdicts(&report), [ThresholdVerdict::Failed]);
    let why = report.stopped().unwrap();
    assert!(why.contains("errors<10% for half"), "{why}");
    report.check().unwrap_err();
}

#[tokio::test]
async fn nothing_measured_is_a_failure() {
    let report = load().inject_failures(1.0).threshold("p99<1min").run().await.unwrap();
    assert_eq!(verdicts(&report), [ThresholdVerdict::Failed]);
    assert_eq!(report.check().unwrap_err().kind(), LoadErrorKind::Failed);
}
