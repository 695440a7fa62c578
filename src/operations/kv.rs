//! Operations on key-value buckets.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use async_nats::jetstream::kv::{Store, UpdateErrorKind, Watch};
use bytes::Bytes;
use futures_util::StreamExt as _;

use super::connections::{Connections, Held, Source};
use super::popularity::Popularity;
use super::stamps::Stamps;
use super::subjects::Keys;
use crate::load::{OperationContext, OperationError, Workload};

/// How many keys an operation works on unless it is told otherwise.
const KEYS: usize = 1_000;

/// An operation on a key-value bucket: [`kv_put`], [`kv_get`], [`kv_create`], [`kv_update`], [`kv_delete`], [`kv_history`],
/// [`kv_list`].
///
/// Keys are `key.0`, `key.1` and so on, those that a [`Seeder`](super::Seeder) makes.
#[derive(Clone, Debug)]
pub struct KeyValue {
    source: Source<Store>,
    kind: Kind,
    /// `None`: keys of the worker's own.
    keys: Option<Keys>,
    own: OwnNames,
    stamps: Stamps,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Put,
    Get,
    Create,
    Update,
    Delete,
    History,
    List,
}

impl KeyValue {
    fn new(store: Store, kind: Kind) -> Self {
        let own_keys = matches!(kind, Kind::Create | Kind::Update | Kind::List);
        let keys = (!own_keys).then(|| Keys::new(Popularity::uniform(KEYS)));
        Self { source: Source::new(store), kind, keys, own: OwnNames::new(), stamps: Stamps::None }
    }

    /// Works on this many keys, each as likely as any other. Default: 1 000, and for an update a key of the worker's own. Creating
    /// and listing have no use for it.
    ///
    /// # Panics
    ///
    /// If `count` is 0.
    #[must_use]
    #[track_caller]
    pub fn keys(self, count: usize) -> Self {
        self.popularity(Popularity::uniform(count))
    }

    /// Works on as many keys as the popularity has, some more often than others. Default: as [`keys`](Self::keys).
    #[must_use]
    pub fn popularity(mut self, popularity: Popularity) -> Self {
        self.keys = Some(Keys::new(popularity));
        self
    }

    /// Writes the intended start into each value that is put, created or updated, so that a [`watcher`](super::watcher)'s figures
    /// have the delivery. It costs a copy of the payload.
    #[must_use]
    pub fn stamped(mut self) -> Self {
        self.stamps = Stamps::Delivery;
        self
    }

    /// Gives each worker a connection of its own. Default: all share the store's.
    #[must_use]
    pub fn connection_per_worker(mut self, connections: Connections) -> Self {
        self.source.own = Some(connections);
        self
    }
}

/// Puts the payload; done when it is acknowledged. One item, and the payload's bytes.
pub fn kv_put(store: Store) -> KeyValue {
    KeyValue::new(store, Kind::Put)
}

/// Gets a value. One item, and the value's bytes; a key without a value fails with `no value for ..`: seed the bucket first.
pub fn kv_get(store: Store) -> KeyValue {
    KeyValue::new(store, Kind::Get)
}

/// Creates a key that never was, with the payload as its value. One item, and the payload's bytes.
///
/// A bucket grows by each; its keys begin with `own.`.
pub fn kv_create(store: Store) -> KeyValue {
    KeyValue::new(store, Kind::Create)
}

/// Updates a key at its last revision with the payload. The payload's bytes, and an item for each try.
///
/// By default each worker has a key of its own, and knows its revision: one try does. With [`KeyValue::keys`] workers share keys:
/// each operation reads the entry first, and when another worker was faster, reads and tries again until it succeeds or its time
/// limit is over. So items beyond the count of operations are conflicts.
pub fn kv_update(store: Store) -> KeyValue {
    KeyValue::new(store, Kind::Update)
}

/// Deletes a key: writes the marker that says so, whether there is a value or not. One item, no bytes.
pub fn kv_delete(store: Store) -> KeyValue {
    KeyValue::new(store, Kind::Delete)
}

