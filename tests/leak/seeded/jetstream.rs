//! What of JetStream keeps a client, and has tasks of its own.

use std::future::pending;

use async_nats::jetstream::{self, Context, consumer};
use isolated_nats::{ExternalNats, LeakGuard};

use super::client::clients;
use crate::support::{Group, assert_found, guard};

/// How a report shows where a context's task is spawned, and that of a stream of messages.
const CONTEXT: &str = "/src/jetstream/context.rs";
const PULL: &str = "/src/jetstream/consumer/pull.rs";

/// A client's two tasks and its context's one, each of its own line of the calling file.
#[track_caller]
fn with_context(client: u32, context: u32) -> Vec<Group> {
    let mut groups = clients(1, client);
    groups.push(Group::tasks(1, context).inside(CONTEXT, None).says("a JetStream context"));
    groups
}

async fn server() -> ExternalNats {
    ExternalNats::builder().jetstream().start().await.unwrap()
}

async fn stream(context: &Context) -> jetstream::stream::Stream {
    let config =
        jetstream::stream::Config { name: "A".into(), subjects: vec!["a".into()], ..Default::default() };
    context.create_stream(config).await.unwrap()
}

#[tokio::test]
async fn a_context_kept() {
    let nats = server().await;
    let guard = guard();
    let line = line!() + 1;
    let context = nats.jetstream().await.unwrap();
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &with_context(line, line));
    drop(context);
}

#[tokio::test]
async fn a_context_kept_by_a_task() {
    let nats = server().await;
    let guard = guard();
    let line = line!() + 1;
    let client = nats.client().await.unwrap();
    let context = jetstream::new(client);
    let clone = context.clone();
    tokio::spawn(async move {
        pending::<()>().await;
        drop(clone);
    });
    drop(context);
    let report = guard.check().await.unwrap_err();
    let mut groups = with_context(line, line + 1);
    groups.push(Group::tasks(1, line + 3));
    assert_found(&report, &groups);
}

#[tokio::test]
async fn two_contexts_of_one_client() {
    let nats = server().await;
    let client = nats.client().await.unwrap();
    let guard = guard();
    let line = line!() + 1;
    let contexts = [jetstream::new(client.clone()), jetstream::new(client)];
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(2, line).inside(CONTEXT, None).says("a JetStream context")]);
    drop(contexts);
}

#[tokio::test]
async fn a_stream_of_pulled_messages_kept() {
    let nats = server().await;
    let context = nats.jetstream().await.unwrap();
    let stream = stream(&context).await;
    let config = consumer::pull::Config { durable_name: Some("D".into()), ..Default::default() };
    let consumer = stream.create_consumer(config).await.unwrap();
    let guard = guard();
    let line = line!() + 1;
    let messages = consumer.messages().await.unwrap();
    let report = guard.check().await.unwrap_err();
    assert_found(
        &report,
        &[Group::tasks(1, line).inside(PULL, None).says("a stream of a consumer's messages")],
    );
    drop(messages);
}

#[tokio::test]
async fn a_stream_of_ordered_messages_kept() {
    let nats = server().await;
    let context = nats.jetstream().await.unwrap();
    let stream = stream(&context).await;
    let consumer = stream.create_consumer(consumer::pull::OrderedConfig::default()).await.unwrap();
    let guard = guard();
    let line = line!() + 1;
    let messages = consumer.messages().await.unwrap();
    let report = guard.check().await.unwrap_err();
    assert_found(
        &report,
        &[Group::tasks(1, line).inside(PULL, None).says("a stream of a consumer's messages")],
    );
    drop(messages);
}

/// The watch has no task of its own; it keeps those of its client and context.
#[tokio::test]
async fn a_watch_kept() {
    let nats = server().await;
    let guard = guard();
    let line = line!() + 1;
    let context = nats.jetstream().await.unwrap();
    let config = jetstream::kv::Config { bucket: "B".into(), ..Default::default() };
    let store = context.create_key_value(config).await.unwrap();
    let watch = store.watch("*").await.unwrap();
    drop((context, store));
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &with_context(line, line));
    drop(watch);
}

/// It keeps the context's task, and not the client.
#[tokio::test]
async fn an_acknowledgement_kept() {
    let nats = server().await;
    let guard = LeakGuard::new();
    let line = line!() + 1;
    let context = nats.jetstream().await.unwrap();
    stream(&context).await;
    let acknowledgement = context.publish("a", "1".into()).await.unwrap();
    drop(context);
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &[Group::tasks(1, line).inside(CONTEXT, None).says("a JetStream context")]);
    drop(acknowledgement);
}

#[tokio::test]
async fn a_message_kept() {
    use futures_util::StreamExt;

    let nats = server().await;
    let guard = guard();
    let line = line!() + 1;
    let context = nats.jetstream().await.unwrap();
    let stream = stream(&context).await;
    context.publish("a", "1".into()).await.unwrap().await.unwrap();
    let config = consumer::pull::Config { durable_name: Some("D".into()), ..Default::default() };
    let consumer = stream.create_consumer(config).await.unwrap();
    let mut batch = consumer.fetch().max_messages(1).messages().await.unwrap();
    let message = batch.next().await.unwrap().unwrap();
    drop((context, stream, consumer, batch));
    let report = guard.check().await.unwrap_err();
    assert_found(&report, &with_context(line, line));
    drop(message);
}
