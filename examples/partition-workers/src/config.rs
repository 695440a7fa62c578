//! What the members of a group agree on.

use std::time::Duration;

use async_nats::jetstream::stream::StorageType;

use crate::Error;

/// What a group is: its name, its partitions, its lease. All its members must say the same.
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) group: String,
    pub(crate) partitions: u32,
    pub(crate) lease: Duration,
    pub(crate) replicas: usize,
    pub(crate) storage: StorageType,
}

impl Config {
    /// The shortest lease: a heartbeat is due in each quarter of it.
    pub const LEAST_LEASE: Duration = Duration::from_millis(100);
    /// The longest lease.
    pub const MOST_LEASE: Duration = Duration::from_secs(24 * 60 * 60);
    /// The most partitions: their assignment is one value of the bucket, and below the 1 MiB that a server takes by default.
    pub const MOST_PARTITIONS: u32 = 100_000;

    /// Names a group of 1 to [`MOST_PARTITIONS`](Self::MOST_PARTITIONS) partitions. The name is that of its bucket: letters, digits,
    /// `-` and `_`.
    #[must_use]
    pub fn new(group: impl Into<String>, partitions: u32) -> Self {
        Self {
            group: group.into(),
            partitions,
            lease: Duration::from_secs(3),
            replicas: 1,
            storage: StorageType::File,
        }
    }

    /// How long a worker owns its partitions without having been heard: after a crash they go to others somewhat later, and with a
    /// server away for longer nobody owns any. 3 s by default, from [`LEAST_LEASE`](Self::LEAST_LEASE) to
    /// [`MOST_LEASE`](Self::MOST_LEASE), in whole milliseconds.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// On how many servers of a cluster the bucket is kept; 1 by default.
    #[must_use]
    pub fn replicas(mut self, replicas: usize) -> Self {
        self.replicas = replicas;
        self
    }

    /// Where the bucket is kept; in files by default, so that the group outlives a restart of the server.
    #[must_use]
    pub fn storage(mut self, storage: StorageType) -> Self {
        self.storage = storage;
        self
    }

    /// How often a worker is heard.
    pub(crate) fn interval(&self) -> Duration {
        self.lease / 4
    }

    /// For how long a worker has not been heard when it is taken for dead. A worker's own lease is over before: it counts from when
    /// it sent what others have received later. The quarter is for clocks that do not run equally fast.
    pub(crate) fn patience(&self) -> Duration {
        self.lease + self.lease / 4
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        if !is_name(&self.group) {
            return Err(Error::InvalidName { name: self.group.clone() });
        }
        if self.partitions == 0 || self.partitions > Self::MOST_PARTITIONS {
            return Err(Error::InvalidPartitions { partitions: self.partitions });
        }
        if self.lease < Self::LEAST_LEASE || self.lease > Self::MOST_LEASE {
            return Err(Error::InvalidLease { lease: self.lease });
        }
        Ok(())
    }
}

/// Names are parts of subjects.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}
