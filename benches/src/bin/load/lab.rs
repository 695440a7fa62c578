//! One server for everybody, with a responder, a stream and a bucket.

use std::sync::Arc;

use async_nats::Client;
use async_nats::jetstream::{self, kv, stream};
use isolated_nats::ExternalNats;
use isolated_nats_benches::Error;
use isolated_nats_benches::responder::Responder;

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
        let responder = Some(Responder::start(&nats, ECHO).await?);
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
        responder.end()
    }
}

async fn of<O: Operation>(runner: Runner, operation: O, slice: Slice) -> Result<Took, Error> {
    loops::run(runner, &Arc::new(operation), slice).await
}
