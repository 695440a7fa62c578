//! The operations, the same for whoever runs them.

use std::future::Future;

use async_nats::Client;
use async_nats::jetstream::{Context, kv};
use bytes::Bytes;
use isolated_nats::OperationError;

use crate::lab::{ECHO, KEYS, STORED, UNHEARD};

/// Something that is done again and again; numbers are from 0.
pub(crate) trait Operation: Send + Sync + 'static {
    fn run(&self, number: u64, payload: Bytes) -> impl Future<Output = Result<(), OperationError>> + Send;
}

/// Publishes; the last one of a slice goes on to a round trip, so that the slice ends when the server has all of it:
/// `flush` of async-nats only empties its buffer into the socket.
pub(crate) struct Publish {
    pub(crate) client: Client,
    pub(crate) last: u64,
}

impl Operation for Publish {
    async fn run(&self, number: u64, payload: Bytes) -> Result<(), OperationError> {
        self.client.publish(UNHEARD, payload).await?;
        if number == self.last {
            self.client.request(ECHO, Bytes::new()).await?;
        }
        Ok(())
    }
}

pub(crate) struct Request(pub(crate) Client);

impl Operation for Request {
    async fn run(&self, _: u64, payload: Bytes) -> Result<(), OperationError> {
        self.0.request(ECHO, payload).await?;
        Ok(())
    }
}

/// Publishes to a stream, and waits for the acknowledgement.
pub(crate) struct Store(pub(crate) Context);

impl Operation for Store {
    async fn run(&self, _: u64, payload: Bytes) -> Result<(), OperationError> {
        self.0.publish(STORED, payload).await?.await?;
        Ok(())
    }
}

pub(crate) struct Put(pub(crate) kv::Store);

impl Operation for Put {
    async fn run(&self, number: u64, payload: Bytes) -> Result<(), OperationError> {
        self.0.put((number % KEYS).to_string(), payload).await?;
        Ok(())
    }
}

pub(crate) struct Get(pub(crate) kv::Store);

impl Operation for Get {
    async fn run(&self, number: u64, _: Bytes) -> Result<(), OperationError> {
        let value = self.0.get((number % KEYS).to_string()).await?;
        if value.is_none() {
            return Err("a key is not there that was put".into());
        }
        Ok(())
    }
}
