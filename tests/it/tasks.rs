//! What becomes of a test that leaves tasks behind, by the attribute and by `isolated_nats::rt`.

use std::future::pending;
use std::process::Command;
use std::time::Duration;

use isolated_nats::{ExternalNats, FromTest, FromTestError, TestContext, isolated_nats};

use crate::support::{Scratch, Victim};

/// A task that never ends.
fn leave() {
    tokio::spawn(pending::<()>());
}

/// Blocking work that never ends, and runs when this returns.
async fn block() {
    let (started, has_started) = tokio::sync::oneshot::channel();
    tokio::task::spawn_blocking(|| {
        started.send(()).unwrap();
        loop {
            std::thread::park();
        }
    });
    has_started.await.unwrap();
}

// ---- tests that leave nothing, or may ----

#[isolated_nats]
async fn a_task_that_is_aborted_at_the_end_is_not_left() {
    tokio::spawn(pending::<()>()).abort();
}

#[isolated_nats(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_that_are_about_to_end_are_not_left() {
    let (held, _) = tokio::sync::broadcast::channel::<()>(1);
    for _ in 0..16 {
        let mut receiver = held.subscribe();
        tokio::spawn(async move { receiver.recv().await });
    }
}

#[isolated_nats(start_paused)]
async fn a_task_that_ends_on_a_paused_clock_is_not_left(client: async_nats::Client) {
    let sleep = async move {
        tokio::time::timeout(Duration::from_secs(60), pending::<()>()).await.unwrap_err();
        drop(client);
    };
    tokio::spawn(sleep);
    tokio::task::yield_now().await;
    tokio::time::advance(Duration::from_secs(61)).await;
}

#[isolated_nats(allow_tasks = 1)]
async fn a_task_can_be_allowed() {
    leave();
}

#[isolated_nats(tasks = "off")]
async fn tasks_need_not_be_looked_at() {
    leave();
}

#[isolated_nats(flavor = "multi_thread")]
async fn blocking_work_that_ends_by_itself_is_not_left() {
    let (held, released) = std::sync::mpsc::channel::<()>();
    tokio::task::spawn_blocking(move || released.recv());
    drop(held);
}

// ---- tests that must fail, each in a process of its own ----

#[isolated_nats]
#[ignore = "a victim: run by the tests below, in a process of its own"]
async fn leaves_a_task(_nats: ExternalNats) {
    leave();
}

#[isolated_nats(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a victim: run by the tests below, in a process of its own"]
async fn leaves_a_task_among_threads() {
    leave();
}

#[isolated_nats(start_paused)]
#[ignore = "a victim: run by the tests below, in a process of its own"]
async fn leaves_a_task_that_sleeps_on_a_paused_clock() {
    tokio::spawn(tokio::time::timeout(Duration::from_secs(1), pending::<()>()));
}

#[isolated_nats]
#[ignore = "a victim: run by the tests below, in a process of its own"]
async fn leaves_a_client_in_a_task(client: async_nats::Client) {
    tokio::spawn(async move {
        let _client = client;
        pending::<()>().await;
    });
}

#[isolated_nats(tasks = "warn")]
#[ignore = "a victim: run by the tests below, in a process of its own"]
async fn is_warned() {
    leave();
}

#[isolated_nats(allow_tasks = 1)]
#[ignore = "a victim: run by the tests below, in a process of its own"]
async fn leaves_more_than_allowed() {
    leave();
    leave();
}

#[isolated_nats]
#[ignore = "a victim: run by the tests below, in a process of its own"]
async fn leaves_a_task_and_returns_an_error() -> Result<(), &'static str> {
    leave();
    Err("the order is missing")
}

#[isolated_nats]
#[ignore = "a victim: run by the tests below, in a process of its own"]
async fn leaves_a_task_and_panics() {
    leave();
    panic!("the order is missing");
}

#[isolated_nats]
#[should_panic(expected = "the order")]
#[ignore = "a victim: run by the tests below, in a process of its own"]
async fn leaves_a_task_and_panics_as_expected() {
    leave();
    panic!("the order is missing");
}

#[isolated_nats]
#[should_panic]
#[ignore = "a victim: run by the tests below, in a process of its own"]
async fn leaves_a_task_and_does_not_panic() {
    leave();
}

#[isolated_nats(timeout = "500ms")]
#[ignore = "a victim: run by the tests below, in a process of its own"]
async fn leaves_a_task_and_hangs() {
    leave();
    pending::<()>().await;
}

