//! Tasks by where they are spawned, and by what they wait for.

use std::future::pending;
use std::sync::Arc;
use std::sync::mpsc;

use isolated_nats::{LeakGuard, LeakKind};
use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::{Duration, Instant, interval, sleep_until};

use super::library::{self, ASYNC_WATCHER_LINE, TRACKER_LINE, Tracker, WATCHER_LINE};
use crate::support::{Group, assert_found, at_rest, guard};

#[tokio::test]
async fn forgotten() {
    let guard = guard();
    let line = line!() + 1;
    tokio::spawn(pending::<()>());
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(1, line)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forgotten_on_many_threads() {
    let guard = guard();
    let line = line!() + 1;
    tokio::spawn(pending::<()>());
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(1, line)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spawned_by_a_worker() {
    let guard = LeakGuard::new();
    let line = line!() + 2;
    let outer = tokio::spawn(async {
        tokio::spawn(pending::<()>());
    });
    outer.await.unwrap();
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(1, line)]);
}

#[tokio::test]
async fn spawned_by_a_task_that_has_ended() {
    let guard = guard();
    let line = line!() + 2;
    tokio::spawn(async {
        tokio::spawn(pending::<()>());
    });
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(1, line)]);
}

#[tokio::test]
async fn spawned_by_a_task_that_leaks_too() {
    let guard = guard();
    let line = line!() + 1;
    tokio::spawn(async {
        tokio::spawn(pending::<()>());
        pending::<()>().await;
    });
    let report = guard.check().await.unwrap_err();
    let parent =
        format!("within a task that was spawned by {}::spawned_by_a_task_that_leaks_too", module_path!());
    let inner = Group::tasks(1, line + 1).says(format!("{parent} ({}:{line})", file!()));
    assert_found(&report, &[Group::tasks(1, line), inner]);
}

#[tokio::test]
async fn spawned_by_another_thread() {
    let guard = guard();
    let handle = Handle::current();
    let line = line!() + 1;
    let thread = std::thread::spawn(move || drop(handle.spawn(pending::<()>())));
    thread.join().unwrap();
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(1, line)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spawned_by_another_thread_on_many_threads() {
    let guard = guard();
    let handle = Handle::current();
    let line = line!() + 2;
    let thread = std::thread::spawn(move || {
        (0..3).for_each(|_| drop(handle.spawn(pending::<()>())));
    });
    thread.join().unwrap();
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(3, line)]);
}

#[tokio::test]
async fn spawned_by_a_thread_that_has_entered_the_runtime() {
    let guard = guard();
    let handle = Handle::current();
    let line = line!() + 3;
    let thread = std::thread::spawn(move || {
        let _entered = handle.enter();
        drop(tokio::spawn(pending::<()>()));
    });
    thread.join().unwrap();
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(1, line)]);
}

#[tokio::test]
async fn spawned_by_a_blocking_task() {
    let guard = guard();
    let line = line!() + 1;
    tokio::task::spawn_blocking(|| drop(tokio::spawn(pending::<()>()))).await.unwrap();
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(1, line)]);
}

#[tokio::test]
async fn spawned_within_another_block_on() {
    let guard = guard();
    let handle = Handle::current();
    let line = line!() + 2;
    let blocking = tokio::task::spawn_blocking(move || {
        handle.block_on(async { drop(tokio::spawn(pending::<()>())) });
    });
    blocking.await.unwrap();
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(1, line)]);
}

#[tokio::test]
async fn spawned_by_one_of_several_futures() {
    let guard = guard();
    let line = line!() + 3;
    tokio::join!(
        async { tokio::task::yield_now().await },
        async { drop(tokio::spawn(pending::<()>())) },
        async { tokio::task::yield_now().await },
    );
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(1, line)]);
}

/// The guard is in a task itself.
#[tokio::test]
async fn guarded_within_a_task() {
    let task = tokio::spawn(async {
        let guard = guard();
        let line = line!() + 1;
        tokio::spawn(pending::<()>());
        let report = guard.check().await.unwrap_err();
        assert_found(&report, &[Group::tasks(1, line)]);
    });
    task.await.unwrap();
}

/// Each guard sees what came after it.
#[tokio::test]
async fn guarded_twice() {
    let outer = guard();
    let line = line!() + 1;
    tokio::spawn(pending::<()>());
    let inner = guard();
    tokio::spawn(pending::<()>());
    let report = inner.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(1, line + 2)]);
    let report = outer.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(1, line), Group::tasks(1, line + 2)]);
}

/// Another runtime's tasks are the test's own only where that is asked for.
#[tokio::test]
async fn spawned_on_another_runtime_is_for_the_strict() {
    let (lenient, strict) = (guard(), at_rest().strict().start());
    let other = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let line = line!() + 1;
    other.spawn(pending::<()>());
    let report = lenient.report().await;
    assert!(report.leaks().is_empty(), "{report}");
    assert!(report.notes().iter().any(|note| note.contains(&format!("{}:{line}", file!()))), "{report}");
    let report = strict.check().await.unwrap_err();
    other.shutdown_background();
    assert_found(&report, &[Group::tasks(1, line)]);
}

