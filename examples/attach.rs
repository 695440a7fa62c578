//! The same code against a server that runs already, such as a cluster in CI: `ISOLATED_NATS_URL`.
//!
//! Run it with `ISOLATED_NATS_URL=nats://host:port cargo run --example attach`. Without the variable it starts a server
//! to stand in for yours, and runs itself again with the variable set. In a project of your own it needs
//! `isolated-nats`, `async-nats`, `futures-util` and `tokio` (features `macros`, `rt-multi-thread`).

use std::error::Error;
use std::process::Command;

use futures_util::StreamExt;
use isolated_nats::{ExternalNats, FaultErrorKind};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    if std::env::var_os("ISOLATED_NATS_URL").is_none() {
        return with_a_stand_in().await;
    }
    let nats = ExternalNats::start().await?; // attaches
    println!("attached to {} ({}, version {})", nats.url(), nats.server_name(), nats.version());

    let client = nats.client().await?;
    let subject = format!("isolated-nats.example.{}", std::process::id()); // a name of its own on somebody's server
    let mut messages = client.subscribe(subject.clone()).await?;
    client.publish(subject, "hello".into()).await?;
    let message = messages.next().await.ok_or("the connection is open")?;
    println!("received {:?}", String::from_utf8_lossy(&message.payload));

    let refused = nats.kill().expect_err("somebody else's server is not ours to kill");
    assert_eq!(refused.kind(), FaultErrorKind::Attached);
    println!("as it must be, a fault is refused: {refused}");
    Ok(())
}

async fn with_a_stand_in() -> Result<(), Box<dyn Error + Send + Sync>> {
    let stand_in = ExternalNats::start().await?;
    println!("ISOLATED_NATS_URL is not set; {} stands in for your server", stand_in.url());
    let status = Command::new(std::env::current_exe()?).env("ISOLATED_NATS_URL", stand_in.url()).status()?;
    assert!(status.success(), "{status}");
    stand_in.monitor().varz().await?;
    println!("and it still runs");
    Ok(())
}