struct Broken;

impl FromTest for Broken {
    async fn from_test(_context: &TestContext) -> Result<Self, FromTestError> {
        leave();
        Err(FromTestError::new("the fixture is broken"))
    }
}

#[isolated_nats]
#[ignore = "a victim: run by the tests below, in a process of its own"]
async fn leaves_a_task_and_does_not_begin(_broken: Broken) {}

#[isolated_nats(max_rss_growth = "1 MiB")]
#[ignore = "a victim: run by the tests below, in a process of its own"]
async fn leaves_a_task_and_memory() {
    leave();
    std::mem::forget(std::hint::black_box(vec![1_u8; 32 << 20]));
}

#[isolated_nats(process)]
#[ignore = "a victim: run by the tests below, in a process of its own"]
async fn leaves_a_task_in_a_process_of_its_own() {
    leave();
}

#[isolated_nats]
#[ignore = "a victim: run by the tests below, in a process of its own"]
async fn leaves_blocking_work() {
    block().await;
}

#[isolated_nats(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a victim: run by the tests below, in a process of its own"]
async fn leaves_blocking_work_among_threads() {
    block().await;
}

#[isolated_nats(tasks = "warn")]
#[ignore = "a victim: run by the tests below, in a process of its own"]
async fn is_warned_of_blocking_work() {
    block().await;
}

#[isolated_nats(tasks = "off")]
#[ignore = "a victim: run by the tests below, in a process of its own"]
async fn need_not_hear_of_blocking_work() {
    block().await;
}

#[isolated_nats(allow_tasks = 1)]
#[ignore = "a victim: run by the tests below, in a process of its own"]
async fn may_leave_blocking_work() {
    block().await;
}

#[isolated_nats]
#[ignore = "a victim: run by the tests below, in a process of its own"]
async fn leaves_blocking_work_and_panics() {
    block().await;
    panic!("the order is missing");
}

mod rt {
    use super::{block, leave};

    #[tokio::test(crate = "isolated_nats::rt")]
    #[ignore = "a victim: run by the tests below, in a process of its own"]
    async fn leaves_a_task() {
        leave();
    }

    #[tokio::test(flavor = "multi_thread", crate = "isolated_nats::rt")]
    #[ignore = "a victim: run by the tests below, in a process of its own"]
    async fn leaves_a_task_among_threads() -> Result<(), String> {
        leave();
        Ok(())
    }

    #[tokio::test(flavor = "local", crate = "isolated_nats::rt")]
    #[ignore = "a victim: run by the tests below, in a process of its own"]
    async fn leaves_a_task_that_cannot_move() {
        let text = std::rc::Rc::new(1);
        tokio::task::spawn_local(async move {
            std::future::pending::<()>().await;
            drop(text);
        });
    }

    #[tokio::test(start_paused = true, crate = "isolated_nats::rt")]
    #[ignore = "a victim: run by the tests below, in a process of its own"]
    async fn leaves_a_task_that_sleeps_on_a_paused_clock() {
        tokio::spawn(tokio::time::timeout(std::time::Duration::from_secs(1), std::future::pending::<()>()));
    }

    #[tokio::test(crate = "isolated_nats::rt")]
    #[ignore = "a victim: run by the tests below, in a process of its own"]
    async fn leaves_a_task_and_returns_an_error() -> Result<(), &'static str> {
        leave();
        Err("the order is missing")
    }

    #[tokio::test(crate = "isolated_nats::rt")]
    #[ignore = "a victim: run by the tests below, in a process of its own"]
    async fn leaves_a_task_and_panics() {
        leave();
        panic!("the order is missing");
    }

    #[tokio::test(crate = "isolated_nats::rt")]
    #[should_panic(expected = "the order")]
    #[ignore = "a victim: run by the tests below, in a process of its own"]
    async fn leaves_a_task_and_panics_as_expected() {
        leave();
        panic!("the order is missing");
    }

    #[tokio::test(crate = "isolated_nats::rt")]
    #[ignore = "a victim: run by the tests below, in a process of its own"]
    async fn leaves_blocking_work() {
        block().await;
    }
}

/// Runs a victim with a fifth of the time for whatever is waited for in vain.
fn run(test: &str) -> (bool, String) {
    let root = Scratch::new("tasks");
    Victim::run(&format!("tasks::{test}"), root.path(), &[("ISOLATED_NATS_TIME_FACTOR", "0.2")])
}

