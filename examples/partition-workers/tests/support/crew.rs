//! The workers of one group, in this process: they join, leave and crash as a test wants.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::time::Duration;

use async_nats::{Client, jetstream};
use isolated_nats::time_factor;
use partition_workers::{Config, Handler, Manager, Partition, Status, Worker};

/// What a test returns, and what its parts do.
pub type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// The group, and so its bucket.
pub const GROUP: &str = "crew";

/// How long anything may take that takes a moment.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The workers, in the order in which they joined.
#[derive(Debug)]
pub struct Crew {
    manager: Manager,
    partitions: u32,
    workers: Vec<Worker>,
    joined: usize,
}

impl Crew {
    /// A group without workers, which will share one connection.
    pub async fn open(client: Client, partitions: u32, lease: Duration) -> Outcome<Self> {
        let config = Config::new(GROUP, partitions).lease(lease);
        let manager = Manager::open(jetstream::new(client), config).await?;
        Ok(Self { manager, partitions, workers: Vec::new(), joined: 0 })
    }

    pub fn len(&self) -> usize {
        self.workers.len()
    }

    /// Another worker, of a name that none had before.
    pub async fn join(&mut self, handler: impl Handler) -> Outcome {
        self.joined += 1;
        self.workers.push(self.manager.start_worker(format!("w{}", self.joined), handler).await?);
        Ok(())
    }

    /// The worker is no longer of the crew: stop it, or drop it, which is a crash.
    pub fn take(&mut self, index: usize) -> Worker {
        self.workers.remove(index)
    }

    /// How the group stands once it is stable; every partition then has one owner, which agrees, and the work is shared evenly.
    pub async fn stable(&self) -> Outcome<Status> {
        let status = self.wait_until("stable", Status::is_stable).await?;
        self.check(&status)?;
        Ok(status)
    }

    /// How the group stands once all of the crew are its members, nobody else is, and it stands as asked for. Their number would not
    /// do: after a crash the dead is a member for a while, in whose place another may have joined.
    pub async fn wait_until(
        &self,
        name: &str,
        mut is: impl FnMut(&Status) -> bool + Send,
    ) -> Outcome<Status> {
        let names: BTreeSet<&str> = self.workers.iter().map(Worker::id).collect();
        let limit = PATIENCE.mul_f64(time_factor());
        let waited = self.manager.wait_until(|status| status.workers.keys().eq(names.iter()) && is(status));
        match tokio::time::timeout(limit, waited).await {
            Ok(status) => Ok(status?),
            Err(_) => {
                let status = self.manager.status().await?;
                Err(format!("the group of {names:?} was not {name} within {limit:?}: {status:?}").into())
            }
        }
    }

    fn check(&self, status: &Status) -> Outcome {
        let owned: BTreeMap<String, Vec<Partition>> =
            self.workers.iter().map(|worker| (worker.id().to_owned(), worker.owned())).collect();
        if owned != status.workers {
            return Err(format!("the workers own {owned:?}, and are assigned {:?}", status.workers).into());
        }
        let mut all: Vec<_> = owned.into_values().flatten().collect();
        all.sort_unstable();
        if !all.iter().copied().eq(0..self.partitions) {
            return Err(format!("not each partition has one owner: {all:?}").into());
        }
        let (most, fewest) = shares(status);
        if most - fewest > 1 {
            return Err(format!("one has {most} partitions and another {fewest}").into());
        }
        Ok(())
    }

    /// All leave, one after the other.
    pub async fn disband(mut self) -> Outcome {
        while let Some(worker) = self.workers.pop() {
            worker.stop().await?;
        }
        Ok(())
    }
}

/// How many partitions the worker with most of them has, and that with fewest; 0 without workers.
pub fn shares(status: &Status) -> (usize, usize) {
    let shares = || status.workers.values().map(Vec::len);
    (shares().max().unwrap_or(0), shares().min().unwrap_or(0))
}
