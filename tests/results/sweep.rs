//! Sweeps of systems whose limits are known by construction.

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use isolated_nats::async_nats::Client;
use isolated_nats::results::{Axis, BottleneckKind, ResultsErrorKind, Store, Sweep, SweepStep, SweepStop};
use isolated_nats::{ExternalNats, LoadError, LoadGenerator, LoadReport, Schedule};
use tokio::sync::Semaphore;

use crate::support::{Scratch, Victim};

/// Requests that the service handles at a time, and how long each takes: much longer than what a busy machine adds.
const SERVERS: usize = 4;
const TIME: Duration = Duration::from_millis(30);

/// Waits by tokio's clock.
async fn wait(time: Duration) {
    tokio::time::timeout(time, pending::<()>()).await.unwrap_err();
}

/// Answers `service`, so many requests at a time.
async fn serve(client: Client) {
    let mut requests = client.subscribe("service").await.unwrap();
    client.flush().await.unwrap();
    let servers = Arc::new(Semaphore::new(SERVERS));
    tokio::spawn(async move {
        while let Some(request) = requests.next().await {
            let (client, servers) = (client.clone(), Arc::clone(&servers));
            tokio::spawn(async move {
                let _one = servers.acquire().await.unwrap();
                wait(TIME).await;
                let _ = client.publish(request.reply.unwrap(), "".into()).await;
            });
        }
    });
}

/// So many operations in all, so many at a time.
async fn requests(client: Client, step: SweepStep, count: u64) -> Result<LoadReport, LoadError> {
    LoadGenerator::builder()
        .schedule(Schedule::closed_count(step.as_usize(), count))
        .operation_with("request", 1, client, |client, _| async move {
            client.request("service", "".into()).await?;
            Ok(())
        })
        .run()
        .await
}

#[tokio::test]
async fn the_limit_and_the_knee_of_four_servers_are_found() {
    let nats = ExternalNats::start().await.unwrap();
    let client = nats.client().await.unwrap();
    serve(nats.client().await.unwrap()).await;
    let steps = RefCell::new(Vec::new());

    // With all 32 in flight at once they wait for 1 to 8 turns of 30 ms, 135 ms on average; with 16, for 97 ms.
    let report = Sweep::doubling(Axis::Concurrency, 1, 32)
        .named("four servers")
        .threshold("mean<120ms")
        .windows(3)
        .bisect(1)
        .server(&nats)
        .keep(false)
        .run(async |step: SweepStep| {
            steps.borrow_mut().push((step.window(), step.as_u64()));
            requests(client.clone(), step, 32).await
        })
        .await
        .unwrap();

    // No request is answered before its turn, so 32 in flight always fail.
    let limit = report.limit.as_ref().unwrap_or_else(|| panic!("{report}"));
    assert!(limit.level < 32.0 && limit.fails_at.unwrap() <= 32.0, "{report}");
    assert!(limit.why.as_ref().unwrap().contains("mean<120ms"), "{report}");
    let highest = report.level(32.0).unwrap();
    for name in
        ["throughput", "p50", "p99", "errors", "client cores", "server cores", "server rss", "slow consumers"]
    {
        assert_eq!(highest.metric(name).map(|metric| metric.values().len()), Some(3), "{name}: {report}");
    }
    // Where others have the processors, they decide what goes through at each level, and the report says so.
    let found = |kind| report.bottlenecks.iter().any(|bottleneck| bottleneck.kind == kind);
    let noted = |what: &str| report.notes.iter().any(|note| note.contains(what));
    if !found(BottleneckKind::OtherProcesses) && !noted("up and down") && !noted("do not agree") {
        let knee = report.knee.as_ref().unwrap_or_else(|| panic!("{report}"));
        assert!(knee.level == 4.0 || knee.level == 8.0, "{report}");
        assert!(found(BottleneckKind::Queueing), "{report}");
        assert!(highest.scalability.unwrap() < 0.5, "{report}");
    }
    assert!(report.law.is_some() || noted("no law") || noted("nor law"), "{report}");

    let steps = steps.into_inner();
    assert_eq!(steps[0], (None, 1));
    assert_eq!(steps[1..7], [1, 2, 4, 8, 16, 32].map(|level| (Some(0), level)));
    let mut second: Vec<_> = steps[7..13].to_vec();
    second.sort_unstable();
    assert_eq!(second, [1, 2, 4, 8, 16, 32].map(|level| (Some(1), level)));
}

#[tokio::test]
async fn a_level_with_too_many_errors_ends_the_raising() {
    let highest = Cell::new(0);
    let report = Sweep::over(Axis::Concurrency, [64, 1, 2, 4, 8])
        .windows(2)
        .bisect(0)
        .keep(false)
        .run(async |step: SweepStep| {
            let workers = step.as_u64();
            highest.set(workers.max(highest.get()));
            LoadGenerator::builder()
                .schedule(Schedule::closed_count(step.as_usize(), 100))
                .operation("call", 1, move |context| async move {
                    tokio::task::yield_now().await;
                    // One in eight with four of them, all with more.
                    let fails = workers > 4 || (workers == 4 && context.sequence() % 8 == 0);
                    if fails { Err("maximum connections exceeded".into()) } else { Ok(()) }
                })
                .run()
                .await
        })
        .await
        .unwrap();

    assert_eq!(highest.get(), 4);
    assert_eq!(report.skipped, [8.0, 64.0]);
    assert!(
        matches!(report.stopped, Some(SweepStop::Errors { level: 4.0, share }) if share == 0.13),
        "{report}"
    );
    assert!(!report.notes.iter().any(|note| note.contains("busy")), "{report}");
    let limit = report.limit.as_ref().unwrap();
    assert_eq!((limit.level, limit.fails_at), (2.0, Some(4.0)));
    assert_eq!(report.bottlenecks[0].kind, BottleneckKind::LimitReached, "{report}");
    assert!(report.bottlenecks[0].evidence.contains("13 × `maximum connections exceeded`"), "{report}");
}

