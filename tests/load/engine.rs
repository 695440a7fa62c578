//! Runs without a server: what is started, counted, timed, ended.

use std::collections::BTreeSet;
use std::future::pending;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use isolated_nats::load::{LoadErrorKind, Overflow};
use isolated_nats::{
    LoadGenerator, OperationContext, OperationError, Rate, Schedule, eventually, leak_checked,
};

const SHORT: Duration = Duration::from_millis(200);

fn per_second(operations: f64) -> Rate {
    Rate::per_second(operations)
}

async fn nothing(_: OperationContext) -> Result<(), OperationError> {
    Ok(())
}

/// Waits once, as an operation on a socket does.
async fn waits(_: OperationContext) -> Result<(), OperationError> {
    tokio::task::yield_now().await;
    Ok(())
}

#[tokio::test]
async fn each_arrival_of_an_open_schedule_is_done_once() {
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let note = Arc::clone(&seen);
    let report = leak_checked(async {
        LoadGenerator::builder()
            .schedule(Schedule::steady(per_second(20_000.0), SHORT))
            .operation("note", 1, move |context| {
                let new = note.lock().unwrap().insert(context.sequence());
                async move {
                    tokio::task::yield_now().await;
                    if new { Ok(()) } else { Err("twice".into()) }
                }
            })
            .run()
            .await
            .unwrap()
    })
    .await;
    assert_eq!((report.count(), report.errors()), (4_000, 0), "{:?}", report.errors_by_kind());
    assert_eq!(*seen.lock().unwrap(), (0..4_000).collect());
    assert_eq!(report.response().count(), 4_000);
    assert_eq!(report.lag().count(), 4_000);
    assert_eq!(report.offered_per_second(), Some(20_000.0));
    assert!(report.elapsed() >= SHORT);
    assert_eq!(report.counts().planned, Some(4_000));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_threads_share_the_arrivals() {
    for schedule in [Schedule::steady(per_second(50_000.0), SHORT), Schedule::closed_count(64, 10_000)] {
        let done = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&done);
        let report = LoadGenerator::builder()
            .schedule(schedule)
            .operation("wait", 1, move |context| {
                count.fetch_add(1, Relaxed);
                waits(context)
            })
            .run()
            .await
            .unwrap();
        assert_eq!((report.count(), done.load(Relaxed)), (10_000, 10_000));
        assert_eq!((report.setup().flavor.as_str(), report.setup().threads), ("multi_thread", 2));
    }
}

#[tokio::test]
async fn a_closed_loop_has_as_many_in_flight_as_workers() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counter, high) = (Arc::clone(&now), Arc::clone(&most));
    let report = LoadGenerator::builder()
        .schedule(Schedule::closed_count(7, 1_001))
        .operation("wait", 1, move |_| {
            let (counter, high) = (Arc::clone(&counter), Arc::clone(&high));
            async move {
                high.fetch_max(counter.fetch_add(1, Relaxed) + 1, Relaxed);
                for _ in 0..3 {
                    tokio::task::yield_now().await;
                }
                counter.fetch_sub(1, Relaxed);
                Ok(())
            }
        })
        .run()
        .await
        .unwrap();
    assert_eq!((report.count(), most.load(Relaxed)), (1_001, 7));
    assert_eq!((report.offered_per_second(), report.lag().count()), (None, 0));
    assert_eq!(report.response(), report.service());
    assert!(report.achieved_per_second() > 0.0);
}

#[tokio::test]
async fn a_mix_follows_its_weights_and_each_is_reported_by_itself() {
    let report = LoadGenerator::builder()
        .schedule(Schedule::closed_count(4, 10_000))
        .operation("read", 3, waits)
        .operation("write", 1, |context| async move {
            context.add_items(2);
            context.add_bytes(context.payload().len() as u64);
            if context.sequence() % 2 == 0 {
                Err(format!("refused {}", context.sequence()).into())
            } else {
                Ok(())
            }
        })
        .operation("never", 0, nothing)
        .seed(7)
        .payload_bytes(10..=10)
        .run()
        .await
        .unwrap();
    let count = |name: &str| report.operation(name).unwrap().count();
    assert_eq!(count("read") + count("write"), 10_000);
    assert!((2_200..2_800).contains(&count("write")), "{}", count("write"));
    let write = report.operation("write").unwrap();
    assert_eq!((write.counts().items, write.counts().bytes), (2 * write.count(), 10 * write.count()));
    assert_eq!(write.errors_by_kind().len(), 1);
    assert_eq!(
        (write.errors_by_kind()[0].kind.as_str(), write.errors_by_kind()[0].count),
        ("refused #", write.errors())
    );
    assert_eq!(report.errors(), write.errors());
    assert_eq!(write.failed().count(), write.errors());
    assert_eq!((count("never"), report.operation("never").unwrap().service().mean()), (0, None));
    assert!(report.operation("unknown").is_none());
}

