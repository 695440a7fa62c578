//! Workers: set up, torn down, panicking, leaving and joining.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use isolated_nats::load::LoadErrorKind;
use isolated_nats::{LoadGenerator, OperationContext, OperationError, Schedule, Workload, leak_checked};

const SHORT: Duration = Duration::from_millis(200);

async fn nothing(_: OperationContext) -> Result<(), OperationError> {
    Ok(())
}

/// Counts what it is asked to do.
#[derive(Default)]
struct Counting {
    set_up: AtomicU64,
    torn_down: AtomicU64,
    panics: AtomicBool,
}

struct Counted(Arc<Counting>);

impl Workload for Counted {
    type State = (usize, u64);

    async fn set_up(&self, worker: usize) -> Result<Self::State, OperationError> {
        self.0.set_up.fetch_add(1, Relaxed);
        tokio::task::yield_now().await;
        if worker == 3 { Err("maximum connections exceeded".into()) } else { Ok((worker, 0)) }
    }

    async fn run(&self, state: &mut Self::State, context: OperationContext) -> Result<(), OperationError> {
        assert_eq!(state.0, context.worker());
        state.1 += 1;
        tokio::task::yield_now().await;
        assert!(
            !(self.0.panics.load(Relaxed) && context.sequence().is_multiple_of(10)),
            "number {}",
            context.sequence()
        );
        Ok(())
    }

    async fn tear_down(&self, _state: Self::State) {
        tokio::task::yield_now().await;
        self.0.torn_down.fetch_add(1, Relaxed);
    }
}

#[tokio::test]
async fn a_worker_that_cannot_be_set_up_is_counted_and_the_others_work() {
    let counting = Arc::new(Counting::default());
    let report = LoadGenerator::builder()
        .schedule(Schedule::closed_count(5, 100))
        .workload("count", 1, Counted(Arc::clone(&counting)))
        .run()
        .await
        .unwrap();
    let workers = report.workers().unwrap();
    assert_eq!((workers.asked, workers.started, workers.failed, workers.set_up.count()), (5, 4, 1, 4));
    assert_eq!(report.count(), 100);
    assert_eq!(report.errors_by_kind()[0].kind, "set-up: maximum connections exceeded");
    assert_eq!((counting.set_up.load(Relaxed), counting.torn_down.load(Relaxed)), (5, 4));
}

#[tokio::test]
async fn panics_are_counted_and_their_workers_set_up_again() {
    for second in [0, 1] {
        let counting = Arc::new(Counting::default());
        counting.panics.store(true, Relaxed);
        let report = leak_checked(async {
            LoadGenerator::builder()
                .schedule(Schedule::closed_count(2, 100))
                .workload("count", 1, Counted(Arc::clone(&counting)))
                .operation("nothing", second, nothing)
                .run()
                .await
                .unwrap()
        })
        .await;
        assert_eq!(report.count(), 100);
        assert_eq!(report.errors_by_kind().len(), 1, "{:?}", report.errors_by_kind());
        assert_eq!(report.errors_by_kind()[0].kind, "panicked: number #");
        assert!(report.errors() > 1);
        let (set_up, torn_down) = (counting.set_up.load(Relaxed), counting.torn_down.load(Relaxed));
        assert_eq!((set_up - report.errors(), torn_down), (2, 2));
    }
}

#[tokio::test]
async fn without_one_worker_there_is_no_run() {
    let error = leak_checked(async {
        LoadGenerator::builder()
            .schedule(Schedule::closed(2, SHORT))
            .workload("refused", 1, Refused)
            .run()
            .await
            .unwrap_err()
    })
    .await;
    assert_eq!(error.kind(), LoadErrorKind::SetUp);
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "no");
}

struct Refused;

impl Workload for Refused {
    type State = u8;

    async fn set_up(&self, _worker: usize) -> Result<u8, OperationError> {
        Err("no".into())
    }

    async fn run(&self, _state: &mut u8, _context: OperationContext) -> Result<(), OperationError> {
        Ok(())
    }
}

#[tokio::test]
async fn workers_leave_and_join() {
    let counting = Arc::new(Counting::default());
    let report = LoadGenerator::builder()
        .schedule(Schedule::closed(3, Duration::from_millis(400)))
        .workload("count", 1, Counted(Arc::clone(&counting)))
        .churn(Duration::from_millis(20))
        .run()
        .await
        .unwrap();
    let workers = report.workers().unwrap();
    assert!(workers.left >= 3 && workers.joined >= 3, "{workers:?}");
    assert_eq!(counting.set_up.load(Relaxed), counting.torn_down.load(Relaxed));
    assert_eq!(counting.set_up.load(Relaxed), 3 + workers.joined);
}
