//! What must be there before a load: streams, consumers, messages, keys, objects.

mod error;

use std::collections::VecDeque;
use std::future::IntoFuture as _;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use async_nats::Subject;
use async_nats::jetstream::Context;
use async_nats::jetstream::consumer::pull;
use async_nats::jetstream::kv::{self, CreateErrorKind, Store};
use async_nats::jetstream::stream::{self, StorageType, Stream};
use futures_util::{StreamExt as _, TryStreamExt as _};

#[cfg(any(feature = "object-store", feature = "object-store-aws-lc-rs"))]
use super::object::object_name;
use super::random::{contents, mix, within};
use super::subjects::key_name;
pub use error::{SeedError, SeedErrorKind};

/// How many acks are outstanding: more would be no faster.
const IN_FLIGHT: usize = 256;
/// How many objects are put at a time: each has all its data in memory.
#[cfg(feature = "object-store")]
const OBJECTS_IN_FLIGHT: usize = 4;

/// Makes what a load needs to be there: [`seeder`].
///
/// What is there already is left as it is, and counted in no figure, so a seeder can be run again. Names and contents depend on
/// the settings alone, but for the storage's own times.
///
/// # Examples
///
/// ```no_run
/// // `no_run`: a documentation test would fetch a server.
/// # async fn example(nats: isolated_nats::ExternalNats) -> Result<(), Box<dyn std::error::Error>> {
/// use isolated_nats::operations;
///
/// let seeded = operations::seeder(nats.jetstream().await?)
///     .stream("ORDERS")
///     .messages(10_000, 100..=1_000)
///     .keys("accounts", 1_000, 128..=128)
///     .run()
///     .await?;
/// assert_eq!((seeded.messages, seeded.keys), (10_000, 1_000));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a seeder does nothing until `run`"]
pub struct Seeder {
    context: Context,
    seed: u64,
    streams: Vec<String>,
    storage: StorageType,
    consumers: usize,
    subjects: usize,
    messages: Amount,
    keys: Vec<(String, Amount)>,
    #[cfg(any(feature = "object-store", feature = "object-store-aws-lc-rs"))]
    objects: Vec<(String, Amount)>,
}

/// How many, and how large.
#[derive(Clone, Debug)]
struct Amount {
    count: u64,
    sizes: RangeInclusive<usize>,
}

/// What a [`Seeder`] made; what was there already is in no count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Seeded {
    /// Names of all streams asked for, made or found, in order.
    pub streams: Vec<String>,
    /// Consumers that were made or found, in all streams together: the server does not tell which.
    pub consumers: u64,
    /// Messages published and acknowledged.
    pub messages: u64,
    /// Bytes of their payloads.
    pub message_bytes: u64,
    /// Keys created.
    pub keys: u64,
    /// Bytes of their values.
    pub key_bytes: u64,
    /// Objects put.
    pub objects: u64,
    /// Bytes of their contents.
    pub object_bytes: u64,
    /// How long it took, by the monotonic clock.
    pub elapsed: Duration,
}

/// Returns a seeder that makes nothing yet.
pub fn seeder(context: Context) -> Seeder {
    let none = Amount { count: 0, sizes: 128..=128 };
    Seeder {
        context,
        seed: 0,
        streams: Vec::new(),
        storage: StorageType::File,
        consumers: 0,
        subjects: 1,
        messages: none,
        keys: Vec::new(),
        #[cfg(any(feature = "object-store", feature = "object-store-aws-lc-rs"))]
        objects: Vec::new(),
    }
}

impl Seeder {
    /// What sizes and contents are drawn from. Default: 0.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Makes the stream `name` with the subjects `<name>.>`; one that is there is taken as it is.
    pub fn stream(mut self, name: impl Into<String>) -> Self {
        self.streams.push(name.into());
        self
    }

    /// Makes `count` streams, `<name>-0` and so on, as [`stream`](Self::stream) does.
    pub fn streams(mut self, name: &str, count: usize) -> Self {
        self.streams.extend((0..count).map(|number| format!("{name}-{number}")));
        self
    }

    /// Where streams and buckets keep what they have. Default: in files.
    pub fn storage(mut self, storage: StorageType) -> Self {
        self.storage = storage;
        self
    }

