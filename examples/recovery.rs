//! Kills and restarts the server under load: what JetStream loses (nothing), what core NATS loses (counted exactly), and how
//! long it takes until all is as before.
//!
//! Run it with `cargo run --example recovery`. In a project of your own it needs `isolated-nats`, `async-nats`, `tokio`
//! (features `macros`, `rt-multi-thread`) and `futures-util`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use async_nats::Client;
use async_nats::jetstream::{self, consumer, stream};
use futures_util::StreamExt;
use isolated_nats::load::{LoadGeneratorBuilder, Publisher, Receiver, ServiceContext, Verifier};
use isolated_nats::{
    ExternalNats, LoadGenerator, LoadReport, OperationContext, OperationError, Rate, Schedule, Workload,
};

const PER_SECOND: f64 = 300.0;
const LENGTH: Duration = Duration::from_secs(6);
const KILLED: Duration = Duration::from_secs(2);
const RESTARTED: Duration = Duration::from_millis(2500);

type Result<T> = std::result::Result<T, OperationError>;

#[tokio::main]
async fn main() -> Result<()> {
    through_jetstream().await?;
    through_core_nats().await
}

/// A load that the server does not survive.
fn load(nats: &ExternalNats) -> LoadGeneratorBuilder {
    let (killed, restarted) = (nats.clone(), nats.clone());
    LoadGenerator::builder()
        .schedule(Schedule::steady(Rate::per_second(PER_SECOND), LENGTH))
        .operation_timeout(Duration::from_secs(2))
        .stop_timeout(Duration::from_secs(2))
        .event(KILLED, "kill the server", async move || Ok(killed.kill()?))
        .event(RESTARTED, "restart the server", async move || Ok(restarted.restart().await?))
}

fn print(title: &str, report: &LoadReport) {
    println!("{title}\n\n{}", report.timeline());
    for recovery in report.recoveries() {
        println!("{recovery}");
    }
}

/// What the server has acknowledged must arrive.
async fn through_jetstream() -> Result<()> {
    let nats = ExternalNats::builder().jetstream().start().await?;
    let jetstream = nats.jetstream().await?;
    let config = stream::Config { name: "ORDERS".into(), ..Default::default() };
    jetstream.create_stream(config).await?;

    let verifier = Verifier::acknowledged();
    let receiver = verifier.receiver("consumer");
    let consumer = jetstream.clone();
    let report = load(&nats)
        .workload("publish", 1, JetStreamPublish { jetstream, verifier: verifier.clone() })
        .service("consumer", 1, move |service| consume(service, consumer.clone(), receiver.clone()))
        .verifier(&verifier)
        .run()
        .await?;

    print("JetStream", &report);
    let verification = report.verification().expect("there is a verifier");
    println!("{verification}");
    verification.assert_nothing_lost();
    Ok(())
}

struct JetStreamPublish {
    jetstream: jetstream::Context,
    verifier: Verifier,
}

impl Workload for JetStreamPublish {
    /// A sequence for each worker.
    type State = Publisher;

    async fn set_up(&self, _worker: usize) -> Result<Publisher> {
        Ok(self.verifier.publisher("ORDERS"))
    }

    async fn run(&self, publisher: &mut Publisher, context: OperationContext) -> Result<()> {
        let (message, mut receipt) = publisher.stamp_due(context.payload(), context.intended_start());
        let acknowledgement = self.jetstream.publish("ORDERS", message).await?;
        receipt.sent();
        acknowledgement.await?;
        receipt.confirm();
        Ok(())
    }
}

async fn consume(service: ServiceContext, jetstream: jetstream::Context, receiver: Receiver) -> Result<()> {
    let stream = jetstream.get_stream("ORDERS").await?;
    let config = consumer::pull::Config { durable_name: Some("consumer".into()), ..Default::default() };
    let mut messages = stream.create_consumer(config).await?.messages().await?;
    service.ready();
    loop {
        let next = tokio::select! {
            next = messages.next() => next,
            () = service.stopping() => return Ok(()),
        };
        match next.ok_or("the consumer has ended")? {
            Ok(message) => {
                service.receive(&receiver, &message.payload);
                if let Err(error) = message.ack().await {
                    service.failed(error); // it will be delivered again
                }
            }
            Err(error) => service.failed(error), // while there is no server
        }
    }
}

/// What is sent while nobody listens is lost, and counted.
async fn through_core_nats() -> Result<()> {
    let nats = ExternalNats::start().await?;
    let (client, subscriber) = (nats.client().await?, nats.client().await?);

    let verifier = Verifier::new();
    let receiver = verifier.receiver("subscriber");
    let counts = Arc::new(Counts::default()); // to check the verifier by
    let (publish, counted) =
        (CorePublish(client, verifier.clone(), Arc::clone(&counts)), Arc::clone(&counts));
    let report = load(&nats)
        .workload("publish", 1, publish)
        .service("subscriber", 1, move |service| {
            subscribe(service, subscriber.clone(), receiver.clone(), Arc::clone(&counted))
        })
        .verifier(&verifier)
        .run()
        .await?;

    print("core NATS", &report);
    let verification = report.verification().expect("there is a verifier");
    println!("{verification}");
    let (sent, received) = (counts.sent.load(Relaxed), counts.received.load(Relaxed));
    assert_eq!((verification.sent(), verification.received()), (sent, received));
    assert_eq!(verification.lost(), sent - received);
    println!("lost {} of {sent} messages, as counted without the verifier", sent - received);
    Ok(())
}

#[derive(Default)]
struct Counts {
    sent: AtomicU64,
    received: AtomicU64,
}

struct CorePublish(Client, Verifier, Arc<Counts>);

impl Workload for CorePublish {
    type State = Publisher;

    async fn set_up(&self, _worker: usize) -> Result<Publisher> {
        Ok(self.1.publisher("orders"))
    }

    async fn run(&self, publisher: &mut Publisher, context: OperationContext) -> Result<()> {
        let Self(client, _, counts) = self;
        let (message, mut receipt) = publisher.stamp_due(context.payload(), context.intended_start());
        client.publish("orders", message).await?;
        receipt.sent();
        counts.sent.fetch_add(1, Relaxed);
        Ok(())
    }
}

async fn subscribe(
    service: ServiceContext,
    client: Client,
    receiver: Receiver,
    counts: Arc<Counts>,
) -> Result<()> {
    let mut messages = client.subscribe("orders").await?;
    // The server handles what a connection sends in order: once it answers, the subscription is in place.
    client.request("no.such.service", "".into()).await.expect_err("nobody answers but the server");
    service.ready();
    loop {
        tokio::select! {
            Some(message) = messages.next() => {
                service.receive(&receiver, &message.payload);
                counts.received.fetch_add(1, Relaxed);
            }
            () = service.stopping() => return Ok(()),
        }
    }
}
