//! Where runs go wrong: what hangs, panics, leaves, thinks, or is ended early.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use isolated_nats::load::{InvalidReason, LoadReport, Overflow};
use isolated_nats::{LoadGenerator, OperationContext, OperationError, Rate, Schedule, Workload, eventually};

use crate::support::{LONG, ms};

async fn waits(_: OperationContext) -> Result<(), OperationError> {
    tokio::task::yield_now().await;
    Ok(())
}

fn steady(rate: f64, length: Duration) -> Schedule {
    Schedule::steady(Rate::per_second(rate), length)
}

/// Every arrival that was planned is in one place, and in one alone.
#[track_caller]
fn accounted(report: &LoadReport) {
    let counts = report.counts();
    let all = counts.succeeded + counts.failed + counts.injected + counts.dropped + counts.unfinished;
    assert_eq!(counts.planned, Some(all), "{counts:?}");
}

#[tokio::test]
async fn what_ends_after_the_limit_is_counted_once() {
    let report = LoadGenerator::builder()
        .schedule(steady(100.0, ms(50)))
        .operation("slow", 1, |_| async {
            tokio::time::timeout(ms(300), pending::<()>()).await.unwrap_err();
            Ok(())
        })
        .stop_timeout(ms(150))
        .run()
        .await
        .unwrap();
    accounted(&report);
}

#[tokio::test]
async fn a_backlog_beyond_the_ring_is_unfinished_too() {
    let report = LoadGenerator::builder()
        .schedule(steady(1_000_000.0, ms(200)))
        .operation("hangs", 1, |_| pending())
        .max_in_flight(3)
        .stop_timeout(ms(100))
        .run()
        .await
        .unwrap();
    accounted(&report);
    assert_eq!((report.counts().planned, report.counts().unfinished), (Some(200_000), 200_000));
}

#[tokio::test]
async fn a_warm_up_that_hangs_is_told_and_not_counted() {
    let report = LoadGenerator::builder()
        .schedule(steady(1_000.0, ms(100)))
        .operation("hangs", 1, |_| pending())
        .max_in_flight(3)
        .warm_up(ms(50))
        .stop_timeout(ms(100))
        .run()
        .await
        .unwrap();
    accounted(&report);
    assert_eq!((report.counts().planned, report.elapsed()), (Some(0), Duration::ZERO));
    assert!(report.stopped().is_some(), "{report}");
}

#[tokio::test]
async fn what_waits_when_a_run_is_ended_has_no_more_than_the_limit() {
    let run = LoadGenerator::builder()
        .schedule(steady(10_000.0, LONG))
        .operation("slow", 1, |_| async {
            tokio::time::timeout(ms(5), pending::<()>()).await.unwrap_err();
            Ok(())
        })
        .max_in_flight(1)
        .stop_timeout(ms(200))
        .start()
        .await
        .unwrap();
    let handle = run.handle();
    eventually("a backlog", LONG, || async {
        let waiting = handle.snapshot().outstanding;
        if waiting > 3_000 { Ok(()) } else { Err(format!("{waiting} wait")) }
    })
    .await
    .unwrap();
    handle.stop();
    let report = run.finish().await.unwrap();
    accounted(&report);
    assert!(report.counts().unfinished > 1_000, "{:?}", report.counts());
    assert!(report.stopped().is_some());
    let offered = report.offered_per_second().unwrap();
    assert!((5_000.0..11_000.0).contains(&offered), "{offered}");
    let seen = handle.snapshot().elapsed;
    assert_eq!(seen, handle.snapshot().elapsed, "it goes on after its end");
}

#[tokio::test]
async fn drops_are_counted_in_an_open_phase_after_a_closed_one() {
    let report = LoadGenerator::builder()
        .schedule(Schedule::closed_count(4, 1_000).then(steady(1_000.0, ms(100))))
        .operation("wait", 1, waits)
        .overflow(Overflow::Drop)
        .stop_timeout(ms(500))
        .run()
        .await
        .unwrap();
    let counts = report.counts();
    assert_eq!(counts.succeeded + counts.dropped, 1_100, "{counts:?}");
    assert!(counts.dropped < 100, "{counts:?}");
}

#[tokio::test]
async fn thinking_ends_with_the_phase() {
    let start = Instant::now();
    let report = LoadGenerator::builder()
        .schedule(Schedule::closed(2, ms(50)).think(LONG).then(steady(100.0, ms(50))))
        .operation("wait", 1, waits)
        .run()
        .await
        .unwrap();
    assert_eq!(report.count(), 2 + 5, "{report}");
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
}

