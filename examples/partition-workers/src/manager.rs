//! A group, as one process sees it.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_nats::jetstream::{self, kv};
use futures_util::{FutureExt, StreamExt};

use crate::bucket::{Bucket, is_conflict};
use crate::plan::{Heard, Workers, is_settled, members};
use crate::records::{ALL_WORKERS, ASSIGNMENT, Assignment, GROUP, Group, worker_key};
use crate::{Config, Error, Handler, Partition, Worker};

/// A group of workers: starts them, and tells how it stands. A handle, cheap to clone.
#[derive(Clone, Debug)]
pub struct Manager {
    bucket: Arc<Bucket>,
}

/// How a group stands, as of one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// The worker that wrote the assignment; `None` before the first.
    pub leader: Option<String>,
    /// The workers that are members, by name, and what each is assigned, ascending.
    pub workers: BTreeMap<String, Vec<Partition>>,
    /// Partitions that nobody is assigned, ascending.
    pub unassigned: Vec<Partition>,
    /// The revision of the assignment; 0 before the first.
    pub revision: u64,
    /// Whether the assignment is that of these members, and every one of them has acted upon it.
    pub settled: bool,
}

impl Status {
    /// Whether each partition has an owner, and all members have acted upon the assignment.
    #[must_use]
    pub fn is_stable(&self) -> bool {
        self.settled && self.unassigned.is_empty()
    }

    /// Returns each partition's owner; those without one are missing.
    #[must_use]
    pub fn owners(&self) -> BTreeMap<Partition, String> {
        let pairs = self.workers.iter().flat_map(|(id, owned)| owned.iter().map(move |p| (*p, id.clone())));
        pairs.collect()
    }
}

impl Manager {
    /// Opens a group: creates its bucket, or joins the others in it.
    ///
    /// # Errors
    ///
    /// [`InvalidName`](Error::InvalidName), [`InvalidPartitions`](Error::InvalidPartitions), [`InvalidLease`](Error::InvalidLease);
    /// [`Disagreement`](Error::Disagreement) if the group was opened with other partitions or another lease; [`Open`](Error::Open),
    /// [`Read`](Error::Read), [`Write`](Error::Write) if the server refuses.
    pub async fn open(jetstream: jetstream::Context, config: Config) -> Result<Self, Error> {
        config.check()?;
        let bucket = kv::Config {
            bucket: config.group.clone(),
            history: 1,
            storage: config.storage,
            num_replicas: config.replicas,
            ..Default::default()
        };
        let store = jetstream.create_key_value(bucket).await;
        let store = store.map_err(|source| Error::Open { group: config.group.clone(), source })?;
        let bucket = Bucket::new(store, config);
        agree(&bucket).await?;
        Ok(Self { bucket: Arc::new(bucket) })
    }

    /// Returns what the group was opened with.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.bucket.config
    }

    /// Starts a worker, and returns once it is a member: what it gets, its handler is told soon after.
    ///
    /// Dropped before it returns, or after an error, it may have taken the name already, which is then in use until a lease has run out.
    ///
    /// # Errors
    ///
    /// [`InvalidName`](Error::InvalidName); [`IdInUse`](Error::IdInUse) while a worker of this name lives, which takes up to 1.25
    /// leases to be known; [`Read`](Error::Read) and [`Write`](Error::Write) if the server refuses.
    pub async fn start_worker(&self, id: impl Into<String>, handler: impl Handler) -> Result<Worker, Error> {
        Worker::start(self.bucket.clone(), id.into(), handler).await
    }

    /// Reads how the group stands: whoever was a member before the call is in it, unless it has gone since.
    ///
    /// # Errors
    ///
    /// [`Read`](Error::Read) and [`List`](Error::List) if the server does not answer, [`Unreadable`](Error::Unreadable).
    pub async fn status(&self) -> Result<Status, Error> {
        // The assignment first: who has acted upon it since has acted upon it.
        let (assignment, revision) = self.bucket.value::<Assignment>(ASSIGNMENT).await?;
        let mut workers = Workers::new();
        for id in self.bucket.workers().await? {
            let (member, revision) = self.bucket.value(&worker_key(&id)).await?;
            workers.insert(id, Heard { member, revision });
        }
        Ok(status(&assignment.unwrap_or_default(), revision, &workers, self.bucket.config.partitions))
    }

    /// Waits until the group is stable and has exactly so many workers, one at least, without a limit of its own. One that has just
    /// crashed counts until it is missed. Without workers no group is stable: nobody owns its partitions.
    ///
    /// # Errors
    ///
    /// As of [`wait_until`](Self::wait_until).
    pub async fn wait_until_stable(&self, workers: usize) -> Result<Status, Error> {
        self.wait_until(|status| status.is_stable() && status.workers.len() == workers).await
    }

    /// Waits until the group stands as asked for, without a limit of its own. It is read anew whenever the bucket changes.
    ///
    /// # Errors
    ///
    /// As of [`status`](Self::status); [`Watch`](Error::Watch) and [`Watching`](Error::Watching) if the bucket cannot be watched.
    pub async fn wait_until(&self, mut is: impl FnMut(&Status) -> bool + Send) -> Result<Status, Error> {
        let mut changes = self.bucket.watch(&[ASSIGNMENT, ALL_WORKERS]).await?;
        loop {
            let status = self.status().await?;
            if is(&status) {
                return Ok(status);
            }
            changed(&mut changes).await?;
        }
    }
}

/// Waits for a change, and takes with it all that have happened.
async fn changed(changes: &mut kv::Watch) -> Result<(), Error> {
    let mut change = changes.next().await;
    loop {
        match change {
            Some(Ok(_)) => {}
            Some(Err(source)) => return Err(Error::Watching { source: Some(source) }),
            None => return Err(Error::Watching { source: None }),
        }
        match changes.next().now_or_never() {
            Some(another) => change = another,
            None => return Ok(()),
        }
    }
}

/// Writes what the group agrees on, or compares with what the first has written.
async fn agree(bucket: &Bucket) -> Result<(), Error> {
    let ours = Group::of(&bucket.config);
    loop {
        let (theirs, revision) = bucket.value::<Group>(GROUP).await?;
        match theirs {
            Some(theirs) if theirs == ours => return Ok(()),
            Some(theirs) => {
                let group = bucket.config.group.clone();
                return Err(Error::Disagreement {
                    group,
                    theirs: theirs.to_string(),
                    ours: ours.to_string(),
                });
            }
            None => match bucket.replace(GROUP, &ours, revision).await {
                Err(error) if is_conflict(&error) => {}
                written => return written.map(|_| ()),
            },
        }
    }
}

fn status(assignment: &Assignment, revision: u64, workers: &Workers, partitions: u32) -> Status {
    let assigned = members(workers)
        .map(|(id, member, _)| (id.to_owned(), assignment.of(id, member.incarnation).to_vec()));
    let assigned: BTreeMap<String, Vec<Partition>> = assigned.collect();
    let is_theirs = assignment.workers.len() == assigned.len()
        && members(workers).all(|(id, member, _)| assignment.names(id, member.incarnation));
    Status {
        leader: (revision > 0).then(|| assignment.leader.clone()),
        unassigned: unassigned(&assigned, partitions),
        workers: assigned,
        revision,
        settled: revision > 0 && is_theirs && is_settled(revision, workers),
    }
}

fn unassigned(workers: &BTreeMap<String, Vec<Partition>>, partitions: u32) -> Vec<Partition> {
    let mut owned: Vec<Partition> = workers.values().flatten().copied().collect();
    owned.sort_unstable();
    (0..partitions).filter(|partition| owned.binary_search(partition).is_err()).collect()
}
