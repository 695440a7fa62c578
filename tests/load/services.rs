//! Consumers beside the load: sharing it, paused, and killed.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use isolated_nats::async_nats::Client;
use isolated_nats::load::{InstanceEnd, LoadErrorKind, ServiceContext, Verifier};
use isolated_nats::{ExternalNats, LoadGenerator, OperationError, Rate, Schedule};
use tokio::sync::watch;

use crate::support::{CorePublish, Counts, consume, ms, round_trip};

#[tokio::test]
async fn three_instances_share_what_is_sent() {
    let nats = ExternalNats::start().await.unwrap();
    let (verifier, counts) = (Verifier::new(), Arc::new(Counts::default()));
    let client = nats.client().await.unwrap();
    let workload =
        CorePublish { client: client.clone(), verifier: verifier.clone(), counts: Arc::clone(&counts) };
    let receiver = verifier.receiver("group");
    let report = LoadGenerator::builder()
        .schedule(Schedule::steady(Rate::per_second(1000.0), ms(500)))
        .payload_bytes(100..=100)
        .workload("publish", 1, workload)
        .service("group", 3, move |service| {
            consume(service, client.clone(), receiver.clone(), Arc::clone(&counts))
        })
        .verifier(&verifier)
        .run()
        .await
        .unwrap();
    report.verification().unwrap().assert_nothing_lost();
    let figures = &report.services()[0];
    assert_eq!((figures.name.as_str(), figures.received, figures.bytes), ("group", 500, 500 * 132));
    assert_eq!(figures.delivery.count(), 500);
    // The server draws a member for each message: none of 500 has a chance below 1e-87.
    assert!(figures.instances.iter().all(|one| one.received > 0 && one.end == InstanceEnd::Stopped));
    assert_eq!(figures.instances.iter().map(|one| one.received).sum::<u64>(), 500);
    assert!(figures.errors.is_empty() && figures.panicked + figures.aborted == 0);
}

/// Answers requests to `work` while the gate is open.
async fn respond(
    service: ServiceContext,
    client: Client,
    mut open: watch::Receiver<bool>,
) -> Result<(), OperationError> {
    let mut requests = client.subscribe("work").await?;
    round_trip(&client).await;
    service.ready();
    loop {
        tokio::select! {
            Some(request) = requests.next() => {
                open.wait_for(|open| *open).await?;
                service.received(&request.payload);
                client.publish(request.reply.ok_or("no reply subject")?, "".into()).await?;
            }
            () = service.stopping() => return Ok(()),
        }
    }
}

#[tokio::test]
async fn a_paused_responder_is_an_outage_that_each_request_waits_for() {
    let nats = ExternalNats::start().await.unwrap();
    let client = nats.client().await.unwrap();
    let (gate, open) = watch::channel(true);
    let gate = Arc::new(gate);
    let (pause, resume) = (Arc::clone(&gate), gate);
    let responder = client.clone();
    let report = LoadGenerator::builder()
        .schedule(Schedule::steady(Rate::per_second(200.0), ms(2500)))
        .operation_with("request", 1, client, async |client, context| {
            client.request("work", context.payload_bytes()).await?;
            Ok(())
        })
        .service("responder", 1, move |service| respond(service, responder.clone(), open.clone()))
        .event(ms(1000), "pause", async move || {
            pause.send_replace(false);
            Ok(())
        })
        .event(ms(1600), "resume", async move || {
            resume.send_replace(true);
            Ok(())
        })
        .run()
        .await
        .unwrap();
    assert_eq!((report.errors(), report.counts().succeeded), (0, 500));
    assert_eq!(report.services()[0].received, 500);
    let [pause, resume] = report.events() else { panic!("{:?}", report.events()) };
    let paused = resume.at - pause.at;
    // One is due at most 5 ms after the pause began, and was answered at its end.
    assert!(report.response().max().unwrap() >= paused - ms(5), "{paused:?}");
    let recoveries = report.recoveries();
    assert_eq!(recoveries[0].event, "pause");
    let outage = recoveries[0].outage.as_ref().expect("nobody answered for six windows");
    assert!(outage.from >= pause.at && outage.unserved.unwrap() > 0 && outage.failed == 0, "{outage}");
    assert!(outage.slowest.unwrap() >= paused - ms(5), "{outage}");
}

/// Its fiftieth message kills the first instance of the group, as a bug would.
#[tokio::test]
async fn a_consumer_that_panics_is_named_and_what_it_loses_is_counted() {
    let nats = ExternalNats::start().await.unwrap();
    let (verifier, counts) = (Verifier::new(), Arc::new(Counts::default()));
    let client = nats.client().await.unwrap();
    let workload =
        CorePublish { client: client.clone(), verifier: verifier.clone(), counts: Arc::clone(&counts) };
    let (receiver, counted) = (verifier.receiver("group"), Arc::clone(&counts));
    let run = move |service: ServiceContext| {
        let (client, receiver, counts) = (client.clone(), receiver.clone(), Arc::clone(&counted));
        async move {
            if service.instance() > 0 {
                return consume(service, client, receiver, counts).await;
            }
            let mut messages = client.queue_subscribe("load", "group".into()).await?;
            round_trip(&client).await;
            service.ready();
            for _ in 0..50 {
                messages.next().await.ok_or("the connection has ended")?;
            }
            panic!("message 50 is one too many");
        }
    };
    let report = LoadGenerator::builder()
        .schedule(Schedule::steady(Rate::per_second(500.0), ms(1000)))
        .workload("publish", 1, workload)
        .service("group", 2, run)
        .verifier(&verifier)
        .stop_timeout(ms(500))
        .run()
        .await
        .unwrap();
    let figures = &report.services()[0];
    assert_eq!((figures.panicked, figures.aborted), (1, 0));
    assert_eq!(figures.instances[0].end, InstanceEnd::Panicked("message 50 is one too many".into()));
    assert_eq!(figures.instances[1].end, InstanceEnd::Stopped);
    let found = report.verification().unwrap();
    assert_eq!((found.sent(), found.received()), (500, counts.received()), "{found}");
    assert_eq!(found.lost(), 500 - counts.received(), "{found}");
    assert!(found.lost() >= 50, "what the first one got was not verified: {found}");
}

#[tokio::test]
async fn a_service_that_cannot_start_is_an_error_and_no_load() {
    let error = LoadGenerator::builder()
        .schedule(Schedule::steady(Rate::per_second(10.0), Duration::from_secs(1)))
        .operation("never", 1, async |_| unreachable!("the load must not begin"))
        .service("billing", 2, async |service: ServiceContext| match service.instance() {
            0 => {
                service.ready();
                service.stopping().await;
                Ok(())
            }
            _ => Err("no such stream".into()),
        })
        .run()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), LoadErrorKind::SetUp);
    let expected = "instance 1 of service `billing` failed before the load began: no such stream";
    assert_eq!(format!("{error:?}"), expected);
}
