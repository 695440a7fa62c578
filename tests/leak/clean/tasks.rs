//! Tasks of tokio, without NATS.

use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use isolated_nats::{LeakGuard, isolated_nats, leak_checked};
use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinSet, LocalSet, spawn_blocking, spawn_local};
use tokio::time::{interval, timeout};

use super::support::no_alarm;

const HOUR: Duration = Duration::from_secs(3600);

/// Some milliseconds on the runtime's clock.
async fn a_moment() {
    let _ = timeout(Duration::from_millis(3), pending::<()>()).await;
}

/// Some milliseconds of work.
fn compute() -> u64 {
    let (begin, mut sum) = (Instant::now(), 0_u64);
    while begin.elapsed() < Duration::from_millis(5) {
        sum = std::hint::black_box(sum.wrapping_mul(31).wrapping_add(1));
    }
    sum
}

#[tokio::test]
async fn nothing_at_all() {
    no_alarm(LeakGuard::new()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_joined_one_after_the_other() {
    let guard = LeakGuard::new();
    for number in 0..100 {
        assert_eq!(tokio::spawn(async move { number }).await.unwrap(), number);
    }
    no_alarm(guard).await;
}

#[tokio::test]
async fn a_thousand_tasks_that_end_just_before() {
    a_thousand_tasks().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_tasks_that_end_just_before_on_threads() {
    a_thousand_tasks().await;
}

async fn a_thousand_tasks() {
    let guard = LeakGuard::new();
    let (go, wait) = watch::channel(false);
    for _ in 0..1000 {
        let mut wait = wait.clone();
        tokio::spawn(async move { wait.changed().await.unwrap() });
    }
    go.send(true).unwrap();
    no_alarm(guard).await;
}

#[tokio::test]
async fn detached_tasks_that_have_not_begun() {
    let guard = LeakGuard::new();
    for _ in 0..100 {
        tokio::spawn(async { tokio::task::yield_now().await });
    }
    no_alarm(guard).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_needs_some_milliseconds() {
    let guard = LeakGuard::new();
    tokio::spawn(a_moment());
    tokio::spawn(async {
        compute();
    });
    no_alarm(guard).await;
}

#[tokio::test]
async fn a_task_that_needs_some_milliseconds_on_the_same_thread() {
    leak_checked(async {
        tokio::spawn(a_moment());
        tokio::spawn(async {
            compute();
        });
    })
    .await;
}

/// Each spawns the next, and nobody waits.
#[tokio::test]
async fn a_chain_of_tasks() {
    fn next(left: usize) -> futures_util::future::BoxFuture<'static, ()> {
        let run = async move {
            if left > 0 {
                tokio::task::yield_now().await;
                tokio::spawn(next(left - 1));
            }
        };
        run.boxed()
    }
    leak_checked(async { drop(tokio::spawn(next(200))) }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_aborted_just_before() {
    let guard = LeakGuard::new();
    tokio::spawn(pending::<()>()).abort();
    let aborted = tokio::spawn(pending::<()>());
    aborted.abort();
    assert!(aborted.await.unwrap_err().is_cancelled());
    no_alarm(guard).await;
}

#[isolated_nats]
async fn a_join_set_dropped_and_one_shut_down() {
    let mut joined = JoinSet::new();
    for _ in 0..20 {
        joined.spawn(pending::<()>());
    }
    joined.shutdown().await;
    let mut dropped = JoinSet::new();
    for _ in 0..20 {
        dropped.spawn(pending::<()>());
    }
}

/// The handle of a task that has ended may be kept: the task's memory is, and the task is not.
#[tokio::test]
async fn handles_of_tasks_that_have_ended() {
    let guard = LeakGuard::new();
    let handles: Vec<_> = (0..20).map(|number| tokio::spawn(async move { number })).collect();
    let aborts: Vec<_> = handles.iter().map(tokio::task::JoinHandle::abort_handle).collect();
    while !aborts.iter().all(tokio::task::AbortHandle::is_finished) {
        tokio::task::yield_now().await;
    }
    no_alarm(guard).await;
    drop(handles);
}

#[tokio::test]
async fn actors_that_end_when_nobody_can_ask_them() {
    let guard = LeakGuard::new();
    let (ask, mut asked) = mpsc::channel::<oneshot::Sender<u32>>(1);
    tokio::spawn(async move {
        while let Some(answer) = asked.recv().await {
            answer.send(7).unwrap();
        }
    });
    let (answer, answered) = oneshot::channel();
    ask.send(answer).await.unwrap();
    assert_eq!(answered.await.unwrap(), 7);
    drop(ask);
    no_alarm(guard).await;
}

#[tokio::test]
async fn timeouts_intervals_and_what_select_drops() {
    let guard = LeakGuard::new();
    let mut ticks = interval(Duration::from_millis(1));
    ticks.tick().await;
    assert!(timeout(Duration::from_millis(1), pending::<()>()).await.is_err());
    let task = tokio::spawn(a_moment());
    tokio::select! {
        () = pending() => unreachable!(),
        joined = task => joined.unwrap(),
    }
    drop(ticks);
    no_alarm(guard).await;
}

#[tokio::test]
async fn blocking_work_joined() {
    let guard = LeakGuard::new();
    spawn_blocking(compute).await.unwrap();
    no_alarm(guard).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocking_work_that_nobody_waits_for() {
    let guard = LeakGuard::new();
    drop(spawn_blocking(compute));
    tokio::task::block_in_place(compute);
    no_alarm(guard).await;
}

#[isolated_nats]
async fn blocking_work_under_the_attribute() {
    drop(spawn_blocking(compute));
}

#[tokio::test]
async fn files_by_the_blocking_pool() {
    leak_checked(async {
        let text = tokio::fs::read("Cargo.toml").await.unwrap();
        let mut file = tokio::fs::File::open("Cargo.toml").await.unwrap();
        assert_eq!(tokio::io::copy(&mut file, &mut tokio::io::sink()).await.unwrap(), text.len() as u64);
    })
    .await;
}

#[tokio::test]
async fn local_tasks_joined_and_dropped_with_their_set() {
    let guard = LeakGuard::new();
    let set = LocalSet::new();
    set.run_until(async {
        let value = std::rc::Rc::new(5);
        assert_eq!(*spawn_local(async move { value }).await.unwrap(), 5);
        spawn_local(pending::<()>());
    })
    .await;
    drop(set);
    no_alarm(guard).await;
}

#[tokio::test]
async fn local_tasks_that_end_within_the_set() {
    LocalSet::new()
        .run_until(leak_checked(async {
            let task = spawn_local(a_moment());
            drop(spawn_local(tokio::task::yield_now()));
            task.await.unwrap();
        }))
        .await;
}

#[tokio::test]
async fn a_runtime_of_ones_own_on_a_thread() {
    let guard = LeakGuard::new();
    let thread = std::thread::spawn(|| {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.spawn(pending::<()>());
        runtime.block_on(async { tokio::spawn(a_moment()).await.unwrap() });
    });
    spawn_blocking(|| thread.join().unwrap()).await.unwrap();
    no_alarm(guard).await;
}

#[tokio::test]
async fn a_runtime_of_ones_own_shut_down_in_the_background() {
    let guard = LeakGuard::new();
    let runtime = Builder::new_multi_thread().worker_threads(1).build().unwrap();
    runtime.spawn(async {}).await.unwrap();
    runtime.spawn(pending::<()>());
    runtime.shutdown_background();
    no_alarm(guard).await;
}

#[tokio::test]
async fn tasks_spawned_from_a_thread_outside() {
    let guard = LeakGuard::new();
    let handle = tokio::runtime::Handle::current();
    let thread = std::thread::spawn(move || drop(handle.spawn(a_moment())));
    spawn_blocking(|| thread.join().unwrap()).await.unwrap();
    no_alarm(guard).await;
}

#[tokio::test]
async fn tasks_of_before() {
    let handle = tokio::spawn(pending::<()>());
    let blocking = spawn_blocking(compute);
    let guard = LeakGuard::new();
    tokio::spawn(a_moment());
    no_alarm(guard).await;
    blocking.await.unwrap();
    handle.abort();
}

/// The task of before ends, the one after it also: a count alone would let one leak pass, and none is here.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_of_before_that_ends() {
    let (end, ended) = oneshot::channel::<()>();
    let handle = tokio::spawn(ended);
    let guard = LeakGuard::new();
    end.send(()).unwrap();
    handle.await.unwrap().unwrap();
    no_alarm(guard).await;
}

/// A far timer is dropped with its task, and the check lets no time of the test's clock pass.
#[tokio::test(start_paused = true)]
async fn a_paused_clock_stands_still() {
    let guard = LeakGuard::new();
    let far = tokio::spawn(async { timeout(HOUR, pending::<()>()).await });
    tokio::spawn(async { timeout(Duration::from_secs(1), pending::<()>()).await });
    tokio::task::yield_now().await; // their time begins
    tokio::time::advance(Duration::from_secs(2)).await;
    let before = tokio::time::Instant::now();
    far.abort();
    no_alarm(guard).await;
    assert_eq!(tokio::time::Instant::now(), before);
}

#[isolated_nats(start_paused)]
async fn a_paused_clock_beside_a_real_server(client: async_nats::Client) {
    let before = tokio::time::Instant::now();
    let guard = LeakGuard::new();
    let timer = tokio::spawn(timeout(HOUR, pending::<()>()));
    client.flush().await.unwrap();
    timer.abort();
    drop(spawn_blocking(compute));
    no_alarm(guard).await;
    assert_eq!(tokio::time::Instant::now(), before);
}

#[tokio::test]
async fn panics_that_the_test_handles() {
    let guard = LeakGuard::new();
    let error = tokio::spawn(async { panic!("handled 1") }).await.unwrap_err();
    assert!(error.is_panic());
    assert!(spawn_blocking(|| panic!("handled 2")).await.unwrap_err().is_panic());
    let mut set = JoinSet::new();
    set.spawn(async { panic!("handled 3") });
    assert!(set.join_next().await.unwrap().is_err());
    assert!(AssertUnwindSafe(async { panic!("handled 4") }).catch_unwind().await.is_err());
    assert!(catch_unwind(|| panic!("handled 5")).is_err());
    assert!(std::thread::spawn(|| panic!("handled 6")).join().is_err());
    no_alarm(guard).await;
}

/// The panic is over before anybody looks, or is caught within the task.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn panics_that_are_handled_later() {
    let guard = LeakGuard::new();
    let task = tokio::spawn(async { panic!("handled later") });
    let supervisor = tokio::spawn(async move { task.await.is_err() });
    tokio::spawn(async { assert!(catch_unwind(|| panic!("handled within")).is_err()) });
    let kept = tokio::spawn(async { panic!("handled after a while") });
    while !kept.is_finished() {
        tokio::task::yield_now().await;
    }
    assert!(supervisor.await.unwrap() && kept.await.is_err());
    no_alarm(guard).await;
}

#[isolated_nats]
async fn a_panic_handled_under_the_attribute() {
    assert!(tokio::spawn(async { panic!("handled") }).await.is_err());
}

#[isolated_nats]
#[should_panic(expected = "as the test wants")]
async fn a_panic_of_the_test_itself() {
    let _joined = tokio::spawn(async {}).await;
    panic!("as the test wants");
}