    /// Makes `count` durable pull consumers in each stream, `consumer-0` and so on. Default: none.
    pub fn consumers(mut self, count: usize) -> Self {
        self.consumers = count;
        self
    }

    /// Publishes into each stream until it has `count` messages, of sizes drawn from `sizes`, in bytes. Default: none.
    pub fn messages(mut self, count: u64, sizes: RangeInclusive<usize>) -> Self {
        self.messages = Amount { count, sizes };
        self
    }

    /// On how many subjects of each stream messages are, in turn: `<stream>.0` and so on. Default: 1; 0 is taken as 1.
    pub fn subjects(mut self, count: usize) -> Self {
        self.subjects = count.max(1);
        self
    }

    /// Creates `count` keys in `bucket`, `key.0` and so on, with values of sizes drawn from `sizes`, in bytes. The bucket is made
    /// if need be, with a history of 1; one that is there is taken as it is.
    pub fn keys(mut self, bucket: impl Into<String>, count: u64, sizes: RangeInclusive<usize>) -> Self {
        self.keys.push((bucket.into(), Amount { count, sizes }));
        self
    }

    /// Puts `count` objects into the store `bucket`, `object-0` and so on, of sizes drawn from `sizes`, in bytes; it is made if need
    /// be.
    #[cfg(any(feature = "object-store", feature = "object-store-aws-lc-rs"))]
    pub fn objects(mut self, bucket: impl Into<String>, count: u64, sizes: RangeInclusive<usize>) -> Self {
        self.objects.push((bucket.into(), Amount { count, sizes }));
        self
    }

    /// Makes it all, with up to 256 acks outstanding.
    ///
    /// # Errors
    ///
    /// The first that occurs, with what could not be made; what was made until then stays.
    pub async fn run(self) -> Result<Seeded, SeedError> {
        let started = Instant::now();
        let mut seeded = Seeded::default();
        for name in &self.streams {
            self.make_stream(name, &mut seeded).await?;
        }
        for (bucket, amount) in &self.keys {
            self.make_keys(bucket, amount, &mut seeded).await?;
        }
        #[cfg(any(feature = "object-store", feature = "object-store-aws-lc-rs"))]
        for (bucket, amount) in &self.objects {
            self.make_objects(bucket, amount, &mut seeded).await?;
        }
        seeded.elapsed = started.elapsed();
        Ok(seeded)
    }

    async fn make_stream(&self, name: &str, seeded: &mut Seeded) -> Result<(), SeedError> {
        let config = stream::Config {
            name: name.into(),
            subjects: vec![format!("{name}.>")],
            storage: self.storage,
            ..Default::default()
        };
        let made = self.context.get_or_create_stream(config).await;
        let stream = made.map_err(|error| SeedError::new(SeedErrorKind::Stream, name, error))?;
        for number in 0..self.consumers {
            let durable = format!("consumer-{number}");
            let config = pull::Config { durable_name: Some(durable.clone()), ..Default::default() };
            let made = stream.create_consumer(config).await;
            made.map_err(|error| SeedError::new(SeedErrorKind::Consumer, durable, error))?;
            seeded.consumers += 1;
        }
        self.make_messages(&stream, name, seeded).await?;
        seeded.streams.push(name.into());
        Ok(())
    }

    async fn make_messages(&self, stream: &Stream, name: &str, seeded: &mut Seeded) -> Result<(), SeedError> {
        let subjects: Vec<Subject> =
            (0..self.subjects).map(|number| format!("{name}.{number}").into()).collect();
        let failed = |error| SeedError::new(SeedErrorKind::Message, name, error);
        let mut outstanding = VecDeque::with_capacity(IN_FLIGHT);
        let first = stream.cached_info().state.messages;
        for (number, subject) in (0..self.messages.count).zip(subjects.iter().cycle()).skip(skipped(first)) {
            let payload = self.content(&self.messages, name, number);
            seeded.messages += 1;
            seeded.message_bytes += payload.len() as u64;
            outstanding.push_back(self.context.publish(subject.clone(), payload).await.map_err(failed)?);
            if outstanding.len() == IN_FLIGHT
                && let Some(oldest) = outstanding.pop_front()
            {
                oldest.into_future().await.map_err(failed)?;
            }
        }
        for ack in outstanding {
            ack.into_future().await.map_err(failed)?;
        }
        Ok(())
    }

