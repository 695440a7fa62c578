//! Clients, which have two tasks each, by what keeps them. The tasks are spawned in async-nats, for a line of the test.

use std::future::pending;
use std::sync::Mutex;

use async_nats::Client;
use async_nats::service::ServiceExt;
use isolated_nats::{ExternalNats, eventually};

use crate::support::{Group, LONG, assert_found, at_rest, guard};

static KEPT: Mutex<Vec<Client>> = Mutex::new(Vec::new());

/// How a report shows where a client's tasks are spawned.
const CLIENT: &str = "/src/lib.rs";

/// What so many clients leave that were connected on this line of the calling file.
#[track_caller]
pub(super) fn clients(count: usize, line: u32) -> Vec<Group> {
    let tasks = Group::tasks(count, line).inside(CLIENT, None).says("an async-nats client");
    vec![tasks.clone(), tasks]
}

fn with(mut groups: Vec<Group>, more: Group) -> Vec<Group> {
    groups.push(more);
    groups
}

#[tokio::test]
async fn kept_by_a_static() {
    let nats = ExternalNats::start().await.unwrap();
    let guard = guard();
    let line = line!() + 1;
    let client = nats.client().await.unwrap();
    KEPT.lock().unwrap().push(client);
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &clients(1, line));
}

#[tokio::test]
async fn connected_by_the_library_alone() {
    let nats = ExternalNats::start().await.unwrap();
    let guard = guard();
    let line = line!() + 1;
    let client = async_nats::connect(nats.url()).await.unwrap();
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &clients(1, line));
    drop(client);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kept_on_many_threads() {
    let nats = ExternalNats::start().await.unwrap();
    let guard = guard();
    let line = line!() + 1;
    let client = async_nats::connect(nats.url()).await.unwrap();
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &clients(1, line));
    drop(client);
}

#[tokio::test]
async fn kept_by_a_task() {
    let nats = ExternalNats::start().await.unwrap();
    let guard = guard();
    let line = line!() + 1;
    let client = nats.client().await.unwrap();
    tokio::spawn(async move {
        pending::<()>().await;
        drop(client);
    });
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &with(clients(1, line), Group::tasks(1, line + 1)));
}

#[tokio::test]
async fn kept_by_a_task_that_connected_it() {
    let nats = ExternalNats::start().await.unwrap();
    let guard = guard();
    let url = nats.url().to_owned();
    let (ready, is_ready) = tokio::sync::oneshot::channel();
    let line = line!() + 1;
    tokio::spawn(async move {
        let client = async_nats::connect(url).await.unwrap();
        ready.send(()).unwrap();
        pending::<()>().await;
        drop(client);
    });
    is_ready.await.unwrap();
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &with(clients(1, line + 1), Group::tasks(1, line)));
}

/// The client was there before: what it has is not this guard's, what keeps it is.
#[tokio::test]
async fn an_earlier_one_kept_by_a_task() {
    let nats = ExternalNats::start().await.unwrap();
    let client = nats.client().await.unwrap();
    let guard = guard();
    let line = line!() + 1;
    tokio::spawn(async move {
        pending::<()>().await;
        drop(client);
    });
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(1, line)]);
}

#[tokio::test]
async fn three_of_one_line() {
    let nats = ExternalNats::start().await.unwrap();
    let guard = guard();
    let mut kept = Vec::new();
    let line = line!() + 2;
    for _ in 0..3 {
        kept.push(nats.client().await.unwrap());
    }
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &clients(3, line));
}

/// One line of the library, two of the test.
#[tokio::test]
async fn two_of_two_lines() {
    let nats = ExternalNats::start().await.unwrap();
    let guard = guard();
    let line = line!() + 1;
    let first = nats.client().await.unwrap();
    let second = nats.client().await.unwrap();
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[clients(1, line), clients(1, line + 1)].concat());
    drop((first, second));
}

#[tokio::test]
async fn kept_by_a_subscriber() {
    let nats = ExternalNats::start().await.unwrap();
    let guard = guard();
    let line = line!() + 1;
    let client = nats.client().await.unwrap();
    let subscriber = client.subscribe("a").await.unwrap();
    drop(client);
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &clients(1, line));
    drop(subscriber);
}

#[tokio::test]
async fn kept_by_a_loop_over_messages() {
    use futures_util::StreamExt;

    let nats = ExternalNats::start().await.unwrap();
    let guard = guard();
    let line = line!() + 1;
    let client = nats.client().await.unwrap();
    let mut subscriber = client.subscribe("a").await.unwrap();
    drop(client);
    tokio::spawn(async move { while subscriber.next().await.is_some() {} });
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &with(clients(1, line), Group::tasks(1, line + 3)));
}

#[tokio::test]
async fn kept_by_a_service() {
    let nats = ExternalNats::start().await.unwrap();
    let guard = guard();
    let line = line!() + 1;
    let client = nats.client().await.unwrap();
    let builder = client.service_builder();
    let service = builder.start("shop", "1.0.0").await.unwrap();
    let endpoint = service.endpoint("orders").await.unwrap();
    drop((client, service));
    let report = guard.check().await.unwrap_err();
    let own = Group::tasks(1, line + 2).inside("/src/service/mod.rs", None).says("a service still runs");
    assert_found(&report, &with(clients(1, line), own));
    drop(endpoint);
}

/// It has no way to end: it tries to connect again, for ever.
#[tokio::test]
async fn dropped_while_it_reconnects() {
    let nats = ExternalNats::start().await.unwrap();
    let guard = guard();
    let line = line!() + 1;
    let client = nats.client().await.unwrap();
    nats.kill().unwrap();
    eventually("the client has noticed", LONG, async || match client.connection_state() {
        async_nats::connection::State::Connected => Err("connected"),
        _ => Ok(()),
    })
    .await
    .unwrap();
    drop(client);
    let report = guard.check().await.unwrap_err();
    assert_found(
        &report,
        &clients(1, line).into_iter().map(|group| group.says("reconnect")).collect::<Vec<_>>(),
    );
    assert!(report.to_string().contains("max_reconnects"), "{report}");
}

/// What it connects to never speaks.
#[tokio::test]
async fn dropped_before_it_has_connected() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let guard = guard();
    let options = async_nats::ConnectOptions::new().retry_on_initial_connect();
    let address = silent.local_addr().unwrap().to_string();
    let line = line!() + 1;
    let client = options.connect(address).await.unwrap();
    drop(client);
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &clients(1, line));
}

/// An allowance for the library hides its tasks, and nothing else.
#[tokio::test]
async fn a_task_beside_an_ignored_client() {
    let nats = ExternalNats::start().await.unwrap();
    let guard = at_rest().ignore_spawned_in("async_nats::").start();
    let client = nats.client().await.unwrap();
    let line = line!() + 1;
    tokio::spawn(pending::<()>());
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(1, line)]);
    drop(client);
}
