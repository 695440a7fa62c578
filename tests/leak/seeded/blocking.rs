//! Closures that do not return. Each is released at its test's end, or its runtime would wait for it.

use std::sync::Arc;
use std::sync::mpsc;

use isolated_nats::LeakKind;
use tokio::sync::oneshot;

use super::library;
use crate::support::{Group, assert_found, guard};

#[tokio::test]
async fn waits_for_a_channel() {
    let guard = guard();
    let (_release, released) = mpsc::channel::<()>();
    let line = line!() + 1;
    tokio::task::spawn_blocking(move || released.recv());
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::at(LeakKind::BlockingTask, 1, line)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waits_on_many_threads() {
    let guard = guard();
    let (_release, released) = mpsc::channel::<()>();
    let line = line!() + 1;
    tokio::task::spawn_blocking(move || released.recv());
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::at(LeakKind::BlockingTask, 1, line)]);
}

#[tokio::test]
async fn three_of_one_line() {
    let guard = guard();
    let mut releases = Vec::new();
    let line = line!() + 4;
    for _ in 0..3 {
        let (release, released) = mpsc::channel::<()>();
        releases.push(release);
        tokio::task::spawn_blocking(move || released.recv());
    }
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::at(LeakKind::BlockingTask, 3, line)]);
}

#[tokio::test]
async fn held_by_a_set() {
    let guard = guard();
    let (_release, released) = mpsc::channel::<()>();
    let mut set = tokio::task::JoinSet::new();
    let line = line!() + 1;
    set.spawn_blocking(move || released.recv());
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::at(LeakKind::BlockingTask, 1, line).says("give it a way to stop")]);
}

#[tokio::test]
async fn started_by_another_thread() {
    let guard = guard();
    let (_release, released) = mpsc::channel::<()>();
    let handle = tokio::runtime::Handle::current();
    let line = line!() + 1;
    let thread = std::thread::spawn(move || drop(handle.spawn_blocking(move || released.recv())));
    thread.join().unwrap();
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::at(LeakKind::BlockingTask, 1, line)]);
}

#[tokio::test]
async fn goes_on_although_aborted() {
    let guard = guard();
    let (_release, released) = mpsc::channel::<()>();
    let (begin, begun) = oneshot::channel();
    let line = line!() + 1;
    let task = tokio::task::spawn_blocking(move || {
        begin.send(()).unwrap();
        _ = released.recv();
    });
    begun.await.unwrap();
    task.abort();
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::at(LeakKind::BlockingTask, 1, line)]);
}

#[tokio::test]
async fn started_by_a_library() {
    let guard = guard();
    let (_release, released) = mpsc::channel();
    let line = line!() + 1;
    drop(library::wait_elsewhere(released));
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[library::group(LeakKind::BlockingTask, 1, library::BLOCKING_LINE, line)]);
}

#[tokio::test]
async fn started_by_a_task() {
    let guard = guard();
    let (_release, released) = mpsc::channel::<()>();
    let line = line!() + 2;
    tokio::spawn(async move {
        tokio::task::spawn_blocking(move || released.recv());
    });
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::at(LeakKind::BlockingTask, 1, line)]);
}

/// The task that awaits it leaks as well.
#[tokio::test]
async fn awaited_by_a_task() {
    let guard = guard();
    let (_release, released) = mpsc::channel::<()>();
    let line = line!() + 1;
    tokio::spawn(async move {
        _ = tokio::task::spawn_blocking(move || released.recv()).await;
    });
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(1, line), Group::at(LeakKind::BlockingTask, 1, line + 1)]);
}

/// Reading a file is a blocking task of tokio's own, which goes on when nobody awaits it any more.
#[cfg(unix)]
#[tokio::test]
async fn reads_what_never_comes() {
    use tokio::io::AsyncReadExt;

    let guard = guard();
    let (reader, _writer) = std::io::pipe().unwrap();
    let mut file = tokio::fs::File::from_std(std::fs::File::from(std::os::fd::OwnedFd::from(reader)));
    let mut byte = [0];
    let line = line!() + 1;
    tokio::time::timeout(std::time::Duration::from_millis(1), file.read(&mut byte)).await.unwrap_err();
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::at(LeakKind::BlockingTask, 1, line)]);
}

#[tokio::test]
async fn looks_at_something_for_ever() {
    let guard = guard();
    let kept = Arc::new(());
    let looked_at = Arc::downgrade(&kept);
    let line = line!() + 1;
    tokio::task::spawn_blocking(move || {
        while looked_at.strong_count() > 0 {
            std::thread::yield_now();
        }
    });
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::at(LeakKind::BlockingTask, 1, line)]);
}

/// An ordinary task that blocks in place is a task.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocks_in_place() {
    let guard = guard();
    let (_release, released) = mpsc::channel::<()>();
    let (begin, begun) = oneshot::channel();
    let line = line!() + 1;
    tokio::spawn(async move {
        begin.send(()).unwrap();
        tokio::task::block_in_place(|| _ = released.recv());
    });
    begun.await.unwrap();
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(1, line)]);
}
