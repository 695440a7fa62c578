//! One server for everybody, with a responder, a stream and a bucket.

use std::sync::Arc;

use async_nats::jetstream::{self, kv, stream};
use async_nats::{Client, Subscriber};
use futures_util::StreamExt as _;
use isolated_nats::ExternalNats;
use isolated_nats_benches::Error;
use tokio::sync::oneshot;

use crate::loops::{self, Runner, Slice, Took};
use crate::operations::{Get, Operation, Publish, Put, Request, Store};

pub(crate) const ECHO: &str = "load.echo";
pub(crate) const UNHEARD: &str = "load.unheard";
pub(crate) const STORED: &str = "load.stored";
pub(crate) const STREAM: &str = "load";
pub(crate) const KEYS: u64 = 1_000;
const BUCKET: &str = "load";
/// The oldest go, so that a long run fills no memory.
const STREAM_BYTES: i64 = 32 << 20;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Case {
    Publish { bytes: usize },
    Request { in_flight: usize },
    Store { in_flight: usize },
    Put,
    Get,
}

pub(crate) const CASES: [Case; 8] = [
    Case::Publish { bytes: 16 },
    Case::Publish { bytes: 1024 },
    Case::Request { in_flight: 1 },
    Case::Request { in_flight: 64 },
    Case::Store { in_flight: 1 },
    Case::Store { in_flight: 256 },
    Case::Put,
    Case::Get,
];

impl Case {
    pub(crate) fn name(self) -> String {
        match self {
            Self::Publish { bytes } => format!("publish {bytes} B"),
            Self::Request { in_flight } => format!("request {in_flight}"),
            Self::Store { in_flight } => format!("jetstream publish {in_flight}"),
            Self::Put => "kv put".into(),
            Self::Get => "kv get".into(),
        }
    }

    pub(crate) fn slice(self, operations: u64) -> Slice {
        let (workers, bytes) = match self {
            Self::Publish { bytes } => (1, bytes),
            Self::Request { in_flight } | Self::Store { in_flight } => (in_flight, 16),
            Self::Put | Self::Get => (1, 16),
        };
        Slice { workers, operations, bytes }
    }
}

/// The server and what is on it.
pub(crate) struct Lab {
    pub(crate) nats: ExternalNats,
    client: Client,
    context: jetstream::Context,
    bucket: kv::Store,
    responder: Option<Responder>,
}

struct Responder {
    thread: std::thread::JoinHandle<()>,
    end: oneshot::Sender<()>,
}

impl Lab {
    pub(crate) async fn open() -> Result<Self, Error> {
        let nats = ExternalNats::builder().jetstream().start().await?;
        let client = nats.client().await?;
        let context = jetstream::new(client.clone());
        let storage = stream::StorageType::Memory;
        let of_stream = stream::Config {
            name: STREAM.into(),
            subjects: vec![STORED.into()],
            max_bytes: STREAM_BYTES,
            storage,
            ..Default::default()
        };
        context.create_stream(of_stream).await?;
        let of_bucket = kv::Config { bucket: BUCKET.into(), storage, ..Default::default() };
        let bucket = context.create_key_value(of_bucket).await?;
        for key in 0..KEYS {
            bucket.put(key.to_string(), vec![b'x'; 16].into()).await?;
        }
        let responder = Some(respond(&nats).await?);
        Ok(Self { nats, client, context, bucket, responder })
    }

    pub(crate) async fn run(&self, case: Case, runner: Runner, operations: u64) -> Result<Took, Error> {
        let slice = case.slice(operations);
        let last = operations - 1;
        match case {
            Case::Publish { .. } => of(runner, Publish { client: self.client.clone(), last }, slice).await,
            Case::Request { .. } => of(runner, Request(self.client.clone()), slice).await,
            Case::Store { .. } => of(runner, Store(self.context.clone()), slice).await,
            Case::Put => of(runner, Put(self.bucket.clone()), slice).await,
            Case::Get => of(runner, Get(self.bucket.clone()), slice).await,
        }
    }

    pub(crate) fn close(mut self) -> Result<(), Error> {
        let Some(responder) = self.responder.take() else { return Ok(()) };
        let _ = responder.end.send(());
        responder.thread.join().map_err(|_| "the responder panicked".into())
    }
}

async fn of<O: Operation>(runner: Runner, operation: O, slice: Slice) -> Result<Took, Error> {
    loops::run(runner, &Arc::new(operation), slice).await
}

/// On a thread and a connection of its own, so that it is in nobody's loop.
async fn respond(nats: &ExternalNats) -> Result<Responder, Error> {
    let (options, url) = (nats.connect_options(), nats.url().to_owned());
    let (end, ended) = oneshot::channel();
    let (ready, is_ready) = oneshot::channel();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let thread = std::thread::spawn(move || {
        runtime.block_on(async move {
            let connected = async {
                let client = options.connect(url).await?;
                let subscriber = client.subscribe(ECHO).await?;
                // Nobody listens there; the answer says that the server knows of the subscription before it.
                let _ = client.request("load.nobody", "".into()).await;
                Ok::<_, Error>((client, subscriber))
            };
            match connected.await {
                Ok((client, subscriber)) => {
                    let _ = ready.send(Ok(()));
                    answer(&client, subscriber, ended).await;
                }
                Err(error) => drop(ready.send(Err(error))),
            }
        });
    });
    is_ready.await.map_err(|_| "the responder panicked")??;
    Ok(Responder { thread, end })
}

async fn answer(client: &Client, mut subscriber: Subscriber, mut ended: oneshot::Receiver<()>) {
    loop {
        tokio::select! {
            biased;
            message = subscriber.next() => {
                let Some(message) = message else { return };
                let Some(reply) = message.reply else { continue };
                if client.publish(reply, message.payload).await.is_err() {
                    return;
                }
            }
            _ = &mut ended => return,
        }
    }
}
