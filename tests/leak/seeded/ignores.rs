//! What is allowed hides itself, and nothing else.

use std::future::pending;

use isolated_nats::LeakKind;

use super::library;
use crate::support::{Group, assert_found, at_rest, guard, test_name};

#[tokio::test]
async fn more_than_the_tasks_allowed() {
    let guard = at_rest().allow_tasks(1).start();
    let line = line!() + 1;
    (0..2).for_each(|_| drop(tokio::spawn(pending::<()>())));
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(2, line)]);
}

#[tokio::test]
async fn a_spawn_outside_the_library_allowed() {
    let guard = at_rest().ignore_spawned_in("library::start_watcher").start();
    library::start_watcher();
    let line = line!() + 1;
    tokio::spawn(pending::<()>());
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(1, line)]);
}

/// The frame is neither the innermost nor the test's own.
#[tokio::test]
async fn a_spawn_outside_a_function_in_between() {
    #[inline(never)]
    fn in_between() {
        library::start_watcher();
        std::hint::black_box(());
    }
    let guard = at_rest().ignore_spawned_in("::in_between").start();
    in_between();
    let line = line!() + 1;
    library::start_watcher();
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[library::group(LeakKind::Task, 1, library::WATCHER_LINE, line)]);
}

#[tokio::test]
async fn a_spawn_outside_the_file_allowed() {
    let guard = at_rest().ignore_spawned_in("seeded/library.rs").start();
    library::start_watcher();
    let line = line!() + 1;
    tokio::spawn(pending::<()>());
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(1, line)]);
}

#[tokio::test]
async fn one_beside_what_runs_in_the_background() {
    let guard = guard();
    let background = tokio::spawn(pending::<()>());
    guard.background(&background);
    let line = line!() + 1;
    tokio::spawn(pending::<()>());
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(1, line)]);
}

/// Nobody holds the handle any more; the task is known by its identity.
#[tokio::test]
async fn one_beside_what_runs_in_the_background_unheld() {
    let guard = guard();
    let start = || tokio::spawn(pending::<()>());
    let line = line!() - 1;
    guard.background(&start());
    start();
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(1, line)]);
}

#[tokio::test]
async fn an_allowance_of_no_use_fails_the_strict() {
    let guard = at_rest().ignore_spawned_in("nothing::of::this::name").strict().start();
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[]);
    assert_eq!(report.stale_ignores(), [r#"ignore_spawned_in("nothing::of::this::name")"#], "{report}");
    assert!(report.to_string().contains(r#"ignore_spawned_in("nothing::of::this::name")"#), "{report}");
}

#[tokio::test]
async fn an_allowance_of_no_use_is_told_beside_a_leak() {
    let guard = at_rest().ignore_spawned_in("nothing::of::this::name").start();
    let line = line!() + 1;
    tokio::spawn(pending::<()>());
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(1, line)]);
    assert_eq!(report.stale_ignores(), [r#"ignore_spawned_in("nothing::of::this::name")"#], "{report}");
}

/// The report may be had without a verdict.
#[tokio::test]
async fn reported_without_a_verdict() {
    let guard = guard();
    let line = line!() + 1;
    tokio::spawn(pending::<()>());
    let report = guard.report().await;
    assert_found(&report, &[Group::tasks(1, line)]);
    assert!(report.to_string().contains(&test_name()), "{report}");
}
