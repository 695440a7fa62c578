//! Sides in turn, measured and compared.

use std::cell::RefCell;
use std::time::Duration;

use isolated_nats::results::{
    Better, ComparisonKind, Limits, MetricKind, Outcome, ResultsErrorKind, Sample, Scenario, Target, Unit,
    Verdict,
};
use isolated_nats::{ExternalNats, LoadGenerator, MemoryProbe, Schedule};

use crate::support::{Scratch, Victim};

/// Values that differ a little from round to round, as measured ones do.
fn values(base: f64) -> impl FnMut() -> f64 {
    let mut round = 0_u32;
    move || {
        round += 1;
        base * (1.0 + 0.01 * f64::from(round * 7 % 10))
    }
}

#[tokio::test]
async fn the_side_that_is_worse_is_found_with_its_reason() {
    let (mut fast, mut slow) = (values(1000.0), values(700.0));
    let results = Scenario::named("made up")
        .side("fast", async || Ok(Sample::new().rate("throughput", fast())))
        .side("slow", async || Ok(Sample::new().rate("throughput", slow())))
        .target(Target::at_least("throughput", 900.0))
        .keep(false)
        .quick(false)
        .run()
        .await
        .unwrap();

    let comparison = &results.comparisons[0];
    assert_eq!((comparison.base.as_str(), comparison.candidate.as_str()), ("fast", "slow"));
    assert_eq!((comparison.kind, comparison.verdict), (ComparisonKind::Interleaved, Verdict::Regressed));
    let ratio = comparison.metrics[0].ratio.unwrap();
    assert!(ratio.low <= 0.7 && 0.7 <= ratio.high && ratio.high - ratio.low < 0.1, "{ratio:?}");
    assert!(comparison.reason.contains("throughput"), "{}", comparison.reason);
    assert_eq!(results.outcome(), Outcome::Failed);
    let error = results.check().unwrap_err();
    assert!(format!("{error:?}").contains("throughput"), "{error:?}");
}

#[tokio::test]
async fn a_design_that_is_worse_is_no_failure_and_the_better_one_is_recommended() {
    let (mut channel, mut stream) = (values(1000.0), values(100.0));
    let results = Scenario::named("buses")
        .designs()
        .side("channel", async || Ok(Sample::new().rate("throughput", channel())))
        .side("stream", async || Ok(Sample::new().rate("throughput", stream())))
        .keep(false)
        .quick(false)
        .run()
        .await
        .unwrap();
    assert_eq!(results.comparisons[0].verdict, Verdict::Regressed);
    assert_eq!(results.outcome(), Outcome::Passed, "{results}");
    results.check().unwrap();
    assert!(results.comparisons[0].recommendation.as_ref().unwrap().contains("prefer `channel`"));
}

#[tokio::test]
async fn equal_sides_are_the_same_and_three_rounds_say_nothing() {
    let compare = async |rounds: usize| {
        let (mut one, mut other) = (values(5.0), values(5.0));
        let results = Scenario::named("equal")
            .side("one", async || Ok(Sample::new().time("duration", Duration::from_secs_f64(one()))))
            .side("other", async || Ok(Sample::new().time("duration", Duration::from_secs_f64(other()))))
            .rounds(rounds)
            .keep(false)
            .quick(false);
        results.run().await.unwrap().comparisons[0].verdict
    };
    assert_eq!(compare(20).await, Verdict::Same);
    assert_eq!(compare(3).await, Verdict::Inconclusive);
}

#[tokio::test]
async fn sides_take_turns_and_one_round_does_not_count() {
    let order = RefCell::new(String::new());
    let side = async |name: char| {
        order.borrow_mut().push(name);
        Ok(Sample::new().rate("throughput", 1.0))
    };
    let record = Scenario::named("turns")
        .control("control", async || side('c').await)
        .rounds(4)
        .keep(false)
        .quick(false)
        .measure(async || side('a').await)
        .await
        .unwrap();
    assert_eq!(*order.borrow(), "ac".to_owned() + "ac" + "ca" + "ca" + "ac");
    assert_eq!((record.rounds, record.control.as_deref()), (4, Some("control")));
    let throughput = record.metric("throughput").unwrap();
    assert_eq!((throughput.samples.len(), throughput.ratios().unwrap().len()), (4, 4));
}

#[tokio::test]
async fn what_takes_time_and_returns_nothing_is_timed() {
    let work = async |amount: u64| {
        (0..amount).for_each(|i| drop(std::hint::black_box(vec![i])));
        Ok(())
    };
    let results = Scenario::named("work")
        .side("little", async || work(2_000).await)
        .side("much", async || work(40_000).await)
        .keep(false)
        .quick(false)
        .run()
        .await
        .unwrap();
    let metric = &results.comparisons[0].metrics[0];
    assert_eq!((metric.name.as_str(), metric.kind), ("duration", MetricKind::Duration));
    assert_eq!(results.comparisons[0].verdict, Verdict::Regressed, "{results}");
}

