//! Publish with an ack, and pull.

use isolated_nats::load::Verifier;
use isolated_nats::operations::{self, Popularity};

use super::{OPERATIONS, jetstream, load, moved, run};

#[tokio::test]
async fn what_was_acknowledged_is_in_the_stream() {
    let (nats, jetstream) = jetstream().await;
    let own = operations::connections(&nats);
    operations::seeder(jetstream.clone()).stream("S").run().await.unwrap();
    let mut stream = jetstream.get_stream("S").await.unwrap();
    let variants = [
        operations::jetstream_publish(jetstream.clone(), "S.a"),
        operations::jetstream_publish(jetstream.clone(), "S.a").connection_per_worker(own),
        operations::jetstream_publish(jetstream.clone(), "S.a").subjects(Popularity::uniform(7)).batch(50),
    ];
    for (publish, messages) in variants.into_iter().zip([1, 1, 50]) {
        let before = stream.info().await.unwrap().state.messages;
        let report = run(load(publish)).await;
        let after = stream.info().await.unwrap().state.messages;
        assert_eq!(moved(&report), (OPERATIONS * messages, OPERATIONS * messages * 100));
        assert_eq!(after - before, report.counts().items);
    }
    let jsz = nats.monitor().jsz().await.unwrap();
    assert_eq!(jsz.messages, OPERATIONS * 52);
    assert!(jsz.bytes > OPERATIONS * 52 * 100);
}

#[tokio::test]
async fn a_subject_that_no_stream_has_is_an_error_of_one_kind() {
    let (_nats, jetstream) = jetstream().await;
    let report = load(operations::jetstream_publish(jetstream, "nowhere")).run().await.unwrap();
    assert_eq!((report.errors(), moved(&report)), (OPERATIONS, (0, 0)));
    assert_eq!(report.errors_by_kind().len(), 1, "{:?}", report.errors_by_kind());
}

#[tokio::test]
async fn all_that_is_in_the_stream_is_pulled_once() {
    let (_nats, jetstream) = jetstream().await;
    for (name, double) in [("plain", false), ("double", true)] {
        let seeder = operations::seeder(jetstream.clone()).stream(name).consumers(1);
        let seeded = seeder.messages(OPERATIONS * 5, 1..=200).run().await.unwrap();
        let mut consumer: async_nats::jetstream::consumer::PullConsumer =
            jetstream.get_consumer_from_stream("consumer-0", name).await.unwrap();
        let pull = operations::pull_consume(consumer.clone(), 5);
        let report = run(load(if double { pull.double_ack() } else { pull })).await;
        assert_eq!(moved(&report), (OPERATIONS * 5, seeded.message_bytes));
        let info = consumer.info().await.unwrap();
        assert_eq!((info.num_pending, info.delivered.consumer_sequence), (0, OPERATIONS * 5));
        if double {
            assert_eq!((info.num_ack_pending, info.ack_floor.stream_sequence), (0, OPERATIONS * 5));
        }
    }
}

#[tokio::test]
async fn nothing_to_pull_is_an_error_and_not_a_time() {
    let (_nats, jetstream) = jetstream().await;
    operations::seeder(jetstream.clone()).stream("S").consumers(1).run().await.unwrap();
    let consumer = jetstream.get_consumer_from_stream("consumer-0", "S").await.unwrap();
    let pull = operations::pull_consume(consumer, 5).expires(std::time::Duration::from_millis(5));
    let report = load(pull).run().await.unwrap();
    assert_eq!((report.errors(), moved(&report)), (OPERATIONS, (0, 0)));
    assert_eq!(report.errors_by_kind()[0].example, "no message within 5ms");
}

#[tokio::test]
async fn a_pulling_service_gets_all_that_is_acknowledged() {
    let (nats, jetstream) = jetstream().await;
    operations::seeder(jetstream.clone()).stream("S").consumers(1).run().await.unwrap();
    let consumer = jetstream.get_consumer_from_stream("consumer-0", "S").await.unwrap();
    let verifier = Verifier::acknowledged();
    let service = operations::pull_consumer(consumer).batch(20).receiver(verifier.receiver("pull"));
    let publish = operations::jetstream_publish(jetstream, "S.a")
        .verified(&verifier)
        .connection_per_worker(operations::connections(&nats));
    let builder = load(publish).verifier(&verifier).service("pull", 2, service.into_service());
    let report = run(builder).await;
    let verification = report.verification().unwrap();
    assert_eq!((verification.confirmed(), verification.received()), (OPERATIONS, OPERATIONS));
    assert_eq!((verification.lost(), verification.duplicates()), (0, 0));
    assert_eq!(report.services()[0].delivery.count(), OPERATIONS);
}
