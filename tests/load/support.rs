//! What several tests need.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use futures_util::StreamExt;
use isolated_nats::async_nats::{Client, jetstream};
use isolated_nats::load::{Publisher, Receiver, ServiceContext, Verifier};
use isolated_nats::{OperationContext, OperationError, Workload};

/// Generous: a limit that a working crate never comes near, also with both cores busy.
pub(crate) const LONG: Duration = Duration::from_secs(60);

pub(crate) const fn ms(length: u64) -> Duration {
    Duration::from_millis(length)
}

/// Counted without a verifier, to check it by.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    sent: AtomicU64,
    received: AtomicU64,
}

impl Counts {
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Relaxed)
    }

    pub(crate) fn received(&self) -> u64 {
        self.received.load(Relaxed)
    }
}

/// Publishes to `load` by core NATS.
pub(crate) struct CorePublish {
    pub(crate) client: Client,
    pub(crate) verifier: Verifier,
    pub(crate) counts: Arc<Counts>,
}

impl Workload for CorePublish {
    type State = Publisher;

    async fn set_up(&self, _worker: usize) -> Result<Publisher, OperationError> {
        Ok(self.verifier.publisher("load"))
    }

    async fn run(&self, publisher: &mut Publisher, context: OperationContext) -> Result<(), OperationError> {
        let (message, mut receipt) = publisher.stamp_due(context.payload(), context.intended_start());
        self.client.publish("load", message).await?;
        receipt.sent();
        self.counts.sent.fetch_add(1, Relaxed);
        Ok(())
    }
}

/// Publishes to `load` by `JetStream`.
pub(crate) struct JetStreamPublish {
    pub(crate) jetstream: jetstream::Context,
    pub(crate) verifier: Verifier,
}

impl Workload for JetStreamPublish {
    type State = Publisher;

    async fn set_up(&self, _worker: usize) -> Result<Publisher, OperationError> {
        Ok(self.verifier.publisher("load"))
    }

    async fn run(&self, publisher: &mut Publisher, context: OperationContext) -> Result<(), OperationError> {
        let (message, mut receipt) = publisher.stamp_due(context.payload(), context.intended_start());
        let acknowledgement = self.jetstream.publish("load", message).await?;
        receipt.sent();
        acknowledgement.await?;
        receipt.confirm();
        Ok(())
    }
}

/// Completes when the server has read all that this connection has sent: it answers in order.
pub(crate) async fn round_trip(client: &Client) {
    client.request("no.such.service", "".into()).await.unwrap_err();
}

/// A member of a queue group on `load`, until the run is over.
pub(crate) async fn consume(
    service: ServiceContext,
    client: Client,
    receiver: Receiver,
    counts: Arc<Counts>,
) -> Result<(), OperationError> {
    let mut messages = client.queue_subscribe("load", "group".into()).await?;
    round_trip(&client).await;
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

/// Reads the stream `LOAD` by a durable consumer, until the run is over.
pub(crate) async fn pull(
    service: ServiceContext,
    jetstream: jetstream::Context,
    receiver: Receiver,
) -> Result<(), OperationError> {
    let stream = jetstream.get_stream("LOAD").await?;
    let config = jetstream::consumer::pull::Config { durable_name: Some("it".into()), ..Default::default() };
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
                    service.failed(error); // it comes again
                }
            }
            Err(error) => service.failed(error),
        }
    }
}

/// A context with the stream `LOAD` on `load`.
pub(crate) async fn with_stream(nats: &isolated_nats::ExternalNats) -> jetstream::Context {
    let jetstream = nats.jetstream().await.unwrap();
    let config = jetstream::stream::Config {
        name: "LOAD".into(),
        subjects: vec!["load".into()],
        ..Default::default()
    };
    jetstream.create_stream(config).await.unwrap();
    jetstream
}
