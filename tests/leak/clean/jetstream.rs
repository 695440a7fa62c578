//! JetStream: streams, acknowledgements, consumers of each kind.

use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, PullConsumer, pull, push};
use async_nats::jetstream::{AckKind, Context, stream};
use futures_util::{StreamExt, TryStreamExt};
use isolated_nats::{ExternalNats, LeakGuard, isolated_nats, leak_checked};

use super::support::{fill, in_memory, no_alarm, watch, with_jetstream};

#[tokio::test]
async fn a_stream_created_and_deleted() {
    let nats = with_jetstream().await;
    let guard = watch(&nats);
    let jetstream = nats.jetstream().await.unwrap();
    jetstream.create_stream(in_memory("orders")).await.unwrap();
    fill(&jetstream, "orders", 3).await;
    jetstream.delete_stream("orders").await.unwrap();
    drop(jetstream);
    no_alarm(guard).await;
}

/// The attribute's own check is about tasks: a stream goes with the test's server.
#[isolated_nats(jetstream)]
async fn publish_and_await_the_ack(jetstream: Context) {
    let mut stream = jetstream.create_stream(in_memory("orders")).await.unwrap();
    fill(&jetstream, "orders", 3).await;
    assert_eq!(stream.info().await.unwrap().state.messages, 3);
}

#[isolated_nats(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_acks_awaited_together(jetstream: Context) {
    jetstream.create_stream(in_memory("orders")).await.unwrap();
    let mut acks = Vec::new();
    for _ in 0..100 {
        acks.push(jetstream.publish("orders.new", "a book".into()).await.unwrap());
    }
    for ack in acks {
        ack.await.unwrap();
    }
}