#[tokio::test]
async fn thinking_is_no_hanging() {
    let report = LoadGenerator::builder()
        .schedule(Schedule::closed_count(1, 3).think(ms(1_000)))
        .operation("wait", 1, waits)
        .stop_timeout(ms(700))
        .run()
        .await
        .unwrap();
    assert_eq!(report.count(), 3);
}

/// Counts set-ups, and panics when torn down.
struct BadEnd(Arc<AtomicU64>);

impl Workload for BadEnd {
    type State = ();

    async fn set_up(&self, _worker: usize) -> Result<(), OperationError> {
        self.0.fetch_add(1, Relaxed);
        Ok(())
    }

    async fn run(&self, (): &mut (), context: OperationContext) -> Result<(), OperationError> {
        waits(context).await
    }

    async fn tear_down(&self, (): ()) {
        panic!("torn down");
    }
}

#[tokio::test]
async fn a_panic_at_the_end_is_the_end() {
    for schedule in [Schedule::closed_count(2, 100), steady(1_000.0, ms(200))] {
        let set_up = Arc::new(AtomicU64::new(0));
        let report = LoadGenerator::builder()
            .schedule(schedule)
            .workload("bad", 1, BadEnd(Arc::clone(&set_up)))
            .max_in_flight(2)
            .churn(ms(20))
            .run()
            .await
            .unwrap();
        assert!(set_up.load(Relaxed) < 30, "{} set-ups", set_up.load(Relaxed));
        assert!([100, 200].contains(&report.count()), "{}", report.count());
    }
}

/// No worker can be set up a second time.
struct LeavesForGood([AtomicBool; 2]);

impl Workload for LeavesForGood {
    type State = ();

    async fn set_up(&self, worker: usize) -> Result<(), OperationError> {
        if self.0[worker].swap(true, Relaxed) { Err("no more".into()) } else { Ok(()) }
    }

    async fn run(&self, (): &mut (), context: OperationContext) -> Result<(), OperationError> {
        waits(context).await
    }
}

#[tokio::test]
async fn arrivals_are_not_given_to_a_worker_that_is_gone() {
    let report = LoadGenerator::builder()
        .schedule(Schedule::burst(1, ms(400), 2))
        .workload("leaves", 1, LeavesForGood([const { AtomicBool::new(false) }; 2]))
        .max_in_flight(2)
        .churn(ms(250))
        .stop_timeout(ms(300))
        .run()
        .await
        .unwrap();
    assert_eq!(report.count(), 2, "{report}");
    accounted(&report);
}

#[tokio::test]
async fn an_event_that_panics_is_an_event_that_failed() {
    let start = Instant::now();
    let report = LoadGenerator::builder()
        .schedule(steady(100.0, ms(100)))
        .operation("wait", 1, waits)
        .event(ms(10), "bad", || async { panic!("what a pity") })
        .run()
        .await
        .unwrap();
    assert_eq!(report.events()[0].error.as_deref(), Some("panicked: what a pity"));
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
}