#[tokio::test]
async fn a_round_that_fails_is_an_error_that_names_it() {
    let mut round = 0;
    let results = Scenario::named("broken")
        .side("good", async || Ok(()))
        .side("bad", async || {
            round += 1;
            if round == 4 { Err("the stream is gone".into()) } else { Ok(()) }
        })
        .keep(false)
        .quick(false);
    let error = results.run().await.unwrap_err();
    assert_eq!(error.kind(), ResultsErrorKind::Round);
    assert_eq!(format!("{error:?}"), "round 3 of `bad` in scenario `broken` failed: the stream is gone");
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let no_side = Scenario::named("a").run().await.unwrap_err();
    assert!(no_side.to_string().contains("has no side (add one with `side`"), "{no_side}");
    let twice = Scenario::named("a").side("x", async || Ok(())).side("x", async || Ok(())).run().await;
    assert_eq!(twice.unwrap_err().kind(), ResultsErrorKind::Misuse);
    let no_round = Scenario::named("a").rounds(0).quick(false).measure(async || Ok(())).await;
    assert_eq!(no_round.unwrap_err().kind(), ResultsErrorKind::Misuse);
    let both = Scenario::named("a").side("x", async || Ok(())).measure(async || Ok(())).await;
    assert!(both.unwrap_err().to_string().contains("call `run`"));
}

#[tokio::test]
async fn a_quick_run_is_marked_and_inconclusive() {
    let (mut one, mut other) = (values(1.0), values(9.0));
    let results = Scenario::named("quick")
        .side("one", async || Ok(Sample::new().rate("throughput", one())))
        .side("other", async || Ok(Sample::new().rate("throughput", other())))
        .rounds(20)
        .quick(true)
        .keep(false)
        .run()
        .await
        .unwrap();
    assert!(results.records.iter().all(|record| record.quick && record.rounds == 3));
    assert_eq!(results.comparisons[0].verdict, Verdict::Inconclusive);
}

#[tokio::test]
async fn what_matters_can_be_said_for_each_metric() {
    let compare = async |limits: Option<Limits>| {
        let (mut one, mut other) = (values(100.0), values(120.0));
        let keys = |value| Sample::new().with("keys", MetricKind::Other, Unit::Count, Better::Lower, value);
        let mut scenario = Scenario::named("keys").keep(false).quick(false);
        if let Some(limits) = limits {
            scenario = scenario.limit("keys", limits);
        }
        let scenario =
            scenario.side("one", async || Ok(keys(one()))).side("other", async || Ok(keys(other())));
        scenario.run().await.unwrap().comparisons[0].clone()
    };
    assert_eq!(compare(None).await.verdict, Verdict::Regressed);
    let lenient = compare(Some(Limits::new(0.1, 0.5))).await;
    assert_eq!((lenient.verdict, lenient.metrics[0].warned), (Verdict::Same, true));
}

#[tokio::test]
async fn load_and_memory_are_measured_beside_plain_requests() {
    let nats = ExternalNats::start().await.unwrap();
    let client = nats.client().await.unwrap();
    let record = Scenario::named("publish")
        .control_requests(&nats)
        .rounds(5)
        .keep(false)
        .quick(false)
        .measure(async || {
            let probe = MemoryProbe::builder().server(&nats).start();
            let report = LoadGenerator::builder()
                .schedule(Schedule::closed_count(2, 300))
                .operation_with("publish", 1, client.clone(), |client, context| async move {
                    client.publish("orders", context.payload_bytes()).await?;
                    Ok(())
                })
                .run()
                .await?;
            Ok(report.with(&probe.finish(), &nats.process()))
        })
        .await
        .unwrap();

    for name in ["throughput", "p50", "p99", "client cpu", "server cpu"] {
        let metric = record.metric(name).unwrap_or_else(|| panic!("no {name}: {record:?}"));
        assert_eq!(metric.values().len(), 5, "{name}");
        assert!(metric.ratios().unwrap().iter().all(|ratio| *ratio >= 0.0), "{name}");
    }
    assert_eq!(record.metric("errors").unwrap().values(), [0.0; 5]);
    assert!(record.metric("peak heap").unwrap().median().unwrap() > 0.0);
    assert!(record.metric("peak heap").unwrap().ratios().is_none(), "the control measures no memory");
    assert!(record.metric("peak rss").is_none() || record.memory.as_ref().unwrap().own_process.is_some());
    assert_eq!(record.latency.as_ref().unwrap().count(), 1500);
    assert_eq!(record.configuration["load schedule"], record.load.as_ref().unwrap().setup().schedule);
    assert_eq!(record.fingerprint.server.as_deref(), Some(nats.version()));
    nats.shutdown().await.unwrap();
}

#[tokio::test]
#[ignore = "a victim: run by the test below, with a directory for its results"]
async fn keeps_its_results() {
    let mut value = values(5.0);
    let scenario = Scenario::named("kept: by name");
    scenario.measure(async || Ok(Sample::new().rate("throughput", value()))).await.unwrap();
}

#[test]
fn results_are_kept_and_shown_in_a_jobs_summary() {
    let scratch = Scratch::new("kept");
    let results = scratch.path().join("results");
    let summary = scratch.path().join("summary.md");
    let variables = [
        ("ISOLATED_NATS_RESULTS", results.to_str().unwrap()),
        ("GITHUB_STEP_SUMMARY", summary.to_str().unwrap()),
        ("ISOLATED_NATS_QUICK", "0"),
    ];
    for _ in 0..2 {
        let (passed, output) = Victim::run("scenario::keeps_its_results", scratch.path(), &variables);
        assert!(passed, "{output}");
    }
    let store = isolated_nats::results::Store::at(&results);
    let runs = store.runs(Some("kept: by name")).unwrap();
    assert_eq!(runs.len(), 2);
    assert!(runs.iter().all(|run| !run.quick && run.path.starts_with(&results)), "{runs:?}");
    assert!(std::fs::read_to_string(&summary).unwrap().matches("kept: by name").count() >= 2);
}
