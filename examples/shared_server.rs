//! Many tests, one server: `ExternalNats::shared()`, and a `static` of your own. Neither leaves an orphan.
//!
//! Run the tests with `cargo test --example shared_server`, and the proof with `cargo run --example shared_server`: it
//! runs itself in a process that ends with the server in a `static`, which is never dropped, and looks for the server.
//! In a project of your own it needs `isolated-nats`, `async-nats` and `tokio` (features `macros`, `rt-multi-thread`).

use std::error::Error;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use isolated_nats::{ExternalNats, ProcessProbe, eventually};

/// One server for the life of the process.
static SERVER: OnceLock<ExternalNats> = OnceLock::new();

fn server() -> &'static ExternalNats {
    SERVER.get_or_init(|| ExternalNats::builder().jetstream().start_blocking().expect("a nats-server starts"))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    if std::env::args().any(|argument| argument == "child") {
        println!("{}", server().pid());
        std::process::exit(0); // nothing is dropped
    }
    let child = Command::new(std::env::current_exe()?).arg("child").output()?;
    let pid: u32 = String::from_utf8(child.stdout)?.trim().parse()?;
    println!("a process with a server in a `static` has ended with {}", child.status);
    eventually("its server has ended too", Duration::from_secs(5), async || {
        ProcessProbe::new(pid).sample().err().ok_or("it still runs")
    })
    .await?;
    println!("and its server, process {pid}, is gone");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Subjects and streams are everybody's on a shared server: each test uses names of its own.
    async fn a_stream_of_its_own(nats: &ExternalNats, name: &str) {
        let jetstream = nats.jetstream().await.unwrap();
        let config = async_nats::jetstream::stream::Config { name: name.into(), ..Default::default() };
        jetstream.create_stream(config).await.unwrap();
        jetstream.publish(name.to_owned(), "1".into()).await.unwrap().await.unwrap();
        jetstream.delete_stream(name).await.unwrap();
    }

    #[tokio::test]
    async fn shared_by_this_test() {
        let nats = ExternalNats::shared().await.unwrap();
        a_stream_of_its_own(&nats, "ONE").await;
    }

    #[tokio::test]
    async fn and_by_this_one() {
        let nats = ExternalNats::shared().await.unwrap();
        a_stream_of_its_own(&nats, "TWO").await;
    }

    #[tokio::test]
    async fn in_a_static_by_this_test() {
        a_stream_of_its_own(server(), "THREE").await;
    }

    #[tokio::test]
    async fn and_in_the_same_static_by_this_one() {
        a_stream_of_its_own(server(), "FOUR").await;
        assert!(std::ptr::eq(server(), SERVER.get().unwrap()));
    }
}
