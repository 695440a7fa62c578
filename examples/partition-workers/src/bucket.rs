//! The bucket of a group: reads, and writes that name the revision they replace.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use async_nats::jetstream::kv::{self, UpdateErrorKind};
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use serde::{Serialize, de::DeserializeOwned};
use tokio::time::{Instant, sleep_until, timeout};

use crate::records::{ALL_WORKERS, read, worker_of, write};
use crate::{Config, Error};

#[derive(Debug)]
pub(crate) struct Bucket {
    store: kv::Store,
    pub(crate) config: Config,
}

impl Bucket {
    pub(crate) fn new(store: kv::Store, config: Config) -> Self {
        Self { store, config }
    }

    /// The last entry of a key, which may say that it is gone.
    pub(crate) async fn entry(&self, key: &str) -> Result<Option<kv::Entry>, Error> {
        let entry = self.store.entry(key).await;
        entry.map_err(|source| Error::Read { key: key.to_owned(), source })
    }

    /// The value of a key, if it has one, and the revision to replace: 0 for a key that never was.
    pub(crate) async fn value<T: DeserializeOwned>(&self, key: &str) -> Result<(Option<T>, u64), Error> {
        match self.entry(key).await? {
            Some(entry) => Ok((read(&entry)?, entry.revision)),
            None => Ok((None, 0)),
        }
    }

    /// Writes a value in place of this very revision, and returns its own.
    pub(crate) async fn replace(
        &self,
        key: &str,
        value: &impl Serialize,
        revision: u64,
    ) -> Result<u64, Error> {
        let written = self.store.update(key, write(value).into(), revision).await;
        written.map_err(|source| Error::Write { key: key.to_owned(), source })
    }

    /// Removes a key at this very revision.
    pub(crate) async fn remove(&self, key: &str, revision: u64) -> Result<(), Error> {
        let removed = self.store.delete_expect_revision(key, Some(revision)).await;
        removed.map_err(|source| Error::Write { key: key.to_owned(), source })
    }

    /// Removes a key at this very revision; if nothing at all is left of it, what told of its end was erased, and is told again.
    pub(crate) async fn remove_or_mark(&self, key: &str, revision: u64) -> Result<(), Error> {
        match self.remove(key, revision).await {
            Err(error) if is_conflict(&error) => self.remove(key, 0).await,
            removed => removed,
        }
    }

    /// Erases what is left of a removed key up to this revision, so that the bucket does not grow with each key that ever was.
    pub(crate) async fn erase(&self, key: &str, revision: u64) -> Result<(), Error> {
        let subject = format!("{}{key}", self.store.prefix);
        let erased = self.store.stream.purge().filter(subject).sequence(revision + 1).await;
        erased.map(|_| ()).map_err(|source| Error::Erase { key: key.to_owned(), source })
    }

    /// The workers that have a key at this moment, ascending; some may say that they are gone.
    pub(crate) async fn workers(&self) -> Result<Vec<String>, Error> {
        let subjects = format!("{}{ALL_WORKERS}", self.store.prefix);
        let list = |source| Error::List { group: self.config.group.clone(), source };
        let mut found = self.store.stream.info_with_subjects(subjects).await.map_err(list)?;
        let mut ids = Vec::new();
        while let Some((subject, _)) = found.try_next().await.map_err(list)? {
            let id = subject.strip_prefix(&self.store.prefix).and_then(worker_of);
            ids.extend(id.map(str::to_owned));
        }
        ids.sort_unstable();
        Ok(ids)
    }

    /// The last entries of these keys and all later ones, also after the server was away; where it was, some come again.
    pub(crate) fn entries(self: &Arc<Self>, keys: &'static [&'static str]) -> BoxStream<'static, kv::Entry> {
        stream::unfold((self.clone(), None), move |(bucket, mut watch)| async move {
            loop {
                match &mut watch {
                    None => watch = bucket.watch(keys).await.ok(),
                    Some(entries) => match entries.next().await {
                        Some(Ok(entry)) => return Some((entry, (bucket, watch))),
                        Some(Err(_)) | None => watch = None,
                    },
                }
                if watch.is_none() {
                    sleep_until(Instant::now() + bucket.config.interval()).await;
                }
            }
        })
        .boxed()
    }

    /// The last entries of these keys, and all later ones.
    pub(crate) async fn watch(&self, keys: &[&str]) -> Result<kv::Watch, Error> {
        self.store
            .watch_many_with_history(keys.iter().copied())
            .await
            .map_err(|source| Error::Watch { source })
    }
}

/// Whether a write was refused because its key has another revision by now.
pub(crate) fn is_conflict(error: &Error) -> bool {
    matches!(error, Error::Write { source, .. } if source.kind() == UpdateErrorKind::WrongLastRevision)
}

/// A number that tells one membership from all others.
pub(crate) fn unique() -> u64 {
    RandomState::new().hash_one(std::process::id())
}

/// A key that is ours for as long as we renew it in time.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) key: String,
    revision: u64,
}

/// What became of a renewal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Renewal {
    /// The server has acknowledged what was sent at this time.
    Sent(Instant),
    /// Another has the key.
    Lost,
    /// There is no answer: it may have been written or not.
    Unknown,
}

impl Kept {
    pub(crate) fn new(key: String, revision: u64) -> Self {
        Self { key, revision }
    }

    /// Writes the value anew. A renewal without an answer may have been written nevertheless: where the revision is not the one we
    /// know, the value itself tells whose it is.
    pub(crate) async fn renew<T>(
        &mut self,
        bucket: &Bucket,
        value: &T,
        is_ours: impl Fn(&T) -> bool,
    ) -> Renewal
    where
        T: Serialize + DeserializeOwned,
    {
        let half = bucket.config.lease / 2;
        for _ in 0..2 {
            let sent = Instant::now();
            match timeout(half, bucket.replace(&self.key, value, self.revision)).await {
                Ok(Ok(revision)) => {
                    self.revision = revision;
                    return Renewal::Sent(sent);
                }
                Ok(Err(error)) if is_conflict(&error) => {}
                Ok(Err(_)) | Err(_) => return Renewal::Unknown,
            }
            match timeout(half, bucket.value::<T>(&self.key)).await {
                Ok(Ok((Some(value), revision))) if is_ours(&value) => self.revision = revision,
                Ok(Ok(_)) => return Renewal::Lost,
                Ok(Err(_)) | Err(_) => return Renewal::Unknown,
            }
        }
        Renewal::Unknown
    }

    /// Removes the key, unless another has it.
    pub(crate) async fn give_up<T>(
        &mut self,
        bucket: &Bucket,
        is_ours: impl Fn(&T) -> bool,
    ) -> Result<(), Error>
    where
        T: DeserializeOwned,
    {
        loop {
            match bucket.remove(&self.key, self.revision).await {
                Err(error) if is_conflict(&error) => {}
                done => return done,
            }
            match bucket.value::<T>(&self.key).await? {
                (Some(value), revision) if is_ours(&value) => self.revision = revision,
                _ => return Ok(()),
            }
        }
    }
}
