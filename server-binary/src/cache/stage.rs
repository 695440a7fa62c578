//! Making an entry: in a directory of its own, then published by one rename.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use super::{
    Entry, Lock, Lookup, Manifest,
    entry::{MANIFEST, lookup, modified_ns, target_directory, write_manifest},
    key,
};
use crate::{Source, Version, fetch::hash_file, reason::Reason, target::Target};

/// How much of the binary's sum names its directory.
const PREFIX: usize = 16;

/// A temporary directory for one attempt, removed when dropped.
#[derive(Debug)]
pub(crate) struct Stage {
    root: PathBuf,
    directory: PathBuf,
    version: Version,
    target: Target,
}

/// What the manifest says beyond the file itself.
pub(crate) struct Facts {
    pub(crate) source: Source,
    pub(crate) place: String,
    pub(crate) archive_sha256: Option<String>,
}

impl Stage {
    /// Makes the directory, after removing what dead processes left of the same version.
    pub(crate) fn new(root: &Path, version: &Version, target: Target, lock: &Lock) -> Result<Self, Reason> {
        static COUNTER: AtomicU32 = AtomicU32::new(0);

        let all = root.join("tmp").join(key(version, target));
        if lock.is_exclusive() {
            let _ = fs::remove_dir_all(&all);
        }
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        let directory = all.join(format!("{}-{}-{count}", std::process::id(), now().as_nanos()));
        let entry = directory.join("entry");
        fs::create_dir_all(&entry).map_err(Reason::io("create", &entry))?;
        Ok(Self { root: root.to_owned(), directory, version: version.clone(), target })
    }

    /// Returns the directory, for what is needed on the way.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns where the executable has to be for `publish`.
    pub(crate) fn binary(&self) -> PathBuf {
        self.directory.join("entry").join(self.target.executable())
    }

    /// Moves the executable into the cache, or takes the equal one that came there first.
    pub(crate) fn publish(self, facts: Facts) -> Result<Entry, Reason> {
        let binary = self.binary();
        let manifest = self.describe(&binary, facts)?;
        let path = self.directory.join("entry").join(MANIFEST);
        write_manifest(&path, &manifest).map_err(Reason::io("write", &path))?;
        sync(&path)?;
        let parent = target_directory(&self.root, &self.version, self.target);
        fs::create_dir_all(&parent).map_err(Reason::io("create", &parent))?;
        let place = parent.join(&manifest.binary_sha256[..PREFIX]);
        if let Err(source) = fs::rename(self.directory.join("entry"), &place) {
            return self.equal_one().ok_or(Reason::Io { doing: "publish", path: place, source });
        }
        // The entry is complete without it; this makes it survive a loss of power.
        let _ = File::open(&parent).and_then(|directory| directory.sync_all());
        Ok(Entry { binary: place.join(self.target.executable()), manifest })
    }

    fn describe(&self, binary: &Path, facts: Facts) -> Result<Manifest, Reason> {
        make_executable(binary).map_err(Reason::io("make executable", binary))?;
        sync(binary)?;
        let metadata = fs::metadata(binary).map_err(Reason::io("read", binary))?;
        Ok(Manifest {
            schema: Manifest::CURRENT,
            version: self.version.to_string(),
            target: self.target.to_string(),
            source: facts.source,
            place: facts.place,
            archive_sha256: facts.archive_sha256,
            binary_sha256: hash_file(binary).map_err(Reason::io("read", binary))?,
            size_bytes: metadata.len(),
            modified_ns: modified_ns(&metadata),
            acquired_s: now().as_secs(),
        })
    }

    /// Where there are no locks, another process may have published the same: judged like any entry.
    fn equal_one(&self) -> Option<Entry> {
        match lookup(&self.root, &self.version, self.target, None, true) {
            Lookup::Hit(entry) => Some(*entry),
            Lookup::Miss | Lookup::Damaged(_) => None,
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // Best effort: the next fetch removes it too.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Makes a file executable for everybody and writable for us.
#[cfg(unix)]
pub(crate) fn make_executable(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;

    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
pub(crate) fn make_executable(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Waits until a file is on the disk.
pub(crate) fn sync(path: &Path) -> Result<(), Reason> {
    // Windows wants write access for this.
    let file = File::options().append(true).open(path);
    file.and_then(|file| file.sync_all()).map_err(Reason::io("write", path))
}

fn now() -> std::time::Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
