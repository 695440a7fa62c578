//! `#[tokio::test(crate = "isolated_nats::rt")]` in all its forms.

#![forbid(unsafe_code)]

use std::process::ExitCode;
use std::time::Duration;

use isolated_nats::ExternalNats;
use tokio::runtime::{Handle, RuntimeFlavor};

#[tokio::test(crate = "isolated_nats::rt")]
async fn one_thread() {
    assert_eq!(Handle::current().runtime_flavor(), RuntimeFlavor::CurrentThread);
    tokio::spawn(async {}).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", crate = "isolated_nats::rt")]
async fn several_threads() {
    assert_eq!(Handle::current().runtime_flavor(), RuntimeFlavor::MultiThread);
    tokio::spawn(async {}).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3, crate = "isolated_nats::rt")]
async fn three_threads() {
    assert_eq!(Handle::current().metrics().num_workers(), 3);
    tokio::task::block_in_place(|| ());
}

#[tokio::test(flavor = "local", crate = "isolated_nats::rt")]
async fn tasks_that_cannot_move() {
    let text = std::rc::Rc::new("here");
    assert_eq!(*tokio::task::spawn_local(async move { *text }).await.unwrap(), *"here");
}

/// The clock moves on by itself, as with tokio alone.
#[tokio::test(start_paused = true, crate = "isolated_nats::rt")]
async fn a_paused_clock() {
    let start = tokio::time::Instant::now();
    assert!(tokio::time::timeout(Duration::from_secs(3600), std::future::pending::<()>()).await.is_err());
    assert!(start.elapsed() >= Duration::from_secs(3600));
}

#[tokio::test(flavor = "local", start_paused = false, crate = "isolated_nats::rt")]
async fn a_clock_that_is_not_paused() {}

#[tokio::test(name = "orders", crate = "isolated_nats::rt")]
async fn a_name() {
    assert_eq!(Handle::current().name(), Some("orders"));
}

#[tokio::test(crate = "isolated_nats::rt")]
async fn a_result() -> Result<(), Box<dyn std::error::Error>> {
    tokio::spawn(async { "1".parse::<u8>() }).await??;
    Ok(())
}

#[tokio::test(crate = "isolated_nats::rt")]
async fn an_exit_code() -> ExitCode {
    ExitCode::SUCCESS
}

#[tokio::test(crate = "isolated_nats::rt")]
#[should_panic(expected = "on purpose")]
async fn a_panic() {
    panic!("on purpose");
}

#[cfg(tokio_unstable)]
#[tokio::test(unhandled_panic = "ignore", crate = "isolated_nats::rt")]
async fn a_panic_of_a_task() {
    tokio::spawn(async { panic!("on purpose") }).await.unwrap_err();
}

#[tokio::test(crate = "isolated_nats::rt")]
async fn a_task_that_is_aborted_at_the_end() {
    tokio::spawn(std::future::pending::<()>()).abort();
}

#[tokio::test(flavor = "multi_thread", crate = "isolated_nats::rt")]
async fn blocking_work_that_ends_by_itself() {
    let (held, released) = std::sync::mpsc::channel::<()>();
    tokio::task::spawn_blocking(move || released.recv());
    drop(held);
}

#[tokio::test(crate = "isolated_nats::rt")]
async fn a_server_and_a_client() -> Result<(), Box<dyn std::error::Error>> {
    let nats = ExternalNats::start().await?;
    let client = nats.client().await?;
    client.publish("orders", "a book".into()).await?;
    client.flush().await?;
    Ok(())
}
