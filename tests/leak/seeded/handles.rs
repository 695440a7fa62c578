//! Tasks by who holds their handle, how many there are, and what their future is like.

use std::future::pending;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use isolated_nats::LeakGuard;
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};

use super::library::AbortOnDrop;
use crate::support::{Group, assert_found, guard};

static KEPT: Mutex<Vec<JoinHandle<()>>> = Mutex::new(Vec::new());

#[tokio::test]
async fn held_by_the_test() {
    let guard = guard();
    let line = line!() + 1;
    let task = tokio::spawn(pending::<()>());
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(1, line).says("JoinHandle")]);
    task.abort();
}

#[tokio::test]
async fn held_by_a_static() {
    let guard = guard();
    let line = line!() + 1;
    KEPT.lock().unwrap().push(tokio::spawn(pending::<()>()));
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(1, line).says("JoinHandle")]);
}

#[tokio::test]
async fn detached_from_a_set() {
    let guard = guard();
    let mut set = JoinSet::new();
    let line = line!() + 1;
    set.spawn(pending::<()>());
    set.detach_all();
    drop(set);
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(1, line)]);
}

#[tokio::test]
async fn held_by_a_set() {
    let guard = guard();
    let mut set = JoinSet::new();
    let line = line!() + 2;
    for _ in 0..3 {
        set.spawn(pending::<()>());
    }
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(3, line)]);
}

#[tokio::test]
async fn its_own_cycle() {
    struct Node {
        wake: Notify,
        task: Mutex<Option<JoinHandle<()>>>,
    }
    let guard = guard();
    let node = Arc::new(Node { wake: Notify::new(), task: Mutex::new(None) });
    let own = node.clone();
    let line = line!() + 1;
    let task = tokio::spawn(async move { own.wake.notified().await });
    *node.task.lock().unwrap() = Some(task);
    drop(node);
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(1, line)]);
}

#[tokio::test]
async fn a_forgotten_guard() {
    let guard = guard();
    let line = line!() + 1;
    let task = AbortOnDrop(tokio::spawn(pending()));
    drop(AbortOnDrop(tokio::spawn(pending())));
    std::mem::forget(task);
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(1, line)]);
}

#[tokio::test]
async fn a_thousand_of_one_line() {
    let guard = guard();
    let line = line!() + 2;
    for _ in 0..1000 {
        tokio::spawn(pending::<()>());
    }
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(1000, line)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_of_one_line_among_those_that_end() {
    let guard = LeakGuard::new();
    let line = line!() + 4;
    let mut ending = Vec::new();
    for _ in 0..100 {
        ending.push(tokio::spawn(async {}));
        tokio::spawn(pending::<()>());
    }
    for task in ending {
        task.await.unwrap();
    }
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(100, line)]);
}

#[tokio::test]
async fn three_lines_in_the_order_of_their_counts() {
    let guard = guard();
    let line = line!() + 1;
    tokio::spawn(pending::<()>());
    (0..3).for_each(|_| drop(tokio::spawn(pending::<()>())));
    (0..2).for_each(|_| drop(tokio::spawn(pending::<()>())));
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(3, line + 1), Group::tasks(2, line + 2), Group::tasks(1, line)]);
    let counts: Vec<_> = report.leaks().iter().map(|leak| leak.count).filter(|count| *count <= 3).collect();
    assert!(counts.starts_with(&[3, 2, 1]), "{report}");
}

#[tokio::test]
async fn one_function_called_from_two_lines() {
    #[inline(never)]
    fn start() -> u32 {
        tokio::spawn(pending::<()>());
        line!() - 1
    }
    let guard = guard();
    let called = line!() + 1;
    (0..2).for_each(|_| _ = start());
    let line = start();
    let report = guard.check().await.unwrap_err();
    let groups = [(2, called), (1, called + 1)]
        .map(|(count, called)| Group::tasks(count, line).says(format!("{}:{called}", file!())));
    assert_found(&report, &groups);
}

/// Only what began under the guard is its own; what it leaves beside an earlier leak is found all the same.
#[tokio::test]
async fn one_beside_an_earlier_one() {
    tokio::spawn(pending::<()>());
    let guard = guard();
    let line = line!() + 1;
    tokio::spawn(pending::<()>());
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(1, line)]);
}

/// The number of tasks is what it was before: one has ended, another one has come.
#[tokio::test]
async fn one_in_place_of_an_earlier_one() {
    let earlier = tokio::spawn(pending::<()>());
    let guard = guard();
    let line = line!() + 1;
    tokio::spawn(pending::<()>());
    earlier.abort();
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(1, line)]);
}

/// One line, spawned before and after the guard's start.
#[tokio::test]
async fn one_of_a_line_that_was_used_before() {
    let start = || tokio::spawn(pending::<()>());
    let line = line!() - 1;
    start();
    let guard = guard();
    start();
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(1, line)]);
}

/// tokio boxes a future of this size before it makes the task.
#[tokio::test]
async fn a_large_future() {
    let guard = guard();
    let line = line!() + 1;
    tokio::spawn(async {
        let large = [1_u8; 64 << 10];
        pending::<()>().await;
        std::hint::black_box(&large);
    });
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(1, line)]);
}

#[repr(align(64))]
struct Aligned64(u8);
#[repr(align(128))]
struct Aligned128(u8);
#[repr(align(512))]
struct Aligned512(u8);

/// The task's memory is aligned as the future is, and laid out otherwise than that of other tasks.
#[tokio::test]
async fn futures_of_their_own_alignment() {
    let guard = guard();
    let line = line!() + 1;
    tokio::spawn(async {
        let aligned = Aligned64(1);
        pending::<()>().await;
        std::hint::black_box(aligned.0);
    });
    tokio::spawn(async {
        let aligned = Aligned128(1);
        pending::<()>().await;
        std::hint::black_box(aligned.0);
    });
    tokio::spawn(async {
        let aligned = Aligned512(1);
        pending::<()>().await;
        std::hint::black_box(aligned.0);
    });
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(1, line), Group::tasks(1, line + 5), Group::tasks(1, line + 10)]);
}

#[tokio::test]
async fn a_boxed_future() {
    let guard = guard();
    let future: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(pending());
    let line = line!() + 1;
    tokio::spawn(future);
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(1, line)]);
}

/// Deeper than any limit on the frames that are kept.
#[tokio::test]
async fn spawned_at_a_great_depth() {
    fn descend(depth: u32) {
        if depth == 0 {
            tokio::spawn(pending::<()>());
        } else {
            descend(std::hint::black_box(depth - 1));
            std::hint::black_box(depth);
        }
    }
    let line = line!() - 6;
    let guard = guard();
    descend(200);
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(1, line)]);
}
