//! What the clean programs share.

use std::time::Duration;

use async_nats::Client;
use async_nats::connection::State;
use async_nats::jetstream::{Context, stream};
use isolated_nats::{ExternalNats, LeakGuard, eventually};

/// Generous: a limit that a working crate never comes near, also with both cores busy.
pub(crate) const LONG: Duration = Duration::from_secs(30);

/// A guard that looks at the server too.
pub(crate) fn watch(nats: &ExternalNats) -> LeakGuard {
    LeakGuard::builder().server(nats).start()
}

/// Fails with the report when there is one, under words that `scripts/leak-corpus` looks for.
#[track_caller]
pub(crate) fn no_alarm(guard: LeakGuard) -> impl Future<Output = ()> {
    let place = std::panic::Location::caller();
    async move {
        if let Err(report) = guard.check().await {
            panic!("FALSE ALARM at {place}:\n{report}");
        }
    }
}

pub(crate) async fn with_jetstream() -> ExternalNats {
    ExternalNats::builder().jetstream().start().await.unwrap()
}

/// A stream in memory of all subjects below its name.
pub(crate) fn in_memory(name: &str) -> stream::Config {
    stream::Config {
        name: name.to_owned(),
        subjects: vec![format!("{name}.>")],
        storage: stream::StorageType::Memory,
        allow_direct: true,
        ..Default::default()
    }
}

/// Publishes so many messages to `<stream>.new`, each awaited.
pub(crate) async fn fill(jetstream: &Context, stream: &str, messages: usize) {
    for _ in 0..messages {
        jetstream.publish(format!("{stream}.new"), "a book".into()).await.unwrap().await.unwrap();
    }
}

/// Waits until so many connections are on the server, and the client's is one of them.
pub(crate) async fn connected_again(nats: &ExternalNats, client: &Client, connections: u64) {
    eventually("the client is back", LONG, async || {
        let now = nats.monitor().connz().await.map_err(|error| error.to_string())?.num_connections;
        match client.connection_state() {
            State::Connected if now == connections => Ok(()),
            state => Err(format!("{state}, {now} connections")),
        }
    })
    .await
    .unwrap();
}
