//! Panics that nobody can see.

use std::future::pending;
use std::time::Duration;

use isolated_nats::{LeakGuard, LeakKind};

use crate::support::{Group, assert_found, guard};

/// So many panics on this line of the calling file.
#[track_caller]
fn panics(count: usize, line: u32) -> Group {
    let file = std::panic::Location::caller().file();
    Group::new(LeakKind::TaskPanic, count).says(format!("{file}:{line}"))
}

#[tokio::test]
async fn of_a_detached_task() {
    let guard = LeakGuard::new();
    let line = line!() + 1;
    tokio::spawn(async { panic!("on purpose, number 1") });
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[panics(1, line).says("on purpose, number 1")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_three_detached_tasks() {
    let guard = LeakGuard::new();
    let (begin, begun) = tokio::sync::watch::channel(());
    let line = line!() + 5;
    for _ in 0..3 {
        let mut begun = begun.clone();
        tokio::spawn(async move {
            begun.changed().await.unwrap();
            panic!("on purpose, number 2")
        });
    }
    begin.send(()).unwrap(); // now that nobody has their handles
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[panics(3, line)]);
}

#[tokio::test]
async fn of_a_task_beside_one_that_does_not_end() {
    let guard = guard();
    let line = line!() + 1;
    tokio::spawn(async { panic!("on purpose, number 3") });
    tokio::spawn(pending::<()>());
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[panics(1, line), Group::tasks(1, line + 1)]);
}

#[tokio::test]
async fn of_a_task_that_ran_for_a_while() {
    let guard = LeakGuard::new();
    let (begin, begun) = tokio::sync::oneshot::channel::<()>();
    let line = line!() + 3;
    tokio::spawn(async move {
        begun.await.unwrap();
        tokio::time::timeout(Duration::from_millis(5), pending::<()>()).await.expect("on purpose, number 4");
    });
    begin.send(()).unwrap();
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[panics(1, line).says("on purpose, number 4")]);
}

#[tokio::test]
async fn of_a_detached_blocking_task() {
    let guard = LeakGuard::new();
    let (begin, begun) = std::sync::mpsc::channel::<()>();
    let line = line!() + 3;
    let task = tokio::task::spawn_blocking(move || {
        begun.recv().unwrap();
        panic!("on purpose, number 5")
    });
    drop(task);
    begin.send(()).unwrap();
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[panics(1, line)]);
}
