//! What is left on the server. Its client is from before the guard, so that only what it made is new.

use async_nats::Client;
use async_nats::jetstream::{self, Context, consumer};
use futures_util::StreamExt;
use isolated_nats::{ExternalNats, LeakGuard, LeakGuardBuilder, LeakKind};

use super::client::clients;
use crate::support::{Group, assert_found, at_rest};

/// A server, a client, and a context over it.
async fn server() -> (ExternalNats, Client, Context) {
    let nats = ExternalNats::builder().jetstream().start().await.unwrap();
    let client = nats.client().await.unwrap();
    let context = jetstream::new(client.clone());
    (nats, client, context)
}

fn watch(nats: &ExternalNats) -> LeakGuardBuilder {
    at_rest().server(nats)
}

/// Waits until the server has heard all that the client has sent; `flush` waits until it has been sent.
async fn heard(context: &Context) {
    context.query_account().await.unwrap();
}

fn config(name: &str, subject: &str) -> jetstream::stream::Config {
    jetstream::stream::Config { name: name.into(), subjects: vec![subject.into()], ..Default::default() }
}

fn durable(name: &str) -> consumer::pull::Config {
    consumer::pull::Config { durable_name: Some(name.into()), ..Default::default() }
}

#[tokio::test]
async fn a_stream() {
    let (nats, _client, context) = server().await;
    let guard = watch(&nats).start();
    context.create_stream(config("ORDERS", "orders.>")).await.unwrap();
    for _ in 0..3 {
        context.publish("orders.new", "1".into()).await.unwrap().await.unwrap();
    }
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::new(LeakKind::Stream, 1).named("ORDERS").named("3 messages")]);
}

#[tokio::test]
async fn a_stream_beside_an_earlier_one() {
    let (nats, _client, context) = server().await;
    context.create_stream(config("EARLIER", "earlier")).await.unwrap();
    let guard = watch(&nats).start();
    context.create_stream(config("LATER", "later")).await.unwrap();
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::new(LeakKind::Stream, 1).named("LATER")]);
    assert!(!report.to_string().contains("EARLIER"), "{report}");
}

/// What is on a stream goes with it.
#[tokio::test]
async fn a_stream_with_a_consumer() {
    let (nats, _client, context) = server().await;
    let guard = watch(&nats).start();
    let stream = context.create_stream(config("ORDERS", "orders.>")).await.unwrap();
    stream.create_consumer(durable("billing")).await.unwrap();
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::new(LeakKind::Stream, 1).named("ORDERS").named("1 consumer")]);
}

#[tokio::test]
async fn a_durable_consumer() {
    let (nats, _client, context) = server().await;
    let stream = context.create_stream(config("ORDERS", "orders.>")).await.unwrap();
    let guard = watch(&nats).start();
    stream.create_consumer(durable("billing")).await.unwrap();
    let report = guard.check().await.unwrap_err();
    assert_found(
        &report,
        &[Group::new(LeakKind::Consumer, 1).named("billing").named("ORDERS").named("durable")],
    );
}

#[tokio::test]
async fn an_ephemeral_consumer_is_for_the_strict() {
    let (nats, _client, context) = server().await;
    let stream = context.create_stream(config("ORDERS", "orders.>")).await.unwrap();
    let (lenient, strict) = (watch(&nats).start(), watch(&nats).strict().start());
    let consumer = stream.create_consumer(consumer::pull::Config::default()).await.unwrap();
    let name = consumer.cached_info().name.clone();
    drop(consumer);
    let report = lenient.report().await;
    assert!(report.leaks().is_empty(), "{report}");
    assert!(report.notes().iter().any(|note| note.contains(&name)), "{report}");
    let report = strict.check().await.unwrap_err();
    assert_found(&report, &[Group::new(LeakKind::Consumer, 1).named(name)]);
}

#[tokio::test]
async fn a_key_value_bucket() {
    let (nats, _client, context) = server().await;
    let guard = watch(&nats).start();
    let config = jetstream::kv::Config { bucket: "SETTINGS".into(), ..Default::default() };
    let store = context.create_key_value(config).await.unwrap();
    store.put("a", "1".into()).await.unwrap();
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::new(LeakKind::Bucket, 1).named("SETTINGS")]);
    assert!(!report.leaks()[0].what.contains("KV_"), "{report}");
}

#[tokio::test]
async fn an_object_store() {
    let (nats, _client, context) = server().await;
    let guard = watch(&nats).start();
    let config = jetstream::object_store::Config { bucket: "FILES".into(), ..Default::default() };
    context.create_object_store(config).await.unwrap();
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::new(LeakKind::Bucket, 1).named("FILES")]);
    assert!(!report.leaks()[0].what.contains("OBJ_"), "{report}");
}

/// With its tasks, for a connection has two.
#[tokio::test]
async fn a_connection() {
    let (nats, _client, _context) = server().await;
    let guard = watch(&nats).start();
    let options = async_nats::ConnectOptions::new().name("worker seven");
    let line = line!() + 1;
    let client = options.connect(nats.url()).await.unwrap();
    let mut subscriber = client.subscribe("orders.*").await.unwrap();
    client.publish("orders.new", "1".into()).await.unwrap();
    subscriber.next().await.unwrap(); // the server knows of it
    let report = guard.check().await.unwrap_err();
    let mut groups = clients(1, line);
    groups.push(Group::new(LeakKind::Connection, 1).named("worker seven").says("orders.*"));
    assert_found(&report, &groups);
    drop(subscriber);
}

