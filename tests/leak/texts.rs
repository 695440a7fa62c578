//! Each failure text, as a user reads it, with every number replaced by N.

use std::future::pending;
use std::sync::mpsc;

use isolated_nats::async_nats::jetstream::{self, consumer::pull};
use isolated_nats::{ExternalNats, LeakGuard, LeakReport, isolated_nats};

const SHARED: &str = "\n  not checked: threads, descriptors, children: shared process (run it under nextest, or with \
                      `#[isolated_nats(process)]`, `run_alone` or `--test-threads=N`)";

/// The text without numbers, and without what is said where the test has no process of its own: a runner may give it one.
fn plain(report: &LeakReport) -> String {
    plain_text(&report.to_string()).replace(SHARED, "")
}

fn plain_text(report: &str) -> String {
    let mut text = String::new();
    for character in report.chars() {
        match character {
            '0'..='9' if text.ends_with('N') => {}
            '0'..='9' => text.push('N'),
            other => text.push(other),
        }
    }
    text
}

#[tokio::test]
async fn tasks_are_grouped_with_hints() {
    let guard = LeakGuard::new();
    let held = [tokio::spawn(pending::<()>()), tokio::spawn(pending::<()>())];
    for _ in 0..3 {
        tokio::spawn(pending::<()>());
    }
    let report = guard.check().await.unwrap_err();
    assert_eq!(
        plain(&report),
        "test `texts::tasks_are_grouped_with_hints` left behind N tasks
  N tasks, spawned by leak::texts::tasks_are_grouped_with_hints (tests/leak/texts.rs:N)
    hint: they are detached: keep their JoinHandles, and await or abort them
  N tasks, spawned by leak::texts::tasks_are_grouped_with_hints (tests/leak/texts.rs:N)
    hint: their JoinHandles are still held: await or abort them"
    );
    drop(held);
}

#[tokio::test]
async fn a_task_within_a_task() {
    let guard = LeakGuard::new();
    let outer = tokio::spawn(async {
        tokio::spawn(pending::<()>());
        pending::<()>().await;
    });
    let report = guard.check().await.unwrap_err();
    assert_eq!(
        plain(&report),
        "test `texts::a_task_within_a_task` left behind N tasks
  N task, spawned by leak::texts::a_task_within_a_task (tests/leak/texts.rs:N)
    hint: its JoinHandle is still held: await it or abort it
  N task, spawned by leak::texts::a_task_within_a_task (tests/leak/texts.rs:N)
    within a task that was spawned by leak::texts::a_task_within_a_task (tests/leak/texts.rs:N)
    hint: it is detached: keep its JoinHandle, and await it or abort it"
    );
    drop(outer);
}

#[tokio::test]
async fn local_blocking_and_panics() {
    let guard = LeakGuard::new();
    let (release, released) = mpsc::channel::<()>();
    drop(tokio::task::spawn_blocking(move || released.recv()));
    let local = tokio::task::LocalSet::new();
    local.spawn_local(pending::<()>());
    drop(tokio::spawn(async { panic!("the order is missing") }));
    let report = guard.check().await.unwrap_err();
    assert_eq!(
        plain(&report),
        "test `texts::local_blocking_and_panics` left behind N local task, N blocking task, N panic of a detached task
  N blocking task, spawned by leak::texts::local_blocking_and_panics (tests/leak/texts.rs:N)
    hint: it cannot be ended from outside: give it a way to stop, such as a flag or a channel that is closed
  N local task, spawned by leak::texts::local_blocking_and_panics (tests/leak/texts.rs:N)
    hint: it is detached: keep its JoinHandle, and await it or abort it
  N panic of a detached task: `the order is missing` at tests/leak/texts.rs:N:N, spawned by \
  leak::texts::local_blocking_and_panics (tests/leak/texts.rs:N)"
    );
    drop(release);
}

async fn open(nats: &ExternalNats) -> jetstream::Context {
    nats.jetstream().await.unwrap()
}

#[tokio::test]
async fn a_client_that_is_held() {
    let nats = ExternalNats::builder().jetstream().start().await.unwrap();
    let guard = LeakGuard::builder().server(&nats).ignore_descriptors("socket *").start();
    let jetstream = open(&nats).await;
    let report = guard.check().await.unwrap_err();
    let held = "an async-nats client, or something made from it (a subscription, a context, a store), is still held: drop it";
    assert_eq!(
        plain(&report),
        format!(
            "test `texts::a_client_that_is_held` left behind N tasks, N connection
  N task, spawned by async_nats::connect_with_options (async-nats-N.N.N/src/lib.rs:N)
    > leak::texts::open (tests/leak/texts.rs:N)
    > leak::texts::a_client_that_is_held (tests/leak/texts.rs:N)
    hint: {held} before the verdict
  N task, spawned by async_nats::connect_with_options (async-nats-N.N.N/src/lib.rs:N)
    > leak::texts::open (tests/leak/texts.rs:N)
    > leak::texts::a_client_that_is_held (tests/leak/texts.rs:N)
  N task, spawned by async_nats::jetstream::context::spawn_acker (async-nats-N.N.N/src/jetstream/context.rs:N)
    > leak::texts::open (tests/leak/texts.rs:N)
    > leak::texts::a_client_that_is_held (tests/leak/texts.rs:N)
    hint: a JetStream context, or something made from it, is still held: drop it
  N connection: a client without a name (rust N.N.N) from N.N.N.N:N (fd N of this process)
    hint: {held} before the verdict, or make it before the guard"
        )
    );
    drop(jetstream);
}

