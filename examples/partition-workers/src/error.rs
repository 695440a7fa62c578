//! What can go wrong.

use std::time::Duration;

use async_nats::jetstream;

use crate::Config;

/// Why a group could not be opened, or a worker not started or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A group or a worker has a name that cannot be one.
    #[error("`{name}` cannot be a name (letters, digits, `-` and `_` can, as they become parts of subjects)")]
    InvalidName {
        /// The name.
        name: String,
    },
    /// There are too many partitions, or none.
    #[error("a group cannot have {partitions} partitions (1 to {} it can)", Config::MOST_PARTITIONS)]
    InvalidPartitions {
        /// Their number.
        partitions: u32,
    },
    /// The lease is too short to be renewed in time, or longer than a day.
    #[error("a lease cannot be {lease:?} ({:?} to {:?} it can)", Config::LEAST_LEASE, Config::MOST_LEASE)]
    InvalidLease {
        /// The lease.
        lease: Duration,
    },
    /// The group exists, and its members have agreed on something else.
    #[error(
        "group `{group}` was opened with {theirs}, not with {ours} (use the same, or another name for the group)"
    )]
    Disagreement {
        /// The group.
        group: String,
        /// What its members say.
        theirs: String,
        /// What this manager was told.
        ours: String,
    },
    /// A living worker has this name already.
    #[error(
        "worker `{id}` is running already (a name is free again when its worker has stopped, or a lease after its crash)"
    )]
    IdInUse {
        /// The worker's name.
        id: String,
    },
    /// The worker did not end by itself: a panic of its handler.
    #[error("worker `{id}` has ended by a panic of its handler")]
    HandlerPanicked {
        /// The worker's name.
        id: String,
    },
    /// The server did not answer within a lease.
    #[error(
        "worker `{id}` has stopped, and the server did not answer within {lease:?} (the others wait for its lease to run out)"
    )]
    NotHeard {
        /// The worker's name.
        id: String,
        /// The lease.
        lease: Duration,
    },
    /// A value in the bucket is none of this library's.
    #[error(
        "`{key}` is not what this library writes (does another program use the bucket, or another version?)"
    )]
    Unreadable {
        /// The key.
        key: String,
        /// How it fails to be read.
        source: serde_json::Error,
    },
    /// The bucket could not be created or opened.
    #[error(
        "the bucket of group `{group}` could not be opened (does the server have JetStream, and no bucket of this name with other settings?)"
    )]
    Open {
        /// The group.
        group: String,
        /// What async-nats says.
        source: jetstream::context::CreateKeyValueError,
    },
    /// A value could not be read.
    #[error("`{key}` could not be read")]
    Read {
        /// The key.
        key: String,
        /// What async-nats says.
        source: jetstream::kv::EntryError,
    },
    /// A value could not be written.
    #[error("`{key}` could not be written")]
    Write {
        /// The key.
        key: String,
        /// What async-nats says.
        source: jetstream::kv::UpdateError,
    },
    /// What is left of a removed key could not be erased.
    #[error("`{key}` could not be erased")]
    Erase {
        /// The key.
        key: String,
        /// What async-nats says.
        source: jetstream::stream::PurgeError,
    },
    /// The workers of a group could not be listed.
    #[error("the workers of group `{group}` could not be listed")]
    List {
        /// The group.
        group: String,
        /// What async-nats says.
        source: jetstream::stream::InfoError,
    },
    /// The bucket could not be watched.
    #[error("the bucket could not be watched")]
    Watch {
        /// What async-nats says.
        source: jetstream::kv::WatchError,
    },
    /// Watching the bucket has ended.
    #[error("watching the bucket has ended")]
    Watching {
        /// What async-nats says, if anything.
        source: Option<jetstream::kv::WatcherError>,
    },
}
