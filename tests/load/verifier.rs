//! What the verifier finds when messages are really lost.

use std::sync::Arc;

use futures_util::StreamExt;
use isolated_nats::load::Verifier;
use isolated_nats::{ExternalNats, LoadGenerator, Rate, Schedule, eventually};

use crate::support::{
    CorePublish, Counts, JetStreamPublish, LONG, consume, ms, pull, round_trip, with_stream,
};

#[tokio::test]
async fn what_is_sent_while_nobody_listens_is_lost_to_the_message() {
    let nats = ExternalNats::start().await.unwrap();
    let (client, subscriber) = (nats.client().await.unwrap(), nats.client().await.unwrap());
    let verifier = Verifier::new();
    let receiver = verifier.receiver("subscriber");
    let mut publisher = verifier.publisher("a");
    let mut publish = async |messages: usize| {
        for _ in 0..messages {
            let (message, mut receipt) = publisher.stamp(b"payload");
            client.publish("a", message).await.unwrap();
            receipt.sent();
        }
        round_trip(&client).await;
    };
    for (listened_to, lost) in [(50, 30), (20, 1)] {
        let mut messages = subscriber.subscribe("a").await.unwrap();
        round_trip(&subscriber).await;
        publish(listened_to).await;
        for _ in 0..listened_to {
            let message = messages.next().await.unwrap().payload;
            receiver.received(&message);
            assert_eq!(receiver.payload(&message), "payload");
        }
        messages.unsubscribe().await.unwrap();
        round_trip(&subscriber).await;
        publish(lost).await;
    }
    assert_eq!(verifier.verification().in_flight(), 31);
    assert!(!verifier.settled(ms(1)).await);
    let found = verifier.verification();
    assert_eq!((found.sent(), found.received(), found.lost(), found.in_flight()), (101, 70, 31, 0));
    assert_eq!((found.duplicates(), found.reordered(), found.receivers()[0].foreign), (0, 0, 0));
    assert!(found.nothing_lost().is_err());
}

/// Through the death of a server: each message that was sent is there or lost, by two counts that know nothing of each other.
#[tokio::test]
async fn core_loss_across_a_restart_is_counted_exactly() {
    let nats = ExternalNats::start().await.unwrap();
    let (verifier, counts) = (Verifier::new(), Arc::new(Counts::default()));
    let (client, subscriber) = (nats.client().await.unwrap(), nats.client().await.unwrap());
    let workload = CorePublish { client, verifier: verifier.clone(), counts: Arc::clone(&counts) };
    let (receiver, counted) = (verifier.receiver("subscriber"), Arc::clone(&counts));
    let run = LoadGenerator::builder()
        .schedule(Schedule::steady(Rate::per_second(500.0), LONG))
        .workload("publish", 1, workload)
        .service("subscriber", 1, move |service| {
            consume(service, subscriber.clone(), receiver.clone(), Arc::clone(&counted))
        })
        .verifier(&verifier)
        .stop_timeout(ms(1000))
        .start()
        .await
        .unwrap();
    let received_more_than = async |least: u64| {
        eventually("messages arrive", LONG, async || match counts.received() {
            received if received > least => Ok(()),
            received => Err(format!("{received} received")),
        })
        .await
        .unwrap();
    };
    received_more_than(200).await;
    nats.kill().unwrap();
    let (sent, before) = (counts.sent(), counts.received());
    eventually(
        "more is sent",
        LONG,
        async || if counts.sent() > sent + 50 { Ok(()) } else { Err("not yet") },
    )
    .await
    .unwrap();
    nats.restart().await.unwrap();
    received_more_than(before + 200).await;
    run.handle().stop();
    let report = run.finish().await.unwrap();

    let found = report.verification().unwrap();
    let (sent, received) = (counts.sent(), counts.received());
    assert_eq!((found.sent(), found.received()), (sent, received), "{found}");
    assert_eq!((found.lost(), found.in_flight(), found.duplicates()), (sent - received, 0, 0), "{found}");
    assert_eq!(report.services()[0].received, received);
    assert_eq!(report.counts().succeeded, sent);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jetstream_loses_nothing_across_a_restart() {
    let nats = ExternalNats::builder().jetstream().start().await.unwrap();
    let jetstream = with_stream(&nats).await;
    let verifier = Verifier::acknowledged();
    let workload = JetStreamPublish { jetstream: jetstream.clone(), verifier: verifier.clone() };
    let (receiver, consumer) = (verifier.receiver("consumer"), jetstream.clone());
    let run = LoadGenerator::builder()
        .schedule(Schedule::steady(Rate::per_second(300.0), LONG))
        .operation_timeout(ms(2000)) // for acknowledgements that died with the server
        .workload("publish", 1, workload)
        .service("consumer", 1, move |service| pull(service, consumer.clone(), receiver.clone()))
        .verifier(&verifier)
        .start()
        .await
        .unwrap();
    let succeeded_more_than = async |least: u64| {
        eventually("messages are stored", LONG, async || match run.snapshot().counts.succeeded {
            succeeded if succeeded > least => Ok(()),
            succeeded => Err(format!("{succeeded} acknowledged")),
        })
        .await
        .unwrap();
    };
    for _ in 0..2 {
        succeeded_more_than(run.snapshot().counts.succeeded + 100).await;
        nats.kill().unwrap();
        nats.restart().await.unwrap();
    }
    succeeded_more_than(run.snapshot().counts.succeeded + 100).await;
    run.handle().stop();
    let report = run.finish().await.unwrap();

    let found = report.verification().unwrap();
    found.assert_nothing_lost();
    assert_eq!(found.confirmed(), report.counts().succeeded);
    let stored = jetstream.get_stream("LOAD").await.unwrap().cached_info().state.messages;
    assert!(found.confirmed() <= stored && found.received() <= stored, "{stored} stored\n{found}");
    assert!(found.confirmed() >= 300, "{found}");
}
