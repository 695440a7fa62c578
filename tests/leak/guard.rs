//! What a guard finds, and how it says so.

use std::future::pending;

use isolated_nats::{ExternalNats, LeakGuard, LeakKind, leak_checked};

#[tokio::test]
async fn a_forgotten_task_is_placed() {
    let guard = LeakGuard::new();
    let line = line!() + 1;
    tokio::spawn(pending::<()>());
    let report = guard.check().await.unwrap_err();
    let [leak] = report.leaks() else { panic!("{report}") };
    assert_eq!((leak.kind, leak.count), (LeakKind::Task, 1));
    assert_eq!(leak.called_from.as_ref().map(|at| at.line), Some(line), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_task_is_placed_on_many_threads() {
    let guard = LeakGuard::new();
    let line = line!() + 1;
    tokio::spawn(pending::<()>());
    let report = guard.check().await.unwrap_err();
    let [leak] = report.leaks() else { panic!("{report}") };
    assert_eq!((leak.kind, leak.count), (LeakKind::Task, 1));
    assert_eq!(leak.called_from.as_ref().map(|at| at.line), Some(line), "{report}");
}

#[tokio::test]
async fn a_client_that_is_held() {
    let nats = ExternalNats::start().await.unwrap();
    let guard = LeakGuard::new();
    let client = nats.jetstream().await.unwrap();
    let report = guard.check().await.unwrap_err();
    let tasks = report.leaks().iter().filter(|leak| leak.kind == LeakKind::Task);
    let files: Vec<_> = tasks.filter_map(|leak| leak.spawned_at.as_ref()?.file.clone()).collect();
    assert_eq!(files.len(), 3, "{report}");
    assert!(files.iter().all(|file| file.starts_with("async-nats-")), "{report}");
    drop(client);
}

#[tokio::test]
async fn blocking_and_local() {
    let guard = LeakGuard::new();
    let (sender, receiver) = std::sync::mpsc::channel::<()>();
    let blocking = tokio::task::spawn_blocking(move || receiver.recv());
    let local = tokio::task::LocalSet::new();
    local.spawn_local(pending::<()>());
    let (tx, _rx) = tokio::sync::mpsc::channel::<u8>(10);
    let report = guard.check().await.unwrap_err();
    let found: Vec<_> = report.leaks().iter().map(|leak| (leak.kind, leak.count)).collect();
    assert_eq!(found, [(LeakKind::BlockingTask, 1), (LeakKind::LocalTask, 1)], "{report}");
    drop((sender, blocking, tx));
}

#[tokio::test]
async fn a_detached_panic() {
    let guard = LeakGuard::new();
    drop(tokio::spawn(async { panic!("broken") }));
    let report = guard.check().await.unwrap_err();
    let [leak] = report.leaks() else { panic!("{report}") };
    assert_eq!((leak.kind, leak.count), (LeakKind::TaskPanic, 1));
    assert!(leak.what.starts_with("`broken` at tests/leak/guard.rs:"), "{report}");
}

#[tokio::test]
async fn what_ends_in_time_is_not_left() {
    for _ in 0..100 {
        leak_checked(async {
            tokio::spawn(async {}).await.unwrap();
            drop(tokio::spawn(async {}));
        })
        .await;
    }
}

#[cfg(all(tokio_unstable, feature = "taskdump", target_os = "linux"))]
mod waits {
    use super::*;

    async fn never() -> u32 {
        let (_sender, receiver) = tokio::sync::oneshot::channel::<()>();
        let line = line!() + 1;
        let _ = receiver.await;
        line
    }

    #[tokio::test]
    async fn a_task_is_shown_where_it_waits() {
        let guard = LeakGuard::new();
        tokio::spawn(never());
        let report = guard.check().await.unwrap_err();
        let [leak] = report.leaks() else { panic!("{report}") };
        let waits =
            leak.details.iter().filter(|detail| detail.starts_with("waits in leak::guard::waits::never"));
        assert_eq!(waits.count(), 1, "{report}");
    }
}

/// A guard goes where the test's own futures go.
#[tokio::test(flavor = "multi_thread")]
async fn a_guard_works_within_a_task() {
    let task = tokio::spawn(async {
        let guard = LeakGuard::new();
        tokio::spawn(pending::<()>());
        guard.check().await.unwrap_err().leaks().len()
    });
    assert_eq!(task.await.unwrap(), 1);
}