/// Reads the history of a key. An item for each entry, and the bytes of their values; a key that never was fails with
/// `no history of ..`.
pub fn kv_history(store: Store) -> KeyValue {
    KeyValue::new(store, Kind::History)
}

/// Lists all keys of the bucket. An item for each, and the bytes of their names.
pub fn kv_list(store: Store) -> KeyValue {
    KeyValue::new(store, Kind::List)
}

/// What a worker of [`KeyValue`] keeps.
#[derive(Debug)]
pub struct KeyValueState {
    held: Held<Store>,
    /// A key of the worker's own; for creating, rewritten each time.
    key: String,
    /// What of it is the worker's, without the number of a created key.
    prefix: usize,
    created: u64,
    /// Of the worker's own key; `None` when not known.
    revision: Option<u64>,
}

impl KeyValueState {
    fn fresh_key(&mut self) {
        self.key.truncate(self.prefix);
        // Writing to a string cannot fail.
        let _ = write!(self.key, ".{}", self.created);
        self.created += 1;
    }
}

impl Workload for KeyValue {
    type State = KeyValueState;

    async fn set_up(&self, _worker: usize) -> Result<KeyValueState, OperationError> {
        let held = self.source.hold().await?;
        let key = self.own.next();
        Ok(KeyValueState { held, prefix: key.len(), key, created: 0, revision: None })
    }

    async fn run(&self, state: &mut KeyValueState, context: OperationContext) -> Result<(), OperationError> {
        let value = || self.stamps.unnumbered(&context);
        match (self.kind, &self.keys) {
            (Kind::Put, Some(keys)) => put(&state.held.handle, keys.pick(&context), value(), &context).await,
            (Kind::Get, Some(keys)) => get(&state.held.handle, keys.pick(&context), &context).await,
            (Kind::Delete, Some(keys)) => delete(&state.held.handle, keys.pick(&context), &context).await,
            (Kind::History, Some(keys)) => history(&state.held.handle, keys.pick(&context), &context).await,
            (Kind::Update, Some(keys)) => {
                update(&state.held.handle, keys.pick(&context), value(), None, &context).await.map(drop)
            }
            (Kind::Update, None) => update_own(state, value(), &context).await,
            (Kind::List, _) => list(&state.held.handle, &context).await,
            (Kind::Create, _) | (_, None) => create(state, value(), &context).await,
        }
    }

    async fn tear_down(&self, state: KeyValueState) {
        state.held.release().await;
    }
}

/// One item and its bytes.
fn count(context: &OperationContext, bytes: usize) {
    context.add_items(1);
    context.add_bytes(bytes as u64);
}

async fn put(
    store: &Store,
    key: &str,
    value: Bytes,
    context: &OperationContext,
) -> Result<(), OperationError> {
    let len = value.len();
    store.put(key, value).await?;
    count(context, len);
    Ok(())
}

async fn create(
    state: &mut KeyValueState,
    value: Bytes,
    context: &OperationContext,
) -> Result<(), OperationError> {
    state.fresh_key();
    let len = value.len();
    state.held.handle.create(&state.key, value).await?;
    count(context, len);
    Ok(())
}

async fn delete(store: &Store, key: &str, context: &OperationContext) -> Result<(), OperationError> {
    store.delete(key).await?;
    count(context, 0);
    Ok(())
}

async fn get(store: &Store, key: &str, context: &OperationContext) -> Result<(), OperationError> {
    let value = store.get(key).await?.ok_or_else(|| format!("no value for `{key}` (seed the bucket)"))?;
    count(context, value.len());
    Ok(())
}

/// The last revision of a key; 0, which means that it must not exist, for one that never was.
async fn last_revision(store: &Store, key: &str) -> Result<u64, OperationError> {
    Ok(store.entry(key).await?.map_or(0, |entry| entry.revision))
}

/// Updates the worker's own key, at the revision that it knows.
async fn update_own(
    state: &mut KeyValueState,
    value: Bytes,
    context: &OperationContext,
) -> Result<(), OperationError> {
    // Taken, so that an update that is cut short or fails leaves none that may be wrong.
    let known = state.revision.take();
    state.revision = Some(update(&state.held.handle, &state.key, value, known, context).await?);
    Ok(())
}

