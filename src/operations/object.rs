//! Operations on object stores.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;

use async_nats::jetstream::object_store::{Object, ObjectStore};
use tokio::io::{AsyncRead as _, ReadBuf};

use super::popularity::Popularity;
use super::random::mix;
use crate::load::{OperationContext, OperationError, Workload};

/// How much of an object is read at once: what the client has in one message.
const CHUNK: usize = 128 * 1024;

/// The name of object number `number`, for operations and seeders alike.
pub(super) fn object_name(number: usize) -> String {
    format!("object-{number}")
}

/// An object put or got: [`object_put`], [`object_get`].
#[derive(Clone)]
pub struct ObjectOperation {
    store: Arc<ObjectStore>,
    kind: Kind,
    objects: Popularity,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Put,
    Get,
}

/// Puts the payload as an object; done when its last chunk and its metadata are acknowledged. One item, and the payload's bytes.
///
/// Sizes are the builder's: `.payload_bytes_log_uniform(100 << 10..=10 << 20)`. Each worker has objects of its own, by default
/// one, which it puts again and again: two that put one object at a time leave chunks that belong to none.
pub fn object_put(store: ObjectStore) -> ObjectOperation {
    ObjectOperation { store: Arc::new(store), kind: Kind::Put, objects: Popularity::uniform(1) }
}

/// Gets an object to its end, with its digest checked. One item, and the bytes that were read.
///
/// Objects are those that a [`Seeder`](super::Seeder) makes, `object-0`, `object-1` and so on, by default the first.
pub fn object_get(store: ObjectStore) -> ObjectOperation {
    ObjectOperation { store: Arc::new(store), kind: Kind::Get, objects: Popularity::uniform(1) }
}

impl ObjectOperation {
    /// Works on this many objects, each as likely as any other; of a put, this many for each worker. Default: 1.
    ///
    /// # Panics
    ///
    /// If `count` is 0.
    #[must_use]
    #[track_caller]
    pub fn objects(self, count: usize) -> Self {
        self.popularity(Popularity::uniform(count))
    }

    /// Works on as many objects as the popularity has, some more often than others.
    #[must_use]
    pub fn popularity(mut self, popularity: Popularity) -> Self {
        self.objects = popularity;
        self
    }
}

impl fmt::Debug for ObjectOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectOperation").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// What a worker of [`ObjectOperation`] keeps.
#[derive(Debug)]
pub struct ObjectState {
    names: Vec<String>,
    /// What is read goes here.
    buffer: Vec<u8>,
}

impl Workload for ObjectOperation {
    type State = ObjectState;

    async fn set_up(&self, worker: usize) -> Result<ObjectState, OperationError> {
        let name = |number| match self.kind {
            Kind::Put => format!("own-{worker}-{number}"),
            Kind::Get => object_name(number),
        };
        let buffer = if self.kind == Kind::Get { vec![0; CHUNK] } else { Vec::new() };
        Ok(ObjectState { names: (0..self.objects.count()).map(name).collect(), buffer })
    }

    async fn run(&self, state: &mut ObjectState, context: OperationContext) -> Result<(), OperationError> {
        let name = state.names[self.objects.pick(mix(context.random()))].as_str();
        let bytes = match self.kind {
            Kind::Put => self.store.put(name, &mut context.payload()).await?.size,
            Kind::Get => read(self.store.get(name).await?, &mut state.buffer).await?,
        };
        context.add_items(1);
        context.add_bytes(bytes as u64);
        Ok(())
    }
}

/// Reads an object to its end, where the client checks its digest; returns its length.
async fn read(mut object: Object, buffer: &mut [u8]) -> Result<usize, OperationError> {
    let mut total = 0;
    loop {
        let mut chunk = ReadBuf::new(buffer);
        poll_fn(|cx| Pin::new(&mut object).poll_read(cx, &mut chunk)).await?;
        match chunk.filled().len() {
            0 => return Ok(total),
            more => total += more,
        }
    }
}
