//! The cache on disk.
//!
//! ```text
//! <root>/v1/<version>/<os>-<arch>/<prefix of the binary's SHA-256>/nats-server, manifest.json
//! <root>/locks/<version>-<os>-<arch>.lock     never deleted; the kernel drops the lock with its holder
//! <root>/locks/<version>-<os>-<arch>.holder   who holds it, for the others to say
//! <root>/tmp/<version>-<os>-<arch>/<unique>/  whoever holds the lock may remove what is in here
//! <root>/quarantine/<version>-<os>-<arch>-<prefix>/
//! ```
//!
//! An entry appears by one rename and is complete when it does, so reading needs no lock.

mod entry;
mod lock;
mod root;
mod stage;

use entry::Manifest;
pub(crate) use entry::{Entry, Lookup, lookup, quarantine};
pub(crate) use lock::{Lock, Outcome, acquire};
pub(crate) use root::{default_root, readable_roots, writable_root};
pub(crate) use stage::{Facts, Stage, make_executable};

use crate::{Version, target::Target};

/// Names what is locked, and what a temporary directory is for.
pub(crate) fn key(version: &Version, target: Target) -> String {
    format!("{version}-{target}")
}