/// Its workers are none of its tasks.
#[tokio::test]
async fn spawned_on_another_runtime_with_workers() {
    let guard = at_rest().strict().start();
    let other = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let line = line!() + 1;
    other.spawn(pending::<()>());
    let report = guard.check().await.unwrap_err();
    other.shutdown_background();
    assert_found(&report, &[Group::tasks(1, line)]);
}

#[tokio::test]
async fn spawned_by_a_drop() {
    struct Cleaner;
    const LINE: u32 = line!() + 4;

    impl Drop for Cleaner {
        fn drop(&mut self) {
            tokio::spawn(pending::<()>());
        }
    }
    let guard = guard();
    drop(Cleaner);
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(1, LINE)]);
}

#[tokio::test]
async fn spawned_by_a_library() {
    let guard = guard();
    let line = line!() + 1;
    library::start_watcher();
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[library::group(LeakKind::Task, 1, WATCHER_LINE, line)]);
}

#[tokio::test]
async fn spawned_by_an_async_library() {
    let guard = guard();
    let line = line!() + 1;
    library::connect_watcher().await;
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[library::group(LeakKind::Task, 1, ASYNC_WATCHER_LINE, line)]);
}

#[tokio::test]
async fn counted_by_a_tracker() {
    let tracker = Tracker::default();
    let guard = guard();
    let line = line!() + 1;
    (0..2).for_each(|_| tracker.spawn(pending()));
    assert_eq!(tracker.len(), 2);
    drop(tracker);
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[library::group(LeakKind::Task, 2, TRACKER_LINE, line)]);
}

#[tokio::test]
async fn waits_for_a_sender_that_it_holds_itself() {
    let guard = guard();
    let (sender, mut receiver) = tokio::sync::mpsc::channel::<u32>(4);
    let line = line!() + 1;
    tokio::spawn(async move {
        let _sender = sender;
        while receiver.recv().await.is_some() {}
    });
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(1, line)]);
}

#[tokio::test]
async fn waits_for_what_nobody_notifies() {
    let guard = guard();
    let notify = Arc::new(Notify::new());
    let waiter = notify.clone();
    let line = line!() + 1;
    tokio::spawn(async move { waiter.notified().await });
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(1, line)]);
}

#[tokio::test]
async fn waits_for_a_sender_in_the_test() {
    let guard = guard();
    let (_sender, receiver) = oneshot::channel::<()>();
    let line = line!() + 1;
    tokio::spawn(receiver);
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(1, line)]);
}

#[tokio::test]
async fn ticks() {
    let guard = guard();
    let line = line!() + 1;
    tokio::spawn(async {
        let mut interval = interval(Duration::from_millis(1));
        loop {
            interval.tick().await;
        }
    });
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(1, line)]);
}

#[tokio::test(start_paused = true)]
async fn waits_for_a_clock_that_stands_still() {
    let guard = guard();
    let start = Instant::now();
    let line = line!() + 1;
    tokio::spawn(sleep_until(start + Duration::from_secs(1)));
    let report = guard.check().await.unwrap_err();
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_found(&report, &[Group::tasks(1, line)]);
}

#[tokio::test]
async fn selects_for_ever() {
    let guard = guard();
    let (_stop, mut stopped) = watch::channel(false);
    let mut interval = interval(Duration::from_millis(5));
    let line = line!() + 1;
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interval.tick() => {}
                _ = stopped.changed() => break,
            }
        }
    });
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(1, line)]);
}

#[tokio::test]
async fn yields_for_ever() {
    let guard = guard();
    let line = line!() + 1;
    tokio::spawn(async {
        loop {
            tokio::task::yield_now().await;
        }
    });
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(1, line)]);
}

#[tokio::test]
async fn goes_on_when_told_to_stop() {
    let guard = guard();
    let stop = Arc::new(Notify::new());
    let told = stop.clone();
    let line = line!() + 1;
    tokio::spawn(async move {
        loop {
            told.notified().await;
        }
    });
    stop.notify_one();
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(1, line)]);
}

/// It is told to end, and does not look.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocks_when_it_is_aborted() {
    let guard = guard();
    let (release, released) = mpsc::channel::<()>();
    let (begin, begun) = oneshot::channel();
    let line = line!() + 1;
    let task = tokio::spawn(async move {
        begin.send(()).unwrap();
        _ = released.recv();
    });
    begun.await.unwrap();
    task.abort();
    let report = guard.check().await.unwrap_err();
    drop(release);
    assert_found(&report, &[Group::tasks(1, line)]);
}

#[tokio::test]
async fn listens_for_ever() {
    let guard = guard();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let line = line!() + 1;
    tokio::spawn(async move {
        loop {
            listener.accept().await.unwrap();
        }
    });
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(1, line)]);
}
