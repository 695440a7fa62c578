//! Tasks that stay on their thread.

use std::future::pending;
use std::rc::Rc;

use isolated_nats::LeakKind;
use tokio::task::{LocalSet, spawn_local};

use crate::support::{Group, assert_found, guard};

#[tokio::test]
async fn held_by_a_local_set() {
    let guard = guard();
    let local = LocalSet::new();
    let line = line!() + 3;
    let run = local.run_until(async {
        let shared = Rc::new(1);
        spawn_local(async move {
            pending::<()>().await;
            drop(shared);
        });
    });
    run.await;
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::at(LeakKind::LocalTask, 1, line)]);
    drop(local);
}

#[tokio::test]
async fn checked_within_a_local_set() {
    let test = async {
        let guard = guard();
        let line = line!() + 1;
        spawn_local(pending::<()>());
        let report = guard.check().await.unwrap_err();
        assert_found(&report, &[Group::at(LeakKind::LocalTask, 1, line)]);
    };
    LocalSet::new().run_until(test).await;
}

#[tokio::test]
async fn both_within_a_local_set() {
    let test = async {
        let guard = guard();
        let line = line!() + 1;
        spawn_local(pending::<()>());
        tokio::spawn(pending::<()>());
        let report = guard.check().await.unwrap_err();
        assert_found(&report, &[Group::at(LeakKind::LocalTask, 1, line), Group::tasks(1, line + 1)]);
    };
    LocalSet::new().run_until(test).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn held_by_a_local_set_on_many_threads() {
    let guard = guard();
    let local = LocalSet::new();
    let line = line!() + 1;
    local.spawn_local(pending::<()>());
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::at(LeakKind::LocalTask, 1, line)]);
}

#[tokio::test(flavor = "local")]
async fn spawned_on_a_local_runtime() {
    let guard = guard();
    let line = line!() + 1;
    spawn_local(pending::<()>());
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(1, line)]);
}

#[tokio::test(flavor = "local")]
async fn both_on_a_local_runtime() {
    let guard = guard();
    let line = line!() + 1;
    spawn_local(pending::<()>());
    tokio::spawn(pending::<()>());
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(1, line), Group::tasks(1, line + 1)]);
}
