//! Whole tests, by the attribute and by `isolated_nats::rt`, with the lines that spawned what they left.

use std::future::pending;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;

use isolated_nats::{LeakGuard, isolated_nats};

// ---- tests that leave nothing ----

/// Such a closure gives its worker's work to a new thread, which then is a worker.
#[isolated_nats(flavor = "multi_thread", worker_threads = 2)]
async fn a_thread_that_becomes_a_worker_is_not_left() {
    for _ in 0..3 {
        tokio::spawn(async { tokio::task::block_in_place(|| ()) }).await.unwrap();
        tokio::task::block_in_place(|| ());
    }
}

#[tokio::test(flavor = "multi_thread", crate = "isolated_nats::rt")]
async fn a_thread_that_becomes_a_worker_is_not_left_in_rt() {
    tokio::spawn(async { tokio::task::block_in_place(|| ()) }).await.unwrap();
    tokio::task::block_in_place(|| ());
}

#[isolated_nats(start_paused)]
async fn what_holds_a_paused_clock_is_not_left(client: async_nats::Client) {
    client.flush().await.unwrap();
}

#[isolated_nats(jetstream, timeout = "60s")]
async fn arguments_are_not_left(
    guard: LeakGuard,
    client: async_nats::Client,
    jetstream: async_nats::jetstream::Context,
) {
    let subscription = client.subscribe("orders").await.unwrap();
    client.publish("orders", "a book".into()).await.unwrap();
    client.flush().await.unwrap();
    drop((subscription, client, jetstream));
    guard.verify().await;
}

#[isolated_nats(flavor = "multi_thread")]
async fn blocking_work_that_ends_by_itself_is_not_left() {
    let (held, released) = mpsc::channel::<()>();
    tokio::task::spawn_blocking(move || released.recv());
    drop(held);
}

#[isolated_nats]
async fn local_tasks_end_with_their_set() {
    let set = tokio::task::LocalSet::new();
    set.run_until(async { drop(tokio::task::spawn_local(pending::<()>())) }).await;
}

// ---- tests that must fail, each in a process of its own ----

fn leave() {
    tokio::spawn(pending::<()>());
}

#[isolated_nats]
#[ignore = "a victim: run by the tests below, in a process of its own"]
async fn leaves_a_task() {
    leave();
}

#[tokio::test(flavor = "multi_thread", crate = "isolated_nats::rt")]
#[ignore = "a victim: run by the tests below, in a process of its own"]
async fn leaves_a_task_in_rt() {
    leave();
}

#[isolated_nats]
#[ignore = "a victim: run by the tests below, in a process of its own"]
async fn leaves_blocking_work() {
    let (started, has_started) = tokio::sync::oneshot::channel();
    tokio::task::spawn_blocking(|| {
        started.send(()).unwrap();
        loop {
            std::thread::park();
        }
    });
    has_started.await.unwrap();
}

#[isolated_nats]
#[ignore = "a victim: run by the tests below, in a process of its own"]
async fn leaves_a_client(client: async_nats::Client) {
    std::mem::forget(client);
}

#[isolated_nats]
#[ignore = "a victim: run by the tests below, in a process of its own"]
async fn leaves_a_task_that_blocks() {
    // Until whoever runs it lets go of the other end.
    tokio::spawn(async { std::io::stdin().read_to_end(&mut Vec::new()).unwrap() });
}

fn victim(test: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", &format!("whole::{test}"), "--include-ignored", "--nocapture"]);
    command.env("ISOLATED_NATS_TIME_FACTOR", "0.2").env_remove("NEXTEST_EXECUTION_MODE");
    command
}

fn run(test: &str) -> (bool, String) {
    let output = victim(test).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("running 1 test"), "no test is called {test}: {text}");
    (output.status.success(), text.into_owned())
}

#[test]
fn a_task_is_shown_with_the_line_that_spawned_it() {
    let here = Path::new(file!()).file_name().unwrap().to_str().unwrap();
    for (test, what) in [
        ("leaves_a_task", "1 task, spawned by"),
        ("leaves_a_task_in_rt", "1 task, spawned by"),
        ("leaves_blocking_work", "1 blocking task, spawned by"),
        ("leaves_a_client", "async-nats"),
    ] {
        let (passed, text) = run(test);
        assert!(
            !passed && text.contains(what) && (text.contains(here) || test == "leaves_a_client"),
            "{test}: {text}"
        );
        assert_eq!(text.matches("left behind").count(), 1, "{test}: {text}");
    }
    let (_, text) = run("leaves_blocking_work");
    assert!(!text.contains("after the runtime was told to"), "it is known already: {text}");
}

/// On one thread nothing can be done about it but to say why the test does not end.
#[test]
fn a_task_that_blocks_the_thread_of_the_check_is_told_of() {
    let mut victim = victim("leaves_a_task_that_blocks");
    let mut child =
        victim.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let held = child.stdin.take();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let told = lines.any(|line| line.contains("a task of its runtime blocks its thread"));
    drop(held);
    let passed = child.wait().unwrap().success();
    assert!(told && passed, "told: {told}, passed: {passed}");
}
