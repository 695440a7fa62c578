//! The values in the bucket, and their keys.

use std::collections::BTreeMap;

use async_nats::jetstream::kv;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{Config, Error, Partition};

pub(crate) const GROUP: &str = "group";
pub(crate) const LEADER: &str = "leader";
pub(crate) const ASSIGNMENT: &str = "assignment";
pub(crate) const ALL_WORKERS: &str = "workers.*";
const WORKERS: &str = "workers.";

/// The key by which a worker is a member.
pub(crate) fn worker_key(id: &str) -> String {
    format!("{WORKERS}{id}")
}

/// The worker of a key, if it is that of one.
pub(crate) fn worker_of(key: &str) -> Option<&str> {
    key.strip_prefix(WORKERS)
}

/// What all members of a group agree on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) partitions: u32,
    pub(crate) lease_ms: u64,
}

impl Group {
    pub(crate) fn of(config: &Config) -> Self {
        let lease_ms = u64::try_from(config.lease.as_millis()).unwrap_or(u64::MAX);
        Self { partitions: config.partitions, lease_ms }
    }
}

impl std::fmt::Display for Group {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} partitions and a lease of {} ms", self.partitions, self.lease_ms)
    }
}

/// Who leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Leader {
    pub(crate) id: String,
    /// The membership that won the chair: one worker at most leads for it at a time.
    pub(crate) incarnation: u64,
}

/// That a worker lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Member {
    /// Tells this membership from earlier ones of the same name.
    pub(crate) incarnation: u64,
    /// The revision of the last assignment it has acted upon: it holds nothing which that one does not give to it. 0 before the first.
    pub(crate) acted_upon: u64,
}

/// Who owns what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Assignment {
    /// Who wrote it.
    pub(crate) leader: String,
    pub(crate) workers: BTreeMap<String, Owner>,
}

/// What one worker owns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Owner {
    pub(crate) incarnation: u64,
    /// That of the worker's key when the leader first took it into account: whoever knows no later one knows less than that leader did.
    pub(crate) revision: u64,
    /// Ascending.
    pub(crate) partitions: Vec<Partition>,
}

impl Assignment {
    /// The partitions that nobody owns, ascending.
    pub(crate) fn unassigned(&self, partitions: u32) -> Vec<Partition> {
        let mut free = vec![true; partitions as usize];
        for partition in self.workers.values().flat_map(|owner| &owner.partitions) {
            if let Some(is_free) = free.get_mut(*partition as usize) {
                *is_free = false;
            }
        }
        (0..partitions).filter(|partition| free[*partition as usize]).collect()
    }

    /// Whether this membership is one of those it was made for.
    pub(crate) fn names(&self, id: &str, incarnation: u64) -> bool {
        self.workers.get(id).is_some_and(|owner| owner.incarnation == incarnation)
    }

    /// What this membership owns, ascending.
    pub(crate) fn of(&self, id: &str, incarnation: u64) -> &[Partition] {
        let owner = self.workers.get(id).filter(|owner| owner.incarnation == incarnation);
        owner.map_or(&[], |owner| &owner.partitions)
    }
}

/// The bytes of a value.
pub(crate) fn write(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("numbers, texts, and maps by text can be written")
}

/// Reads the value of an entry; `None` if it says that the key is gone.
pub(crate) fn read<T: DeserializeOwned>(entry: &kv::Entry) -> Result<Option<T>, Error> {
    if entry.operation != kv::Operation::Put {
        return Ok(None);
    }
    let value = serde_json::from_slice(&entry.value);
    value.map(Some).map_err(|source| Error::Unreadable { key: entry.key.clone(), source })
}