#[tokio::test]
async fn an_operation_that_never_returns_is_counted_and_the_run_ends() {
    for schedule in [
        Schedule::steady(per_second(100.0), SHORT),
        Schedule::closed(3, SHORT),
        Schedule::closed_count(3, 30),
    ] {
        let report = leak_checked(async {
            LoadGenerator::builder()
                .schedule(schedule.clone())
                .operation("hang", 1, |context| async move {
                    if context.sequence() == 1 {
                        pending::<()>().await;
                    }
                    Ok(())
                })
                .stop_timeout(Duration::from_millis(300))
                .run()
                .await
                .unwrap()
        })
        .await;
        let counts = report.counts();
        // In the loop that ends by a count, numbers that the hanging worker has taken may be left.
        assert!(counts.unfinished >= 1, "{schedule}: {counts:?}");
        assert!(counts.succeeded >= 15, "{schedule}: {counts:?}");
    }
}

#[tokio::test]
async fn a_time_limit_ends_an_operation_and_its_worker_goes_on() {
    let report = LoadGenerator::builder()
        .schedule(Schedule::closed_count(1, 9))
        .operation("sometimes slow", 1, |context| async move {
            if context.sequence() % 3 == 0 {
                pending::<()>().await;
            }
            Ok(())
        })
        .operation_timeout(Duration::from_millis(20))
        .run()
        .await
        .unwrap();
    assert_eq!((report.count(), report.errors(), report.counts().timed_out), (9, 3, 3));
    assert_eq!(report.errors_by_kind()[0].example, "timed out after 20.0 ms");
    assert!(report.failed().min().unwrap() >= Duration::from_millis(20));
}

#[tokio::test]
async fn the_warm_up_is_in_no_other_figure() {
    for schedule in [Schedule::steady(per_second(1_000.0), SHORT), Schedule::closed_count(2, 200)] {
        let closed = schedule.duration().is_none();
        let report = LoadGenerator::builder()
            .schedule(schedule)
            .operation("fail", 1, |context| async move {
                if context.sequence() < 1 << 60 { Ok(()) } else { Err("cold".into()) }
            })
            .warm_up(Duration::from_millis(100))
            .run()
            .await
            .unwrap();
        let warm_up = report.warm_up().unwrap();
        assert_eq!((report.count(), report.errors()), (200, 0));
        assert!(if closed { warm_up.failed > 0 } else { warm_up.failed == 100 }, "{warm_up:?}");
        assert_eq!((warm_up.succeeded, report.first().is_some()), (0, true));
    }
}

#[tokio::test]
async fn arrivals_wait_or_are_dropped_where_too_many_are_in_flight() {
    for overflow in [Overflow::Queue, Overflow::Drop] {
        let report = LoadGenerator::builder()
            .schedule(Schedule::burst(100, SHORT, 2))
            .operation("wait", 1, |_| async {
                let start = std::time::Instant::now();
                while start.elapsed() < Duration::from_millis(1) {
                    tokio::task::yield_now().await;
                }
                Ok(())
            })
            .max_in_flight(10)
            .overflow(overflow)
            .run()
            .await
            .unwrap();
        let counts = report.counts();
        let (first, last) = (&report.bursts()[0], &report.bursts()[1]);
        assert_eq!((first.size, last.at, report.bursts().len()), (100, SHORT, 2));
        if overflow == Overflow::Queue {
            assert_eq!((counts.succeeded, counts.dropped), (200, 0));
            assert_eq!(first.drained.map(|drained| drained >= Duration::from_millis(10)), Some(true));
        } else {
            assert_eq!(counts.succeeded + counts.dropped, 200);
            assert!(counts.dropped >= 100, "{counts:?}");
            assert!(first.succeeded < 100 && first.drained.is_none(), "{first:?}");
        }
    }
}

#[tokio::test]
async fn injections_are_counted_apart() {
    let (begun, ended) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let (begin, end) = (Arc::clone(&begun), Arc::clone(&ended));
    let report = LoadGenerator::builder()
        .schedule(Schedule::closed_count(4, 10_000))
        .operation("wait", 1, move |context| {
            let (begin, end) = (Arc::clone(&begin), Arc::clone(&end));
            async move {
                begin.fetch_add(1, Relaxed);
                waits(context).await?;
                end.fetch_add(1, Relaxed);
                Ok(())
            }
        })
        .inject_failures(0.1)
        .inject_cancellations(0.2)
        .run()
        .await
        .unwrap();
    let counts = report.counts();
    assert_eq!((counts.succeeded + counts.injected, counts.failed), (10_000, 0));
    assert_eq!(ended.load(Relaxed), counts.succeeded);
    let (not_run, cut) = (10_000 - begun.load(Relaxed), begun.load(Relaxed) - ended.load(Relaxed));
    assert!((800..1_200).contains(&not_run) && (1_700..2_300).contains(&cut), "{not_run} {cut}");
}

#[tokio::test]
async fn phases_follow_each_other() {
    let schedule = Schedule::steady(per_second(500.0), SHORT)
        .then(Schedule::closed_count(3, 50))
        .then(Schedule::burst(25, Duration::from_millis(50), 1));
    let report = LoadGenerator::builder().schedule(schedule).operation("wait", 1, waits).run().await.unwrap();
    assert_eq!((report.count(), report.response().count()), (175, 175));
    assert_eq!((report.offered_per_second(), report.bursts()[0].succeeded), (None, 25));
}