/// Of another runtime: this one's tasks say nothing of it.
#[tokio::test]
async fn a_connection_of_another_runtime() {
    let (nats, _client, _context) = server().await;
    let guard = watch(&nats).start();
    let other = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let url = nats.url().to_owned();
    let connect = other.spawn(async_nats::ConnectOptions::new().name("elsewhere").connect(url));
    let client = connect.await.unwrap().unwrap();
    let report = guard.check().await.unwrap_err();
    drop(client);
    other.shutdown_background();
    assert_found(&report, &[Group::new(LeakKind::Connection, 1).named("elsewhere")]);
}

/// async-nats may have sent it since, and made it before: what cannot be told apart is not blamed.
#[tokio::test]
async fn a_subscription_is_for_the_strict() {
    let (nats, client, context) = server().await;
    let guard = watch(&nats).start();
    let _subscriber = client.subscribe("later.>").await.unwrap();
    heard(&context).await;
    let report = guard.report().await;
    assert!(report.leaks().is_empty(), "{report}");
    assert!(report.notes().iter().any(|note| note.contains("later.>")), "{report}");
}

#[tokio::test]
async fn a_subscription() {
    let (nats, client, context) = server().await;
    let _earlier = client.subscribe("earlier").await.unwrap();
    heard(&context).await;
    let guard = watch(&nats).strict().start();
    let _later = client.subscribe("later.>").await.unwrap();
    heard(&context).await;
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::new(LeakKind::Subscription, 1).named("later.>")]);
    assert!(!report.to_string().contains("earlier`"), "{report}");
}

#[tokio::test]
async fn a_subscription_of_a_queue() {
    let (nats, client, context) = server().await;
    let guard = watch(&nats).strict().start();
    let _subscriber = client.queue_subscribe("jobs", "workers".into()).await.unwrap();
    heard(&context).await;
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::new(LeakKind::Subscription, 1).named("jobs").says("workers")]);
}

#[tokio::test]
async fn a_subscription_beside_one_allowed() {
    let (nats, client, context) = server().await;
    let guard = watch(&nats).ignore_subjects("metrics.>").strict().start();
    let _subscribers =
        [client.subscribe("metrics.cpu").await.unwrap(), client.subscribe("jobs").await.unwrap()];
    heard(&context).await;
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::new(LeakKind::Subscription, 1).named("jobs")]);
    assert!(report.stale_ignores().is_empty(), "{report}");
}

#[tokio::test]
async fn a_stream_beside_one_allowed() {
    let (nats, _client, context) = server().await;
    let guard = watch(&nats).ignore_names("KEEP*").start();
    context.create_stream(config("KEEP_ME", "a")).await.unwrap();
    context.create_stream(config("DROP_ME", "b")).await.unwrap();
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::new(LeakKind::Stream, 1).named("DROP_ME")]);
}

#[tokio::test]
async fn several_things_at_once() {
    let (nats, client, context) = server().await;
    let guard = watch(&nats).strict().start();
    let stream = context.create_stream(config("ORDERS", "orders.>")).await.unwrap();
    let config = jetstream::kv::Config { bucket: "SETTINGS".into(), ..Default::default() };
    context.create_key_value(config).await.unwrap();
    let _subscriber = client.subscribe("jobs").await.unwrap();
    heard(&context).await;
    drop(stream);
    let report = guard.check().await.unwrap_err();
    let groups = [
        Group::new(LeakKind::Stream, 1).named("ORDERS"),
        Group::new(LeakKind::Bucket, 1).named("SETTINGS"),
        Group::new(LeakKind::Subscription, 1).named("jobs"),
    ];
    assert_found(&report, &groups);
}

/// Nothing of it is still there by the client's side: everything was dropped, the server alone knows.
#[tokio::test]
async fn a_stream_left_by_a_body() {
    let nats = ExternalNats::builder().jetstream().start().await.unwrap();
    let guard = LeakGuard::builder().server(&nats).start();
    let context = nats.jetstream().await.unwrap();
    context.create_stream(config("ORDERS", "orders.>")).await.unwrap();
    drop(context);
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::new(LeakKind::Stream, 1).named("ORDERS")]);
}

/// The server cannot be asked, and that it has ended is the reason.
#[tokio::test]
async fn a_client_of_a_server_that_is_no_more() {
    let nats = ExternalNats::start().await.unwrap();
    let guard = watch(&nats).start();
    let line = line!() + 1;
    let client = nats.client().await.unwrap();
    nats.stop().await.unwrap();
    let report = guard.check().await.unwrap_err();
    let reconnecting = |group: Group| group.says("while reconnecting").says("max_reconnects");
    assert_found(&report, &clients(1, line).into_iter().map(reconnecting).collect::<Vec<_>>());
    assert!(report.not_checked().any(|what| what.starts_with("server: ")), "{report}");
    drop(client);
}
