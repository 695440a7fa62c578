//! Three designs of one event bus, measured in turn: which one should it be? Run with `cargo run --release --example compare_designs`.
//!
//! Each has a publisher and a handler, and an operation is an event from its publication until it has been handled. The report says
//! what each design costs and gives, and recommends one only where the figures carry it.

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::{Client, jetstream};
use futures_util::StreamExt;
use isolated_nats::results::{Scenario, Store};
use isolated_nats::{
    ExternalNats, LoadError, LoadGenerator, LoadReport, MemoryProbe, OperationError, Schedule,
    TrackingAllocator,
};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

#[global_allocator]
static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();

/// Events that have been published and not yet been handled, by their number.
#[derive(Clone, Default)]
struct Handler(Arc<Mutex<HashMap<u64, oneshot::Sender<()>>>>);

impl Handler {
    /// What completes when the event has been handled.
    fn expect(&self, number: u64) -> oneshot::Receiver<()> {
        let (handled, is_handled) = oneshot::channel();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(number, handled);
        is_handled
    }

    /// Handles an event, whose first 8 bytes are its number.
    fn handle(&self, event: &[u8]) {
        let number = event.first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
        let mut expected = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(handled) = number.and_then(|number| expected.remove(&number)) {
            let _ = handled.send(()); // nobody waits any more where the load has ended
        }
    }
}

/// One design of the bus.
#[derive(Clone)]
enum Bus {
    Channel(mpsc::Sender<Vec<u8>>),
    Core(Client),
    JetStream(jetstream::Context),
}

impl Bus {
    async fn publish(&self, event: Vec<u8>) -> Result<(), OperationError> {
        match self {
            Self::Channel(events) => events.send(event).await?,
            Self::Core(client) => client.publish("events", event.into()).await?,
            // The second `await` waits until the server has stored it.
            Self::JetStream(jetstream) => {
                drop(jetstream.publish("stored.events", event.into()).await?.await?);
            }
        }
        Ok(())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let nats = ExternalNats::builder().jetstream().start().await?;
    let (channel, _channel) = channel();
    let (core, _core) = core(&nats).await?;
    let (stored, _stored) = stored(&nats).await?;

    let results = Scenario::named("event bus")
        .designs()
        .configuration("event", "128 B")
        .server(&nats)
        .side("channel", async || measure(&nats, &channel).await)
        .side("core NATS", async || measure(&nats, &core).await)
        .side("JetStream", async || measure(&nats, &stored).await)
        .run()
        .await?;
    println!("{results}");
    let directory = Store::find()?.directory().join("compare_designs");
    for file in results.write_to(directory)? {
        println!("{}", file.display());
    }
    nats.shutdown().await?;
    Ok(())
}

/// One round of one design: 16 events in flight at any time, for a tenth of a second.
async fn measure(nats: &ExternalNats, design: &(Bus, Handler)) -> Result<LoadReport, OperationError> {
    let probe = MemoryProbe::builder().server(nats).start();
    let report = load(design).await?;
    Ok(report.with(&probe.finish(), &nats.process()))
}

async fn load(design: &(Bus, Handler)) -> Result<LoadReport, LoadError> {
    LoadGenerator::builder()
        .schedule(Schedule::closed(16, Duration::from_millis(100)))
        .payload_bytes(120..=120)
        .operation_with("event", 1, design.clone(), |design, context| async move {
            let (bus, handler) = &*design;
            let number = context.sequence();
            let handled = handler.expect(number);
            bus.publish([&number.to_le_bytes(), context.payload()].concat()).await?;
            Ok(handled.await?)
        })
        .run()
        .await
}

type Design = ((Bus, Handler), JoinHandle<()>);

fn channel() -> Design {
    let (sender, mut events) = mpsc::channel::<Vec<u8>>(1024);
    let handler = Handler::default();
    let handles = handler.clone();
    let task = tokio::spawn(async move {
        while let Some(event) = events.recv().await {
            handles.handle(&event);
        }
    });
    ((Bus::Channel(sender), handler), task)
}

async fn core(nats: &ExternalNats) -> Result<Design, OperationError> {
    let client = nats.client().await?;
    let mut events = client.subscribe("events").await?;
    client.request("nobody", "".into()).await.ok(); // an answer, even that nobody is there, comes after the subscription
    let handler = Handler::default();
    let handles = handler.clone();
    let task = tokio::spawn(async move {
        while let Some(event) = events.next().await {
            handles.handle(&event.payload);
        }
    });
    Ok(((Bus::Core(client), handler), task))
}

async fn stored(nats: &ExternalNats) -> Result<Design, OperationError> {
    let jetstream = nats.jetstream().await?;
    let config = jetstream::stream::Config {
        name: "EVENTS".into(),
        subjects: vec!["stored.>".into()],
        max_messages: 10_000,
        ..Default::default()
    };
    let stream = jetstream.create_stream(config).await?;
    let consumer = stream
        .create_consumer(jetstream::consumer::pull::Config {
            ack_policy: jetstream::consumer::AckPolicy::None,
            ..Default::default()
        })
        .await?;
    let mut events = consumer.messages().await?;
    let handler = Handler::default();
    let handles = handler.clone();
    let task = tokio::spawn(async move {
        while let Some(Ok(event)) = events.next().await {
            handles.handle(&event.payload);
        }
    });
    Ok(((Bus::JetStream(jetstream), handler), task))
}