/// Everything that can happen to an operation.
async fn anything(context: OperationContext) -> Result<(), OperationError> {
    match context.random() % 50 {
        0 => Err("refused".into()),
        1 => panic!("number {}", context.sequence()),
        2 => pending().await,
        3..20 => waits(context).await,
        _ => Ok(()),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_is_accounted_for_however_a_run_goes() {
    for (round, overflow) in [Overflow::Queue, Overflow::Drop].into_iter().cycle().take(6).enumerate() {
        let run = LoadGenerator::builder()
            .schedule(steady(20_000.0, ms(100)).then(Schedule::burst(500, ms(20), 3)))
            .operation("one", 3, anything)
            .operation("other", 1, anything)
            .operation_timeout(ms(5))
            .inject_failures(0.1)
            .inject_cancellations(0.1)
            .churn(ms(3))
            .max_in_flight(40)
            .warm_up(ms(20))
            .overflow(overflow)
            .start()
            .await
            .unwrap();
        let handle = run.handle();
        if round >= 4 {
            eventually("some are done", LONG, async || {
                (handle.snapshot().counts.succeeded >= 200).then_some(()).ok_or("not yet")
            })
            .await
            .unwrap();
            handle.stop();
        }
        let report = run.finish().await.unwrap();
        accounted(&report);
        let counts = report.counts();
        assert_eq!(counts.unfinished, 0, "{counts:?}");
        if round < 4 {
            assert_eq!(counts.planned, Some(3_500));
        }
    }
}

#[tokio::test]
async fn runs_go_on_beside_and_within_each_other() {
    let outer = LoadGenerator::builder().schedule(steady(50.0, ms(200))).operation("run", 1, |_| async {
        let inner = LoadGenerator::builder()
            .schedule(steady(1_000.0, ms(20)))
            .operation("wait", 1, waits)
            .run()
            .await?;
        if inner.count() == 20 { Ok(()) } else { Err(inner.to_string().into()) }
    });
    let beside =
        LoadGenerator::builder().schedule(Schedule::closed_count(8, 5_000)).operation("wait", 1, waits);
    let local = tokio::task::LocalSet::new();
    let (outer, beside) = local.run_until(async { tokio::join!(outer.run(), beside.run()) }).await;
    let (outer, beside) = (outer.unwrap(), beside.unwrap());
    accounted(&outer);
    assert_eq!((outer.errors(), beside.count()), (0, 5_000), "{:?}", outer.errors_by_kind());
}

#[tokio::test]
async fn an_event_for_which_a_run_ends_too_soon_is_told() {
    let run = LoadGenerator::builder()
        .schedule(Schedule::closed(1, Duration::from_secs(3600)))
        .operation("wait", 1, |_| async {
            tokio::task::yield_now().await;
            Ok(())
        })
        .event(Duration::from_secs(1800), "kill", || async { Ok(()) })
        .start()
        .await
        .unwrap();
    run.handle().stop();
    let report = run.finish().await.unwrap();
    let [event] = report.events() else { panic!("{:?}", report.events()) };
    assert_eq!((event.name.as_str(), event.took), ("kill", Duration::ZERO));
    assert_eq!(event.error.as_deref(), Some("was not begun: the run ended before it"));
}

#[tokio::test]
async fn an_operation_that_holds_its_thread_is_named_and_its_failure_not_excused() {
    let report = LoadGenerator::builder()
        .schedule(steady(100.0, ms(500)))
        .operation("hold", 1, |context| async move {
            tokio::task::yield_now().await;
            let start = Instant::now();
            while context.sequence() == 20 && start.elapsed() < ms(200) {
                std::hint::spin_loop();
            }
            Ok(())
        })
        .threshold("p99<50ms")
        .run()
        .await
        .unwrap();
    assert!(report.longest_poll() >= Some(ms(200)), "{:?}", report.longest_poll());
    let reasons = report.validity().reasons();
    assert!(!reasons.iter().any(|reason| matches!(reason, InvalidReason::Lag { .. })), "{reasons:?}");
    assert!(report.to_string().contains("\nheld       an operation held its thread for "), "{report}");
}

#[tokio::test]
async fn what_ends_after_the_schedule_is_in_no_rate() {
    let report = LoadGenerator::builder()
        .schedule(steady(100.0, ms(500)))
        .operation("one is slow", 1, |context| async move {
            let start = Instant::now();
            while context.sequence() == 10 && start.elapsed() < ms(1500) {
                tokio::task::yield_now().await;
            }
            Ok(())
        })
        .run()
        .await
        .unwrap();
    accounted(&report);
    assert_eq!(report.count(), 50);
    assert!(report.elapsed() >= ms(1500), "{:?}", report.elapsed());
    // 49 in half a second; over all the time it took, it would be 31.
    assert!(report.achieved_per_second() > 60.0, "{}", report.achieved_per_second());
}

#[tokio::test]
async fn a_closed_loop_ends_with_its_operations_and_not_with_the_stop_timeout() {
    for workers in [1, 5] {
        let began = Instant::now();
        let report = LoadGenerator::builder()
            .schedule(Schedule::closed(workers, ms(200)))
            .operation("yield", 1, |_| async {
                let start = Instant::now();
                while start.elapsed() < ms(7) {
                    tokio::task::yield_now().await;
                }
                Ok(())
            })
            .stop_timeout(Duration::from_secs(3600))
            .run()
            .await
            .unwrap();
        assert_eq!(report.counts().unfinished, 0);
        assert!(began.elapsed() < LONG, "{:?}", began.elapsed());
    }
}

#[tokio::test]
async fn errors_of_the_warm_up_are_of_no_kind() {
    let report = LoadGenerator::builder()
        .schedule(steady(100.0, ms(100)))
        .operation("fail", 1, |context| async move { Err(format!("no {}", context.sequence()).into()) })
        .warm_up(ms(100))
        .run()
        .await
        .unwrap();
    assert_eq!((report.warm_up().unwrap().failed, report.errors()), (10, 10));
    assert_eq!(report.errors_by_kind().iter().map(|kind| kind.count).sum::<u64>(), 10);
}