#[tokio::test]
async fn acks_that_nobody_awaits() {
    let nats = with_jetstream().await;
    nats.jetstream().await.unwrap().create_stream(in_memory("orders")).await.unwrap();
    let guard = watch(&nats);
    let jetstream = nats.jetstream().await.unwrap();
    for _ in 0..100 {
        drop(jetstream.publish("orders.new", "a book".into()).await.unwrap());
    }
    drop(jetstream);
    no_alarm(guard).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ack_that_does_not_come() {
    let nats = with_jetstream().await;
    LeakGuard::builder()
        .server(&nats)
        .run(async {
            let jetstream = nats.jetstream().await.unwrap();
            let ack = jetstream.publish("of.no.stream", "a book".into()).await.unwrap();
            assert!(ack.await.is_err());
            let _never_awaited = jetstream.publish("of.no.stream", "a book".into()).await.unwrap();
        })
        .await;
}

/// A stream with five messages, made before the guard, whose context is dropped.
async fn with_orders() -> ExternalNats {
    let nats = with_jetstream().await;
    let jetstream = nats.jetstream().await.unwrap();
    jetstream.create_stream(in_memory("orders")).await.unwrap();
    fill(&jetstream, "orders", 5).await;
    nats
}

async fn orders(nats: &ExternalNats) -> stream::Stream {
    nats.jetstream().await.unwrap().get_stream("orders").await.unwrap()
}

fn durable() -> pull::Config {
    pull::Config { durable_name: Some("reader".into()), ..Default::default() }
}

#[tokio::test]
async fn a_durable_pull_consumer_fetched_and_deleted() {
    let nats = with_orders().await;
    let guard = watch(&nats);
    let stream = orders(&nats).await;
    let consumer = stream.create_consumer(durable()).await.unwrap();
    let mut messages = consumer.fetch().max_messages(5).messages().await.unwrap();
    while let Some(message) = messages.next().await {
        message.unwrap().ack().await.unwrap();
    }
    stream.delete_consumer("reader").await.unwrap();
    drop((messages, consumer, stream));
    no_alarm(guard).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_waited_for_and_one_left() {
    let nats = with_orders().await;
    let guard = watch(&nats);
    {
        let stream = orders(&nats).await;
        let consumer = stream.create_consumer(durable()).await.unwrap();
        let batch = consumer.batch().max_messages(3).expires(Duration::from_millis(500)).messages();
        assert_eq!(batch.await.unwrap().try_collect::<Vec<_>>().await.unwrap().len(), 3);
        let mut left = consumer.batch().max_messages(1000).messages().await.unwrap();
        left.next().await.unwrap().unwrap().double_ack().await.unwrap();
        drop(left);
        stream.delete_consumer("reader").await.unwrap();
    }
    no_alarm(guard).await;
}

#[tokio::test]
async fn a_stream_of_messages_dropped_midway() {
    let nats = with_orders().await;
    let guard = watch(&nats);
    {
        let stream = orders(&nats).await;
        let consumer = stream.create_consumer(durable()).await.unwrap();
        let mut messages = consumer.messages().await.unwrap();
        for _ in 0..2 {
            messages.next().await.unwrap().unwrap().ack().await.unwrap();
        }
        stream.delete_consumer("reader").await.unwrap();
    }
    no_alarm(guard).await;
}

#[isolated_nats(jetstream, flavor = "multi_thread", worker_threads = 2)]
async fn a_sequence_of_batches(jetstream: Context) {
    let stream = jetstream.create_stream(in_memory("orders")).await.unwrap();
    fill(&jetstream, "orders", 4).await;
    let consumer = stream.create_consumer(durable()).await.unwrap();
    let mut batches = consumer.sequence(2).unwrap();
    for _ in 0..2 {
        let mut batch = batches.try_next().await.unwrap().unwrap();
        while let Some(message) = batch.next().await {
            message.unwrap().ack().await.unwrap();
        }
    }
}

/// The server removes it by itself, minutes or seconds later: worth a note, and no alarm.
#[tokio::test]
async fn an_ephemeral_consumer_left_to_the_server() {
    let nats = with_orders().await;
    let guard = watch(&nats);
    {
        let consumer = orders(&nats).await.create_consumer(pull::Config::default()).await.unwrap();
        let mut messages = consumer.fetch().max_messages(2).messages().await.unwrap();
        assert!(messages.next().await.is_some());
    }
    no_alarm(guard).await;
}

#[tokio::test]
async fn an_ordered_pull_consumer() {
    let nats = with_orders().await;
    let guard = watch(&nats);
    {
        let consumer = orders(&nats).await.create_consumer(pull::OrderedConfig::default()).await.unwrap();
        let messages = consumer.messages().await.unwrap();
        assert_eq!(messages.take(5).try_collect::<Vec<_>>().await.unwrap().len(), 5);
    }
    no_alarm(guard).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ordered_push_consumer() {
    let nats = with_orders().await;
    let guard = watch(&nats);
    {
        let stream = orders(&nats).await;
        let config = push::OrderedConfig { deliver_subject: "deliver".into(), ..Default::default() };
        let messages = stream.create_consumer(config).await.unwrap().messages().await.unwrap();
        assert_eq!(messages.take(5).try_collect::<Vec<_>>().await.unwrap().len(), 5);
    }
    no_alarm(guard).await;
}

#[tokio::test]
async fn a_push_consumer_with_flow_control() {
    let nats = with_orders().await;
    let guard = watch(&nats);
    {
        let stream = orders(&nats).await;
        let config = push::Config {
            durable_name: Some("pushed".into()),
            deliver_subject: "deliver".into(),
            flow_control: true,
            idle_heartbeat: Duration::from_millis(100),
            ..Default::default()
        };
        let consumer = stream.create_consumer(config).await.unwrap();
        let mut messages = consumer.messages().await.unwrap();
        for _ in 0..5 {
            messages.next().await.unwrap().unwrap().ack().await.unwrap();
        }
        stream.delete_consumer("pushed").await.unwrap();
    }
    no_alarm(guard).await;
}

#[tokio::test]
async fn each_kind_of_ack() {
    let nats = with_orders().await;
    let guard = watch(&nats);
    let stream = orders(&nats).await;
    let consumer = stream.create_consumer(durable()).await.unwrap();
    let mut messages = consumer.fetch().max_messages(5).messages().await.unwrap();
    let kinds = [AckKind::Ack, AckKind::Nak(None), AckKind::Progress, AckKind::Term, AckKind::Next];
    for kind in kinds {
        messages.next().await.unwrap().unwrap().ack_with(kind).await.unwrap();
    }
    stream.delete_consumer("reader").await.unwrap();
    drop(messages);
    drop((consumer, stream));
    no_alarm(guard).await;
}

#[tokio::test]
async fn purge_direct_get_and_delete_of_a_message() {
    let nats = with_orders().await;
    let guard = watch(&nats);
    {
        let mut stream = orders(&nats).await;
        assert_eq!(stream.direct_get(2).await.unwrap().sequence, 2);
        assert_eq!(stream.direct_get_last_for_subject("orders.new").await.unwrap().sequence, 5);
        assert_eq!(stream.get_raw_message(1).await.unwrap().sequence, 1);
        stream.delete_message(1).await.unwrap();
        assert_eq!(stream.purge().filter("orders.new").keep(1).await.unwrap().purged, 3);
        assert_eq!(stream.info().await.unwrap().state.messages, 1);
    }
    no_alarm(guard).await;
}

#[tokio::test]
async fn a_mirror_and_a_source_deleted_again() {
    let nats = with_orders().await;
    let guard = watch(&nats);
    {
        let jetstream = nats.jetstream().await.unwrap();
        let origin = stream::Source { name: "orders".into(), ..Default::default() };
        let mirror =
            stream::Config { name: "mirror".into(), mirror: Some(origin.clone()), ..Default::default() };
        let sourced =
            stream::Config { name: "sourced".into(), sources: Some(vec![origin]), ..Default::default() };
        for config in [mirror, sourced] {
            let name = config.name.clone();
            jetstream.create_stream(config).await.unwrap();
            jetstream.delete_stream(name).await.unwrap();
        }
    }
    no_alarm(guard).await;
}

#[tokio::test]
async fn lists_of_streams_and_consumers() {
    let nats = with_orders().await;
    let guard = watch(&nats);
    leak_checked(async {
        let jetstream = nats.jetstream().await.unwrap();
        let names = jetstream.stream_names().try_collect::<Vec<_>>().await.unwrap();
        assert_eq!(names, ["orders"]);
        assert_eq!(jetstream.streams().count().await, 1);
        let stream = jetstream.get_stream("orders").await.unwrap();
        stream.create_consumer(durable()).await.unwrap();
        assert_eq!(stream.consumer_names().count().await, 1);
        assert!(stream.consumers().next().await.is_some()); // dropped with its request under way
        stream.delete_consumer("reader").await.unwrap();
        jetstream.query_account().await.unwrap();
    })
    .await;
    no_alarm(guard).await;
}

/// Streams and consumers that were there before are nobody's leak, also when they are changed or made anew.
#[tokio::test]
async fn what_was_on_the_server_before() {
    let nats = with_orders().await;
    let stream = orders(&nats).await;
    let consumer = stream.create_consumer(durable()).await.unwrap();
    let guard = watch(&nats);
    let jetstream = nats.jetstream().await.unwrap();
    fill(&jetstream, "orders", 5).await;
    let mut fetched = consumer.fetch().max_messages(3).messages().await.unwrap();
    assert!(fetched.next().await.is_some());
    jetstream.update_stream(stream::Config { max_messages: 7, ..in_memory("orders") }).await.unwrap();
    jetstream.delete_stream("orders").await.unwrap();
    jetstream.create_stream(in_memory("orders")).await.unwrap();
    jetstream.create_consumer_on_stream(durable(), "orders").await.unwrap();
    drop((fetched, jetstream));
    no_alarm(guard).await;
}

#[tokio::test]
async fn workers_on_one_queue() {
    let nats = with_orders().await;
    let guard = watch(&nats);
    {
        let stream = orders(&nats).await;
        let config = pull::Config { ack_policy: AckPolicy::Explicit, ..durable() };
        stream.create_consumer(config).await.unwrap();
        let work = |_| {
            let stream = stream.clone();
            tokio::spawn(async move {
                let consumer: PullConsumer = stream.get_consumer("reader").await.unwrap();
                let mut messages = consumer.batch().max_messages(1).messages().await.unwrap();
                messages.next().await.unwrap().unwrap().double_ack().await.unwrap();
            })
        };
        for worker in (0..5).map(work).collect::<Vec<_>>() {
            worker.await.unwrap();
        }
        stream.delete_consumer("reader").await.unwrap();
    }
    no_alarm(guard).await;
}

/// A guard as an argument looks at the test's server too; the argument before it stays to the end.
#[isolated_nats]
async fn a_guard_among_the_arguments(jetstream: Context, guard: LeakGuard) {
    let stream = jetstream.create_stream(in_memory("orders")).await.unwrap();
    fill(&jetstream, "orders", 3).await;
    let mut messages = stream.create_consumer(durable()).await.unwrap().messages().await.unwrap();
    assert!(messages.next().await.is_some());
    drop(messages);
    jetstream.delete_stream("orders").await.unwrap();
    guard.verify().await;
}

#[isolated_nats(jetstream, flavor = "multi_thread", worker_threads = 2)]
async fn a_guard_among_the_arguments_on_threads(guard: LeakGuard, nats: ExternalNats) {
    let jetstream = nats.jetstream().await.unwrap();
    jetstream.create_stream(in_memory("orders")).await.unwrap();
    fill(&jetstream, "orders", 1).await;
    jetstream.delete_stream("orders").await.unwrap();
    drop(jetstream);
    guard.verify().await;
}