#[tokio::test]
async fn a_run_can_be_watched_and_ended_from_elsewhere() {
    let run = LoadGenerator::builder()
        .schedule(Schedule::steady(per_second(1_000.0), Duration::from_secs(3600)))
        .operation("wait", 1, waits)
        .start()
        .await
        .unwrap();
    let handle = run.handle();
    eventually("some are done", Duration::from_secs(10), async || {
        (handle.snapshot().counts.succeeded >= 20).then_some(()).ok_or("not yet")
    })
    .await
    .unwrap();
    handle.stop();
    let report = run.finish().await.unwrap();
    assert!(report.count() >= 20 && report.elapsed() < Duration::from_secs(3600));
    assert_eq!(report.counts().unfinished, 0);
    assert_eq!(handle.snapshot().counts.succeeded, report.count());
}

#[tokio::test]
async fn a_run_that_is_dropped_leaves_no_task() {
    leak_checked(async {
        let run = LoadGenerator::builder()
            .schedule(Schedule::closed(4, Duration::from_secs(3600)))
            .operation("wait", 1, waits)
            .start()
            .await
            .unwrap();
        drop(run);
    })
    .await;
}

#[tokio::test]
async fn events_happen_at_their_time_and_are_reported() {
    let flag = Arc::new(AtomicBool::new(false));
    let (set, seen) = (Arc::clone(&flag), Arc::clone(&flag));
    let report = LoadGenerator::builder()
        .schedule(Schedule::steady(per_second(1_000.0), SHORT))
        .operation("look", 1, move |_| {
            let down = seen.load(Relaxed);
            async move { if down { Err("down".into()) } else { Ok(()) } }
        })
        .event(Duration::from_millis(100), "switch off", move || async move {
            set.store(true, Relaxed);
            Err("it stays off".into())
        })
        .run()
        .await
        .unwrap();
    let event = &report.events()[0];
    assert_eq!((event.name.as_str(), event.error.as_deref()), ("switch off", Some("it stays off")));
    assert!(event.at >= Duration::from_millis(100), "{event:?}");
    assert!(report.errors() > 0 && report.count() == 200, "{:?}", report.counts());
}

#[tokio::test]
async fn what_cannot_be_run_is_refused_by_name() {
    use LoadErrorKind as Kind;
    let good = || Schedule::steady(per_second(10.0), SHORT);
    let builder = || LoadGenerator::builder().schedule(good()).operation("a", 1, nothing);
    let cases = [
        (Kind::Schedule, LoadGenerator::builder().operation("a", 1, nothing)),
        (Kind::Schedule, builder().schedule(Schedule::steady(per_second(0.0), SHORT))),
        (Kind::Schedule, builder().schedule(Schedule::closed(1, Duration::from_secs(86_401)))),
        (Kind::Operations, LoadGenerator::builder().schedule(good())),
        (Kind::Operations, LoadGenerator::builder().schedule(good()).operation("a", 0, nothing)),
        (Kind::Operations, builder().operation("a", 1, nothing)),
        (Kind::Operations, builder().operation("total", 1, nothing)),
        (Kind::Setting, builder().max_in_flight(0)),
        (Kind::Setting, builder().max_in_flight(100_001)),
        (Kind::Setting, builder().inject_failures(-0.1)),
        (Kind::Setting, builder().inject_failures(f64::NAN)),
        (Kind::Setting, builder().inject_failures(0.6).inject_cancellations(0.6)),
        (Kind::Setting, builder().payload_bytes(0..=usize::MAX)),
        (Kind::Setting, builder().churn(Duration::ZERO)),
        (Kind::Setting, builder().event(SHORT, "late", || async { Ok(()) })),
        (Kind::Setting, builder().service("s", 0, |_| async { Ok(()) })),
    ];
    for (at, (kind, builder)) in cases.into_iter().enumerate() {
        let error = builder.run().await.unwrap_err();
        assert_eq!(error.kind(), kind, "{at}: {error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_paused_clock_is_refused() {
    let builder = LoadGenerator::builder()
        .schedule(Schedule::steady(per_second(10.0), SHORT))
        .operation("a", 1, nothing);
    let error = builder.run().await.unwrap_err();
    assert_eq!(error.kind(), LoadErrorKind::PausedClock);
    assert!(error.to_string().contains("tokio::time::resume"), "{error}");
}

#[test]
fn without_a_runtime_there_is_an_error() {
    let builder = LoadGenerator::builder()
        .schedule(Schedule::steady(per_second(10.0), SHORT))
        .operation("a", 1, nothing);
    let mut run = std::pin::pin!(builder.run());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(Err(error)) = run.as_mut().poll(&mut context) else { panic!("it waits") };
    assert_eq!(error.kind(), LoadErrorKind::NoRuntime);
}