    async fn make_keys(&self, bucket: &str, amount: &Amount, seeded: &mut Seeded) -> Result<(), SeedError> {
        let store = self.bucket(bucket).await?;
        let created = futures_util::stream::iter(0..amount.count)
            .map(|number| {
                let key = key_name(usize::try_from(number).unwrap_or(usize::MAX));
                create(&store, key, self.content(amount, bucket, number))
            })
            .buffer_unordered(IN_FLIGHT);
        let sizes: Vec<Option<u64>> = created.try_collect().await?;
        seeded.keys += sizes.iter().flatten().count() as u64;
        seeded.key_bytes += sizes.iter().flatten().sum::<u64>();
        Ok(())
    }

    async fn bucket(&self, name: &str) -> Result<Store, SeedError> {
        if let Ok(store) = self.context.get_key_value(name).await {
            return Ok(store);
        }
        let config = kv::Config { bucket: name.into(), storage: self.storage, ..Default::default() };
        let made = self.context.create_key_value(config).await;
        made.map_err(|error| SeedError::new(SeedErrorKind::Bucket, name, error))
    }

    #[cfg(any(feature = "object-store", feature = "object-store-aws-lc-rs"))]
    async fn make_objects(
        &self,
        bucket: &str,
        amount: &Amount,
        seeded: &mut Seeded,
    ) -> Result<(), SeedError> {
        use async_nats::jetstream::object_store::Config;

        let store = if let Ok(store) = self.context.get_object_store(bucket).await {
            store
        } else {
            let config = Config { bucket: bucket.into(), storage: self.storage, ..Default::default() };
            let made = self.context.create_object_store(config).await;
            made.map_err(|error| SeedError::new(SeedErrorKind::Bucket, bucket, error))?
        };
        let put = futures_util::stream::iter(0..amount.count)
            .map(|number| {
                let name = object_name(usize::try_from(number).unwrap_or(usize::MAX));
                put_object(&store, name, move || self.content(amount, bucket, number))
            })
            .buffer_unordered(OBJECTS_IN_FLIGHT);
        let sizes: Vec<Option<u64>> = put.try_collect().await?;
        seeded.objects += sizes.iter().flatten().count() as u64;
        seeded.object_bytes += sizes.iter().flatten().sum::<u64>();
        Ok(())
    }

    /// The content of one thing: the same for the same seed, place and number.
    fn content(&self, amount: &Amount, place: &str, number: u64) -> bytes::Bytes {
        let place = place.bytes().fold(self.seed, |hash, byte| mix(hash ^ u64::from(byte)));
        let random = mix(place ^ mix(number));
        contents(random, within(&amount.sizes, mix(random)))
    }
}

fn skipped(first: u64) -> usize {
    usize::try_from(first).unwrap_or(usize::MAX)
}

/// Creates a key; returns its value's length, or `None` when it was there.
async fn create(store: &Store, key: String, value: bytes::Bytes) -> Result<Option<u64>, SeedError> {
    let len = value.len() as u64;
    match store.create(&key, value).await {
        Ok(_) => Ok(Some(len)),
        Err(error) if error.kind() == CreateErrorKind::AlreadyExists => Ok(None),
        Err(error) => Err(SeedError::new(SeedErrorKind::Key, key, error)),
    }
}

/// Puts an object; returns its length, or `None` when it was there.
#[cfg(any(feature = "object-store", feature = "object-store-aws-lc-rs"))]
async fn put_object(
    store: &async_nats::jetstream::object_store::ObjectStore,
    name: String,
    content: impl FnOnce() -> bytes::Bytes,
) -> Result<Option<u64>, SeedError> {
    if store.info(&name).await.is_ok_and(|info| !info.deleted) {
        return Ok(None);
    }
    let content = content();
    match store.put(name.as_str(), &mut &content[..]).await {
        Ok(info) => Ok(Some(info.size as u64)),
        Err(error) => Err(SeedError::new(SeedErrorKind::Object, name, error)),
    }
}
