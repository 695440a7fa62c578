//! Publish, fan-out, request and reply.

use std::time::Duration;

use isolated_nats::load::Verifier;
use isolated_nats::operations::{self, Popularity};
use isolated_nats::{ExternalNats, Threshold, eventually};

use super::{OPERATIONS, WORKERS, load, moved, run};

#[tokio::test]
async fn what_was_published_is_what_the_server_read() {
    let nats = ExternalNats::start().await.unwrap();
    let client = nats.client().await.unwrap();
    let variants = [
        operations::publish(client.clone(), "a"),
        operations::publish(client.clone(), "a").flushed(),
        operations::publish(client.clone(), "a").connection_per_worker(operations::connections(&nats)),
        operations::publish(client.clone(), "a").subjects(Popularity::zipf(20, 1.0)).batch(5),
    ];
    for (publish, messages) in variants.into_iter().zip([1, 1, 1, 5]) {
        let before = nats.monitor().varz().await.unwrap();
        let report = run(load(publish)).await;
        let after = nats.monitor().varz().await.unwrap();
        assert_eq!(moved(&report), (OPERATIONS * messages, OPERATIONS * messages * 100));
        assert_eq!(after.in_bytes - before.in_bytes, report.counts().bytes);
        // Each worker ends with an empty message on which the server answers.
        assert_eq!(after.in_msgs - before.in_msgs, report.counts().items + WORKERS as u64);
    }
}

#[tokio::test]
async fn a_round_trip_is_an_answer_of_the_server() {
    let nats = ExternalNats::start().await.unwrap();
    let publish = operations::publish(nats.client().await.unwrap(), "a").round_trip();
    let before = nats.monitor().varz().await.unwrap();
    let report = run(load(publish)).await;
    let after = nats.monitor().varz().await.unwrap();
    assert_eq!(moved(&report), (OPERATIONS, OPERATIONS * 100));
    assert_eq!(after.in_msgs - before.in_msgs, 2 * OPERATIONS + WORKERS as u64);
}

#[tokio::test]
async fn a_hot_subject_has_its_share_of_the_load() {
    let nats = ExternalNats::start().await.unwrap();
    let client = nats.client().await.unwrap();
    let publish =
        operations::publish(client.clone(), "a").subjects(Popularity::hot(10, 0.1, 0.9)).round_trip();
    let hot = operations::subscriber(client.clone(), "a.0");
    let cold = operations::subscriber(client, "a.*");
    let report =
        run(load(publish).service("hot", 1, hot.into_service()).service("all", 1, cold.into_service())).await;
    let [hot, all] = report.services() else { panic!("{:?}", report.services()) };
    assert_eq!(all.received, OPERATIONS);
    // The seed is fixed: 180 are expected, and six standard deviations are 26.
    assert!((154..=200).contains(&hot.received), "{}", hot.received);
}

#[tokio::test]
async fn a_fan_out_ends_when_every_subscriber_has_it() {
    let nats = ExternalNats::start().await.unwrap();
    let client = nats.client().await.unwrap();
    let own = operations::connections(&nats);
    for fan_out in [
        operations::fan_out(client.clone(), "a", 5),
        operations::fan_out(client.clone(), "a", 5)
            .connection_per_worker(own.clone())
            .connection_per_subscriber(own),
    ] {
        let before = nats.monitor().varz().await.unwrap();
        let report = run(load(fan_out)).await;
        let after = nats.monitor().varz().await.unwrap();
        assert_eq!(moved(&report), (OPERATIONS * 5, OPERATIONS * 500));
        assert_eq!(after.out_bytes - before.out_bytes, report.counts().bytes);
    }
    eventually("only the client is connected", Duration::from_secs(30), async || {
        let connections = nats.monitor().varz().await.map_err(|error| error.to_string())?.connections;
        if connections == 1 { Ok(()) } else { Err(format!("{connections} are")) }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_fan_out_that_was_cut_short_spoils_no_later_one() {
    let nats = ExternalNats::start().await.unwrap();
    let fan_out = operations::fan_out(nats.client().await.unwrap(), "a", 3);
    let report = load(fan_out).inject_cancellations(0.3).run().await.unwrap();
    let counts = report.counts();
    assert_eq!(counts.failed, 0, "{:?}", report.errors_by_kind());
    assert!(counts.injected > 0 && counts.succeeded > 0, "{counts:?}");
    assert!(counts.items >= counts.succeeded * 3, "{counts:?}");
}

#[tokio::test]
async fn each_request_has_its_reply() {
    let nats = ExternalNats::start().await.unwrap();
    let client = nats.client().await.unwrap();
    let responder = operations::responder(client.clone(), "ask").delay(Duration::from_micros(10));
    let request = operations::request(client, "ask").stamped();
    let report = run(load(request).service("responder", 3, responder.into_service())).await;
    // It is answered with what was asked.
    assert_eq!(moved(&report), (OPERATIONS, OPERATIONS * 2 * 132));
    let responder = &report.services()[0];
    assert_eq!((responder.received, responder.delivery.count()), (OPERATIONS, OPERATIONS));
    assert_eq!(responder.instances.len(), 3);
}

#[tokio::test]
async fn without_a_responder_each_request_is_an_error_of_one_kind() {
    let nats = ExternalNats::start().await.unwrap();
    let report = load(operations::request(nats.client().await.unwrap(), "ask")).run().await.unwrap();
    assert_eq!((report.count(), report.errors(), moved(&report)), (OPERATIONS, OPERATIONS, (0, 0)));
    let [kind] = report.errors_by_kind() else { panic!("{:?}", report.errors_by_kind()) };
    assert_eq!((kind.count, kind.kind.as_str()), (OPERATIONS, "no responders: no responders"));
    assert!("errors<1%".parse::<Threshold>().is_ok());
}

#[tokio::test]
async fn every_subscriber_has_every_message_and_a_queue_group_has_it_once() {
    let nats = ExternalNats::start().await.unwrap();
    let client = nats.client().await.unwrap();
    let verifier = Verifier::new();
    let each = operations::subscriber(nats.client().await.unwrap(), "a.*");
    let shared =
        operations::subscriber(client.clone(), "a.*").queue_group("q").receiver(verifier.receiver("shared"));
    let publish = operations::publish(client, "a").subjects(Popularity::uniform(3)).verified(&verifier);
    let builder = load(publish).verifier(&verifier);
    let report =
        run(builder.service("each", 3, each.into_service()).service("shared", 3, shared.into_service()))
            .await;
    let [each, shared] = report.services() else { panic!("{:?}", report.services()) };
    assert_eq!((each.received, each.delivery.count()), (3 * OPERATIONS, 3 * OPERATIONS));
    assert_eq!((shared.received, shared.bytes), (OPERATIONS, OPERATIONS * 132));
    let verification = report.verification().unwrap();
    assert_eq!((verification.sent(), verification.lost(), verification.duplicates()), (OPERATIONS, 0, 0));
}