#[tokio::test]
async fn a_client_that_lost_its_server() {
    let nats = ExternalNats::start().await.unwrap();
    let guard = LeakGuard::builder().server(&nats).ignore_descriptors("socket *").start();
    let client = nats.client().await.unwrap();
    nats.kill().unwrap();
    isolated_nats::eventually("the client knows", std::time::Duration::from_secs(10), async || match client
        .connection_state()
    {
        async_nats::connection::State::Connected => Err("connected"),
        _ => Ok(()),
    })
    .await
    .unwrap();
    drop(client);
    let report = guard.check().await.unwrap_err();
    let lost = "an async-nats client was held, or dropped, while reconnecting to a server that is no more, and tries for ever \
                (drop it before its server ends, or set `max_reconnects`)";
    assert_eq!(
        plain(&report),
        format!(
            "test `texts::a_client_that_lost_its_server` left behind N tasks
  N task, spawned by async_nats::connect_with_options (async-nats-N.N.N/src/lib.rs:N)
    > leak::texts::a_client_that_lost_its_server (tests/leak/texts.rs:N)
    hint: {lost}
  N task, spawned by async_nats::connect_with_options (async-nats-N.N.N/src/lib.rs:N)
    > leak::texts::a_client_that_lost_its_server (tests/leak/texts.rs:N)
  not checked: server: stopped by the test (killed by `kill`)"
        )
    );
}

const ON_SERVER: &str =
    "test `texts::what_is_left_on_the_server` left behind N subscription, N stream, N bucket, N consumer
  N subscription: `orders.>` of a client without a name (rust N.N.N) from N.N.N.N:N
    hint: a subscription, a watch, a consumer's messages or a service is still held: drop it before the verdict, or make it \
     before the guard
  N bucket: key-value bucket `stock` (N messages, N bytes)
    hint: delete it at the end of the test, or allow it (`ignore_names`)
  N consumer: `audit` of `OLD`, durable
  N stream: `ORDERS` (N message, N bytes)
  `ignore_names(\"no-such-*\")` allowed nothing: remove it";

#[tokio::test]
async fn what_is_left_on_the_server() {
    let nats = ExternalNats::builder().jetstream().start().await.unwrap();
    let jetstream = nats.jetstream().await.unwrap();
    let old = jetstream::stream::Config { name: "OLD".into(), ..Default::default() };
    let old = jetstream.create_stream(old).await.unwrap();
    let guard = LeakGuard::builder().server(&nats).strict().ignore_names("no-such-*").start();
    let new = jetstream::stream::Config { name: "ORDERS".into(), ..Default::default() };
    jetstream.create_stream(new).await.unwrap();
    jetstream.publish("ORDERS", "a book".into()).await.unwrap().await.unwrap();
    let config = jetstream::kv::Config { bucket: "stock".into(), ..Default::default() };
    jetstream.create_key_value(config).await.unwrap();
    let durable = pull::Config { durable_name: Some("audit".into()), ..Default::default() };
    old.create_consumer(durable).await.unwrap();
    let subscription = jetstream.client().subscribe("orders.>").await.unwrap();
    jetstream.client().flush().await.unwrap();
    let report = guard.check().await.unwrap_err();
    assert_eq!(plain(&report), ON_SERVER);
    drop(subscription);
}

#[isolated_nats(process, tasks = "off")]
async fn what_is_left_in_the_process() {
    let (input, held) = std::io::pipe().unwrap(); // so that the child ends with this process, however that does
    let mut command = std::process::Command::new("cat");
    command.arg("-").stdin(input);
    let guard = LeakGuard::new();
    let (release, released) = mpsc::channel::<()>();
    let thread = std::thread::Builder::new().name("worker".into()).spawn(move || released.recv()).unwrap();
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let file = std::fs::File::open(std::env::current_exe().unwrap()).unwrap();
    let mut child = command.spawn().unwrap();
    let report = guard.check().await.unwrap_err();
    child.kill().unwrap();
    child.wait().unwrap();
    let program = std::env::current_exe().unwrap();
    let mut text = report.to_string().replace(program.to_str().unwrap(), "PROGRAM");
    for (number, name) in [(child.id(), "PID"), (listener.local_addr().unwrap().port().into(), "PORT")] {
        text = text.replace(&number.to_string(), name);
    }
    // Where a thread waits, the system need not say.
    let lines: Vec<&str> = text.lines().filter(|line| !line.contains("waits in the kernel")).collect();
    assert_eq!(
        plain_text(&lines.join("\n")),
        "test `texts::what_is_left_in_the_process` left behind N thread, N descriptors, N child process
  N thread: `worker` (tid N)
    hint: join it, and let what it waits for end it
  N descriptor: listener on N.N.N.N:PORT (fd N)
  N descriptor: `PROGRAM` (fd N)
  N child process: `cat -` (pid PID)
    hint: kill it and call `wait`, or start it by tokio with `kill_on_drop(true)`"
    );
    drop((release, thread, file, held));
}
