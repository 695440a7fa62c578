//! Finding an entry and judging it.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::UNIX_EPOCH,
};

use serde::{Deserialize, Serialize};

use crate::{Source, Version, fetch::hash_file, reason::Reason, target::Target};

pub(super) const MANIFEST: &str = "manifest.json";
/// The version of the layout and of the manifest.
const SCHEMA: u32 = 1;

/// What was published, and where it came from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) schema: u32,
    pub(crate) version: String,
    pub(crate) target: String,
    pub(crate) source: Source,
    /// The URL, file or package it came from.
    pub(crate) place: String,
    /// The sum of the archive or wheel; none for a build.
    pub(crate) archive_sha256: Option<String>,
    pub(crate) binary_sha256: String,
    pub(crate) size_bytes: u64,
    /// Nanoseconds since 1970 by the file system's clock.
    pub(crate) modified_ns: u64,
    /// Seconds since 1970.
    pub(crate) acquired_s: u64,
}

impl Manifest {
    pub(super) const CURRENT: u32 = SCHEMA;
}

/// A usable entry.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) binary: PathBuf,
    pub(crate) manifest: Manifest,
}

#[derive(Debug)]
pub(crate) enum Lookup {
    Hit(Box<Entry>),
    Miss,
    /// Only damaged entries: each directory, and what is wrong with it.
    Damaged(Vec<(PathBuf, String)>),
}

/// Looks for a version in one cache. `pin` is the sum that the archive must have had; `verify` hashes the whole file.
///
/// On a hit this lists one directory, reads the manifest and asks for the size and time of the binary.
pub(crate) fn lookup(
    root: &Path,
    version: &Version,
    target: Target,
    pin: Option<&str>,
    verify: bool,
) -> Lookup {
    let directory = target_directory(root, version, target);
    let Ok(entries) = fs::read_dir(directory) else { return Lookup::Miss };
    let mut damaged = Vec::new();
    let mut best: Option<Entry> = None;
    for directory in entries.filter_map(Result::ok).map(|entry| entry.path()) {
        match judge(&directory, version, target, verify) {
            Ok(entry) if pin.is_some_and(|pin| entry.manifest.archive_sha256.as_deref() != Some(pin)) => {}
            Ok(entry) => {
                if best.as_ref().is_none_or(|best| entry.manifest.source < best.manifest.source) {
                    best = Some(entry);
                }
            }
            Err(what) => damaged.push((directory, what)),
        }
    }
    match best {
        Some(entry) => Lookup::Hit(Box::new(entry)),
        None if damaged.is_empty() => Lookup::Miss,
        None => Lookup::Damaged(damaged),
    }
}

pub(super) fn target_directory(root: &Path, version: &Version, target: Target) -> PathBuf {
    let mut path = root.join(format!("v{SCHEMA}"));
    path.push(version.to_string());
    path.push(target.to_string());
    path
}

/// Returns the entry if its binary is the one that was published, else what is wrong with it.
fn judge(directory: &Path, version: &Version, target: Target, verify: bool) -> Result<Entry, String> {
    let text = fs::read(directory.join(MANIFEST))
        .map_err(|error| format!("its manifest cannot be read: {error}"))?;
    let manifest: Manifest =
        serde_json::from_slice(&text).map_err(|error| format!("its manifest cannot be parsed: {error}"))?;
    if manifest.schema != SCHEMA
        || manifest.version != version.to_string()
        || manifest.target != target.to_string()
    {
        return Err("its manifest is for something else".to_owned());
    }
    let binary = directory.join(target.executable());
    let metadata = fs::metadata(&binary).map_err(|error| format!("its binary cannot be read: {error}"))?;
    if !metadata.is_file() || !is_executable(&metadata) {
        return Err("its binary is not executable".to_owned());
    }
    if metadata.len() != manifest.size_bytes {
        return Err(format!("its binary has {} bytes, not {}", metadata.len(), manifest.size_bytes));
    }
    let modified = modified_ns(&metadata);
    let mut entry = Entry { binary, manifest };
    if verify || modified != entry.manifest.modified_ns {
        check_sum(&entry)?;
    }
    if modified != entry.manifest.modified_ns {
        // A restored backup or a copied image keeps the bytes and not the time: remember, so that it is hashed once.
        entry.manifest.modified_ns = modified;
        remember(directory, &entry.manifest);
    }
    Ok(entry)
}

fn check_sum(entry: &Entry) -> Result<(), String> {
    let actual = hash_file(&entry.binary).map_err(|error| format!("its binary cannot be read: {error}"))?;
    if actual == entry.manifest.binary_sha256 {
        Ok(())
    } else {
        Err(format!("its binary has the SHA-256 {actual}, not {}", entry.manifest.binary_sha256))
    }
}

/// Best effort: a read-only cache is hashed each time, and is right each time.
fn remember(directory: &Path, manifest: &Manifest) {
    static COUNTER: AtomicU32 = AtomicU32::new(0);

    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    let temporary = directory.join(format!("{MANIFEST}.{}-{count}", std::process::id()));
    let written =
        write_manifest(&temporary, manifest).and_then(|()| fs::rename(&temporary, directory.join(MANIFEST)));
    if let Err(error) = written {
        tracing::debug!(%error, directory = %directory.display(), "the manifest keeps its old time");
        let _ = fs::remove_file(&temporary);
    }
}

pub(super) fn write_manifest(path: &Path, manifest: &Manifest) -> io::Result<()> {
    let text = serde_json::to_vec_pretty(manifest)?;
    fs::write(path, text)
}

/// Puts damaged entries aside; only whoever holds the lock may do so.
pub(crate) fn quarantine(root: &Path, key: &str, damaged: &[(PathBuf, String)]) -> Result<(), Reason> {
    let directory = root.join("quarantine");
    fs::create_dir_all(&directory).map_err(Reason::io("create", &directory))?;
    for (entry, what) in damaged {
        let name = entry.file_name().unwrap_or_default().to_string_lossy();
        let aside = directory.join(format!("{key}-{name}"));
        // One of each is enough to look into; without this, a disk that decays would fill up.
        let _ = fs::remove_dir_all(&aside);
        let _ = fs::remove_file(&aside);
        fs::rename(entry, &aside).map_err(Reason::io("put aside the damaged", entry))?;
        tracing::warn!(entry = %entry.display(), aside = %aside.display(), what, "a damaged entry was put aside");
    }
    Ok(())
}

#[cfg(unix)]
fn is_executable(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;

    metadata.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_metadata: &fs::Metadata) -> bool {
    true
}

/// Nanoseconds since 1970, zero where the file system has no times: then the manifest has zero too.
pub(super) fn modified_ns(metadata: &fs::Metadata) -> u64 {
    let since = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.and_then(|since| u64::try_from(since.as_nanos()).ok()).unwrap_or(0)
}
