//! Servers and clients that come, go, and come back.

use std::time::Duration;

use async_nats::connection::State;
use async_nats::{Client, jetstream::Context};
use futures_util::StreamExt;
use isolated_nats::{ExternalNats, LeakGuard, MemoryProbe, eventually, isolated_nats, leak_checked};
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::timeout;

use super::support::{LONG, connected_again, fill, in_memory, no_alarm, watch, with_jetstream};

#[tokio::test]
async fn a_server_of_ones_own_within_the_check() {
    leak_checked(async {
        let nats = ExternalNats::start().await.unwrap();
        nats.client().await.unwrap().publish("orders", "a book".into()).await.unwrap();
        nats.shutdown().await.unwrap();
    })
    .await;
}

/// The client's own task must see that its handles are gone before it sees that the server is: on threads of their own, it
/// may lose that race, and would connect again for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_dropped_right_after_their_clients() {
    for _ in 0..20 {
        leak_checked(async {
            let nats = ExternalNats::start().await.unwrap();
            use_a_client(&nats).await;
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_shut_down_right_after_their_clients() {
    shut_down_right_after_a_client().await;
}

#[tokio::test]
async fn servers_shut_down_right_after_their_clients_on_one_thread() {
    shut_down_right_after_a_client().await;
}

async fn shut_down_right_after_a_client() {
    for _ in 0..20 {
        leak_checked(async {
            let nats = ExternalNats::start().await.unwrap();
            use_a_client(&nats).await;
            nats.shutdown().await.unwrap();
        })
        .await;
    }
}

async fn use_a_client(nats: &ExternalNats) {
    let client = nats.client().await.unwrap();
    client.publish("orders", "a book".into()).await.unwrap();
    client.flush().await.unwrap();
}

/// Both tests use the server that all tests of this program share, at the same time.
#[tokio::test]
async fn a_shared_server() {
    use_the_shared_server().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shared_server_used_by_two() {
    use_the_shared_server().await;
}

async fn use_the_shared_server() {
    let nats = ExternalNats::shared().await.unwrap();
    let guard = watch(&nats);
    for _ in 0..3 {
        let client = nats.client().await.unwrap();
        let subject = client.new_inbox();
        let mut own = client.subscribe(subject.clone()).await.unwrap();
        client.publish(subject, "1".into()).await.unwrap();
        own.next().await.unwrap();
    }
    no_alarm(guard).await;
}

#[tokio::test]
async fn two_servers_with_a_bridge_between_them() {
    let (from, to) = tokio::join!(ExternalNats::start(), ExternalNats::start());
    let (from, to) = (from.unwrap(), to.unwrap());
    let guards = (watch(&from), watch(&to));
    {
        let (source, sink) = (from.client().await.unwrap(), to.client().await.unwrap());
        let mut orders = source.subscribe("orders").await.unwrap();
        let mut copies = sink.subscribe("orders").await.unwrap();
        source.publish("orders", "a book".into()).await.unwrap();
        let order = orders.next().await.unwrap();
        sink.publish(order.subject, order.payload).await.unwrap();
        copies.next().await.unwrap();
    }
    no_alarm(guards.0).await;
    no_alarm(guards.1).await;
}

#[isolated_nats]
async fn all_arguments_of_the_attribute(
    nats: ExternalNats,
    client: Client,
    jetstream: Context,
    probe: MemoryProbe,
) {
    jetstream.create_stream(in_memory("orders")).await.unwrap();
    fill(&jetstream, "orders", 1).await;
    client.flush().await.unwrap();
    assert!(nats.pid() > 0);
    probe.finish();
}

#[isolated_nats(timeout = "30s", max_peak_heap = "64 MiB")]
async fn a_test_with_a_result_a_time_limit_and_a_ceiling(client: Client) -> Result<(), async_nats::Error> {
    client.publish("orders", "a book".into()).await?;
    client.flush().await?;
    Ok(())
}

/// What users write so that a worker ends with its owner.
struct Worker(AbortHandle);

impl Worker {
    async fn start(client: Client) -> Self {
        let mut jobs = client.subscribe("jobs").await.unwrap();
        let run = async move {
            while let Some(job) = jobs.next().await {
                client.publish("done", job.payload).await.unwrap();
            }
        };
        Self(tokio::spawn(run).abort_handle())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[tokio::test]
async fn a_worker_that_is_aborted_by_its_owner() {
    let nats = ExternalNats::start().await.unwrap();
    let guard = watch(&nats);
    {
        let client = nats.client().await.unwrap();
        let _worker = Worker::start(client.clone()).await;
        let mut done = client.subscribe("done").await.unwrap();
        client.publish("jobs", "1".into()).await.unwrap();
        done.next().await.unwrap();
    }
    no_alarm(guard).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_asked_to_end_and_joined() {
    let nats = ExternalNats::start().await.unwrap();
    let guard = watch(&nats);
    let client = nats.client().await.unwrap();
    let (stop, mut stopped) = tokio::sync::watch::channel(false);
    let mut jobs = client.subscribe("jobs").await.unwrap();
    let worker: JoinHandle<usize> = tokio::spawn(async move {
        let mut done = 0;
        loop {
            tokio::select! {
                _ = stopped.changed() => return done,
                Some(_) = jobs.next() => done += 1,
            }
        }
    });
    client.publish("jobs", "1".into()).await.unwrap();
    client.flush().await.unwrap();
    stop.send(true).unwrap();
    assert!(worker.await.unwrap() <= 1);
    drop(client);
    no_alarm(guard).await;
}

#[tokio::test]
async fn a_client_that_comes_back_after_a_restart_and_is_dropped() {
    let nats = ExternalNats::start().await.unwrap();
    let guard = watch(&nats);
    let client = nats.client().await.unwrap();
    let mut orders = client.subscribe("orders").await.unwrap();
    nats.restart().await.unwrap();
    connected_again(&nats, &client, 1).await;
    client.publish("orders", "a book".into()).await.unwrap();
    orders.next().await.unwrap();
    drop((orders, client));
    no_alarm(guard).await;
}

#[tokio::test]
async fn a_jetstream_client_that_comes_back_after_a_kill() {
    let nats = with_jetstream().await;
    let guard = watch(&nats);
    let jetstream = nats.jetstream().await.unwrap();
    jetstream.create_stream(in_memory("orders")).await.unwrap();
    nats.kill().unwrap();
    nats.restart().await.unwrap();
    connected_again(&nats, &jetstream.client(), 1).await;
    assert!(jetstream.get_stream("orders").await.is_err()); // it was in memory
    drop(jetstream);
    no_alarm(guard).await;
}

/// Its connection and subscription have other numbers then, and are still those of before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_of_before_that_reconnects() {
    let nats = ExternalNats::start().await.unwrap();
    let client = nats.client().await.unwrap();
    let mut orders = client.subscribe("orders").await.unwrap();
    client.flush().await.unwrap();
    let guard = watch(&nats);
    client.force_reconnect().await.unwrap();
    // What is published while the connection is made anew may be lost.
    while timeout(Duration::from_millis(20), orders.next()).await.is_err() {
        client.publish("orders", "a book".into()).await.unwrap();
    }
    connected_again(&nats, &client, 1).await;
    no_alarm(guard).await;
}

#[tokio::test]
async fn a_client_of_before_and_a_restart() {
    let nats = ExternalNats::start().await.unwrap();
    let client = nats.client().await.unwrap();
    let _orders = client.subscribe("orders").await.unwrap();
    client.flush().await.unwrap();
    let guard = watch(&nats);
    nats.restart().await.unwrap();
    connected_again(&nats, &client, 1).await;
    no_alarm(guard).await;
}

#[tokio::test]
async fn a_client_forced_to_reconnect_and_dropped() {
    let nats = ExternalNats::start().await.unwrap();
    let guard = watch(&nats);
    let client = nats.client().await.unwrap();
    client.force_reconnect().await.unwrap();
    client.flush().await.unwrap();
    drop(client);
    no_alarm(guard).await;
}

/// Without `max_reconnects` its tasks would try for ever, which is a leak.
#[tokio::test]
async fn a_client_that_gives_up_on_a_killed_server() {
    let nats = ExternalNats::start().await.unwrap();
    let guard = watch(&nats);
    let options = nats.connect_options().max_reconnects(2);
    let client = options.connect(nats.url()).await.unwrap();
    nats.kill().unwrap();
    eventually("the client has noticed", LONG, async || match client.connection_state() {
        State::Disconnected => Ok(()),
        state => Err(state),
    })
    .await
    .unwrap();
    drop(client);
    no_alarm(guard).await;
}

#[tokio::test]
async fn a_connection_that_is_refused() {
    let nats = ExternalNats::start().await.unwrap();
    nats.stop().await.unwrap();
    leak_checked(async {
        assert!(nats.client().await.is_err());
    })
    .await;
}

#[tokio::test]
async fn clients_dropped_before_the_server_is_stopped() {
    let nats = ExternalNats::start().await.unwrap();
    let guard = watch(&nats);
    let client = nats.client().await.unwrap();
    client.flush().await.unwrap();
    drop(client);
    nats.stop().await.unwrap();
    no_alarm(guard).await;
}

#[tokio::test]
async fn a_server_paused_and_resumed() {
    let nats = ExternalNats::start().await.unwrap();
    LeakGuard::builder()
        .server(&nats)
        .run(async {
            let client = nats.client().await.unwrap();
            nats.pause().unwrap();
            client.publish("orders", "a book".into()).await.unwrap();
            nats.resume().unwrap();
            client.flush().await.unwrap();
        })
        .await;
}

#[tokio::test]
async fn a_guard_within_a_guard() {
    let nats = ExternalNats::start().await.unwrap();
    let outer = watch(&nats);
    let first = nats.client().await.unwrap();
    let inner = watch(&nats);
    let second = nats.client().await.unwrap();
    second.flush().await.unwrap();
    drop(second);
    no_alarm(inner).await;
    drop(first);
    no_alarm(outer).await;
}