#[tokio::test]
async fn when_the_budget_is_over_no_window_is_started() {
    let windows = Cell::new(0_usize);
    // Each window takes 50 ms or more, and the budget has no room for five.
    let report = Sweep::range(Axis::Rate, 10.0, 100.0, 10.0)
        .budget(Duration::from_millis(200))
        .keep(false)
        .run(async |step: SweepStep| {
            windows.set(windows.get() + 1);
            wait(Duration::from_millis(50)).await;
            nothing(step).await
        })
        .await;
    // On a machine that is busy enough, not even the first window after the one that is not counted.
    let Ok(report) = report else { panic!("a budget is no error: {report:?}") };
    assert!(windows.get() < 5, "{}", windows.get());
    assert_eq!(report.stopped, Some(SweepStop::Budget { limit: Duration::from_millis(200) }));
    let measured: usize = report.levels.iter().map(|level| level.metrics[0].samples.len()).sum();
    assert_eq!(measured, windows.get() - 1);
    assert_eq!(report.skipped.len() + report.levels.len(), 10);
    assert!(report.notes.iter().any(|note| note.starts_with("the budget was over after")), "{report}");
}

async fn nothing(step: SweepStep) -> Result<LoadReport, LoadError> {
    LoadGenerator::builder()
        .schedule(Schedule::closed_count(step.as_usize(), 200))
        .operation("nothing", 1, |_| async {
            tokio::task::yield_now().await;
            Ok(())
        })
        .run()
        .await
}

#[tokio::test]
async fn a_window_that_fails_is_its_levels_problem_and_all_of_them_are_the_sweeps() {
    let report = Sweep::over(Axis::Data, [1, 2, 3])
        .bisect(0)
        .keep(false)
        .run(async |step: SweepStep| match (step.as_u64(), step.window()) {
            (2, Some(1)) => Err(Box::<dyn std::error::Error + Send + Sync>::from("the stream is gone")),
            _ => Ok(nothing(step).await?),
        })
        .await
        .unwrap();
    assert_eq!(report.limit.as_ref().map(|limit| limit.level), Some(3.0), "{report}");
    assert_eq!(report.level(2.0).unwrap().metric("throughput").unwrap().samples[1], None);

    let error = Sweep::over(Axis::Data, [1, 2])
        .keep(false)
        .run(async |_| Err::<LoadReport, Box<dyn std::error::Error + Send + Sync>>("no disk".into()))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ResultsErrorKind::Round);
    assert!(format!("{error:?}").contains("no disk"), "{error:?}");
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    for (sweep, text) in [
        (Sweep::doubling(Axis::Rate, 8, 1), "a sweep needs a level"),
        (Sweep::over(Axis::Rate, [0, 1]), "the level `0` is not above zero"),
        (Sweep::range(Axis::Rate, 1.0, 2.0, 0.0), "a sweep"),
        (Sweep::over(Axis::Rate, [1]).windows(0), "a sweep needs a window"),
        (Sweep::over(Axis::Rate, [1]).threshold("p99<0ms"), "a threshold"),
        (Sweep::over(Axis::Rate, [1]).threshold("p99<5ms for nobody"), "a threshold"),
    ] {
        let result = sweep.clone().run(nothing).await;
        let error = result.map_err(|error| (error.kind(), format!("{error:?}"))).unwrap_err();
        assert_eq!(error.0, ResultsErrorKind::Misuse, "{sweep:?}");
        assert!(error.1.contains(text), "{error:?}");
    }
}

#[tokio::test]
#[ignore = "a victim: run by the test below, with a directory for its results"]
async fn keeps_its_results() {
    Sweep::over(Axis::Data, [1]).named("kept: a sweep").windows(1).run(nothing).await.unwrap();
}

#[test]
fn a_sweep_is_kept_with_its_machine_and_shown_in_a_jobs_summary() {
    let scratch = Scratch::new("kept-sweep");
    let results = scratch.path().join("results");
    let summary = scratch.path().join("summary.md");
    let variables = [
        ("ISOLATED_NATS_RESULTS", results.to_str().unwrap()),
        ("GITHUB_STEP_SUMMARY", summary.to_str().unwrap()),
    ];
    let (passed, output) = Victim::run("sweep::keeps_its_results", scratch.path(), &variables);
    assert!(passed, "{output}");
    let store = Store::at(&results);
    let runs = store.runs(Some("kept: a sweep")).unwrap();
    assert_eq!(runs.len(), 1);
    let sweep = store.load(&runs[0]).unwrap().sweep.unwrap();
    assert_eq!(sweep.taken, Some(runs[0].taken));
    assert!(sweep.fingerprint.cores.is_some(), "{sweep}");
    assert!(std::fs::read_to_string(&summary).unwrap().contains("kept: a sweep"));
}