/// Updates a key at its last revision, as often as it takes; returns the new revision.
///
/// A worker's own key may be forestalled too: by its last operation, if that was cut short and is still on its way.
async fn update(
    store: &Store,
    key: &str,
    value: Bytes,
    known: Option<u64>,
    context: &OperationContext,
) -> Result<u64, OperationError> {
    let mut known = known;
    loop {
        let last = match known.take() {
            Some(revision) => revision,
            None => last_revision(store, key).await?,
        };
        context.add_items(1);
        match store.update(key, value.clone(), last).await {
            Ok(revision) => {
                context.add_bytes(value.len() as u64);
                return Ok(revision);
            }
            Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => {}
            Err(error) => return Err(error.into()),
        }
    }
}

async fn history(store: &Store, key: &str, context: &OperationContext) -> Result<(), OperationError> {
    let mut entries = store.history(key).await?;
    let mut found = false;
    while let Some(entry) = entries.next().await {
        count(context, entry?.value.len());
        found = true;
    }
    if found { Ok(()) } else { Err(format!("no history of `{key}` (seed the bucket)").into()) }
}

async fn list(store: &Store, context: &OperationContext) -> Result<(), OperationError> {
    let mut keys = store.keys().await?;
    while let Some(key) = keys.next().await {
        count(context, key?.len());
    }
    Ok(())
}

/// From a put to the watcher that sees it: [`kv_watch`].
///
/// It has one item, and the payload's bytes.
#[derive(Clone, Debug)]
pub struct KeyValueWatch {
    source: Source<Store>,
    own: OwnNames,
}

/// Puts the payload on a key of the worker's own, which the worker watches; done when its watcher has the new value.
pub fn kv_watch(store: Store) -> KeyValueWatch {
    KeyValueWatch { source: Source::new(store), own: OwnNames::new() }
}

impl KeyValueWatch {
    /// Gives each worker a connection of its own. Default: all share the store's.
    #[must_use]
    pub fn connection_per_worker(mut self, connections: Connections) -> Self {
        self.source.own = Some(connections);
        self
    }
}

/// What a worker of [`KeyValueWatch`] keeps.
pub struct KeyValueWatchState {
    held: Held<Store>,
    watch: Watch,
    key: String,
}

impl std::fmt::Debug for KeyValueWatchState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyValueWatchState").field("key", &self.key).finish_non_exhaustive()
    }
}

impl Workload for KeyValueWatch {
    type State = KeyValueWatchState;

    async fn set_up(&self, _worker: usize) -> Result<KeyValueWatchState, OperationError> {
        let held = self.source.hold().await?;
        let key = self.own.next();
        let watch = held.handle.watch(&key).await?;
        Ok(KeyValueWatchState { held, watch, key })
    }

    async fn run(
        &self,
        state: &mut KeyValueWatchState,
        context: OperationContext,
    ) -> Result<(), OperationError> {
        let revision = state.held.handle.put(&state.key, context.payload_bytes()).await?;
        loop {
            let entry = state.watch.next().await.ok_or("the watcher has ended")??;
            // Earlier ones are of operations that were cut short.
            if entry.revision >= revision {
                count(&context, entry.value.len());
                return Ok(());
            }
        }
    }

    async fn tear_down(&self, state: KeyValueWatchState) {
        drop(state.watch);
        state.held.release().await;
    }
}

/// Names that no other worker, workload or run has.
#[derive(Clone, Debug)]
struct OwnNames {
    run: u128,
    next: Arc<AtomicU64>,
}

impl OwnNames {
    fn new() -> Self {
        static WORKLOADS: AtomicU64 = AtomicU64::new(0);
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        // A bucket on a server of somebody else's may have the keys of an earlier run.
        let run = since.as_nanos() << 16 | u128::from(WORKLOADS.fetch_add(1, Ordering::Relaxed) & 0xffff);
        Self { run, next: Arc::default() }
    }

    fn next(&self) -> String {
        format!("own.{:x}.{}", self.run, self.next.fetch_add(1, Ordering::Relaxed))
    }
}