#[test]
fn a_test_that_leaves_a_task_fails_and_says_so() {
    for test in [
        "leaves_a_task",
        "leaves_a_task_among_threads",
        "leaves_a_task_that_sleeps_on_a_paused_clock",
        "leaves_a_task_in_a_process_of_its_own",
        "rt::leaves_a_task",
        "rt::leaves_a_task_among_threads",
        "rt::leaves_a_task_that_cannot_move",
        "rt::leaves_a_task_that_sleeps_on_a_paused_clock",
    ] {
        let (passed, text) = run(test);
        assert!(!passed && text.contains("1 task") && text.contains(test), "{test}: {text}");
        // What the server has written does not explain it.
        assert!(!text.contains("the server's log"), "{test}: {text}");
    }
}

#[test]
fn more_tasks_than_allowed_are_too_many() {
    let (passed, text) = run("leaves_more_than_allowed");
    assert!(!passed && text.contains("2 tasks"), "{text}");
    let (passed, text) = run("leaves_a_client_in_a_task");
    assert!(!passed && text.contains("3 tasks"), "{text}");
}

#[test]
fn a_warning_is_seen_in_a_test_that_passes() {
    for (test, left) in [("is_warned", "1 task"), ("is_warned_of_blocking_work", "1 blocking task")] {
        // Not by `Victim`, which has nothing captured.
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", &format!("tasks::{test}"), "--include-ignored"]);
        command.env("ISOLATED_NATS_TIME_FACTOR", "0.2").env_remove("NEXTEST_EXECUTION_MODE");
        let output = command.env_remove("RUST_TEST_NOCAPTURE").output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}");
        assert!(text.contains("isolated-nats: warning: ") && text.contains(left), "{text}");
    }
}

#[test]
fn what_else_is_wrong_with_a_test_is_not_masked() {
    let said = "the order is missing";
    for (test, also) in [
        ("leaves_a_task_and_returns_an_error", "Error: \"the order is missing\""),
        ("leaves_a_task_and_panics", said),
        ("rt::leaves_a_task_and_returns_an_error", "Error: \"the order is missing\""),
        ("rt::leaves_a_task_and_panics", said),
    ] {
        let (passed, text) = run(test);
        assert!(!passed && text.contains(also) && text.contains("1 task"), "{test}: {text}");
        let panics = text.matches("panicked at").count();
        assert_eq!(panics, usize::from(also == said), "{test}: {text}");
    }
    let (passed, text) = run("leaves_blocking_work_and_panics");
    assert!(!passed && text.contains(said) && text.contains("1 blocking task"), "{text}");
    assert_eq!(text.matches("panicked at").count(), 1, "{text}");
    let (passed, text) = run("leaves_a_task_and_memory");
    assert!(!passed && text.contains("is above its ceiling") && text.contains("1 task"), "{text}");
}

#[test]
fn an_expected_panic_is_the_pass_whatever_is_left() {
    for test in ["leaves_a_task_and_panics_as_expected", "rt::leaves_a_task_and_panics_as_expected"] {
        let (passed, text) = run(test);
        assert!(passed && text.contains("1 task"), "{test}: {text}");
    }
    let (passed, text) = run("leaves_a_task_and_does_not_panic");
    assert!(!passed && text.contains("did not panic as expected") && text.contains("1 task"), "{text}");
}

#[test]
fn a_test_that_was_cut_off_or_never_began_is_not_looked_at() {
    for (test, said) in [
        ("leaves_a_task_and_hangs", "did not end within its 100.0ms"),
        ("leaves_a_task_and_does_not_begin", "the fixture is broken"),
    ] {
        let (passed, text) = run(test);
        assert!(!passed && text.contains(said) && !text.contains("1 task"), "{test}: {text}");
    }
}

#[test]
fn blocking_work_that_goes_on_is_found_when_the_runtime_ends() {
    for test in ["leaves_blocking_work", "leaves_blocking_work_among_threads", "rt::leaves_blocking_work"] {
        let (passed, text) = run(test);
        let said = "1 blocking task";
        assert!(!passed && text.contains(said) && text.contains("give it a way to stop"), "{test}: {text}");
    }
    for test in ["need_not_hear_of_blocking_work", "may_leave_blocking_work"] {
        let (passed, text) = run(test);
        assert!(passed && !text.contains("blocking task"), "{test}: {text}");
    }
}
