//! The private directory of a server: made for one, owned by a lock, removed or kept as evidence; and the sweep of
//! those whose owner died.
//!
//! A directory belongs to the process that holds the lock on its `owner.lock`, which the kernel frees however that
//! process ends. To make a directory and to look for dead ones exclude each other through `root.lock`, so that nobody
//! sees a directory whose owner has not locked it yet.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, Once};
use std::time::SystemTime;

use super::ours::Mark;

/// How many directories kept as evidence the sweep spares, newest first.
pub(crate) const KEPT: usize = 20;

const OWNER_LOCK: &str = "owner.lock";
const ROOT_LOCK: &str = "root.lock";
const KEPT_MARKER: &str = "kept";

/// The private directory of one server.
#[derive(Debug)]
pub(crate) struct ServerDirectory {
    path: PathBuf,
    /// Held for the directory's life; `None` on a file system without locks, which the sweep then leaves alone.
    owner: Mutex<Option<(File, Mark)>>,
}

impl ServerDirectory {
    /// Makes a directory named after the server; the first call in a process sweeps those of dead processes before.
    ///
    /// The error is with the path at which it happened.
    pub(crate) fn create(server_name: &str) -> Result<Self, (PathBuf, io::Error)> {
        static SWEEP: Once = Once::new();
        let root = root();
        make_private(&root).map_err(|error| (root.clone(), error))?;
        SWEEP.call_once(|| sweep(&root));
        Self::create_in(&root, server_name).map_err(|error| (root.join(server_name), error))
    }

    fn create_in(root: &Path, server_name: &str) -> io::Result<Self> {
        let _shared = RootLock::shared(root);
        let path = root.join(server_name);
        fs::create_dir(&path)?;
        let owner = File::create(path.join(OWNER_LOCK))?;
        let mark = Mark::descriptor(&owner);
        let owner = owner.try_lock().is_ok().then_some((owner, mark));
        let directory = Self { path, owner: Mutex::new(owner) };
        fs::create_dir(directory.ports())?;
        Ok(directory)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.path.join("server.conf")
    }

    /// Where JetStream keeps its data, made by the server; nothing else is in it, for the server looks at what lies beside
    /// its own.
    pub(crate) fn store(&self) -> PathBuf {
        self.path.join("store")
    }

    pub(crate) fn ports(&self) -> PathBuf {
        self.path.join("ports")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.path.join("server.log")
    }

    /// Marks the directory as evidence: it stays when this value is dropped.
    pub(crate) fn keep(&self) {
        if let Err(error) = File::create(self.path.join(KEPT_MARKER)) {
            tracing::warn!(%error, path = %self.path.display(), "could not mark the directory as kept");
        }
    }

    /// Removes the directory; call it when no process writes to it any more.
    pub(crate) fn remove(&self) {
        if cfg!(windows) {
            *super::lock(&self.owner) = None; // an open file cannot be removed there
        }
        remove(&self.path);
    }
}

/// Removes a directory tree; somebody else's sweep may be at it too, and a failure leaves it to the next sweep.
fn remove(path: &Path) {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(%error, path = %path.display(), "could not remove a server's directory");
        }
        _ => {}
    }
}

/// A server name no other server has: from the test, this process, and a count.
pub(crate) fn unique_name(test: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let nanoseconds =
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |age| age.subsec_nanos());
    // The time tells apart two processes that share a pid: one in a container, or one after a kept directory.
    format!("{}-{}-{count}-{nanoseconds:08x}", slug(test), std::process::id())
}

/// The end of a test's name in characters that are fine in a subject, a file name and a log.
fn slug(test: &str) -> String {
    const LONGEST: usize = 48;
    let clean: Vec<char> = test
        .replace("::", "-")
        .chars()
        .map(|character| if character.is_ascii_alphanumeric() || character == '-' { character } else { '_' })
        .collect();
    let from = clean.len().saturating_sub(LONGEST);
    let text: String = clean[from..].iter().collect();
    let text = text.trim_matches('_');
    if text.is_empty() { "test".into() } else { text.into() }
}

fn named_root() -> Option<PathBuf> {
    let path = std::env::var_os("ISOLATED_NATS_DIR")?;
    (!path.to_string_lossy().trim().is_empty()).then(|| path.into())
}

/// The directory of all servers' directories: `ISOLATED_NATS_DIR`, or one for this user in the temporary directory.
fn root() -> PathBuf {
    let root = named_root().unwrap_or_else(|| std::env::temp_dir().join(private_name()));
    std::path::absolute(&root).unwrap_or(root) // it fails only where there is no working directory
}

#[cfg(unix)]
fn private_name() -> OsString {
    format!("isolated-nats-{}", rustix::process::getuid().as_raw()).into()
}

#[cfg(not(unix))]
fn private_name() -> OsString {
    "isolated-nats".into() // the temporary directory is the user's own
}

/// Makes the root, and refuses one in a shared temporary directory that somebody else has made for us. A directory that
/// the user names is the user's to judge.
#[cfg(unix)]
fn make_private(root: &Path) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, MetadataExt};
    fs::DirBuilder::new().recursive(true).mode(0o700).create(root)?;
    if named_root().is_some() {
        return Ok(());
    }
    let metadata = fs::symlink_metadata(root)?;
    let us = rustix::process::getuid().as_raw();
    if metadata.is_dir() && metadata.uid() == us && metadata.mode() & 0o022 == 0 {
        return Ok(());
    }
    let what = "it is not a directory of ours that only we can write (set ISOLATED_NATS_DIR)";
    Err(io::Error::new(io::ErrorKind::PermissionDenied, what))
}

#[cfg(not(unix))]
fn make_private(root: &Path) -> io::Result<()> {
    fs::create_dir_all(root)
}

/// The lock that makers of directories share and a sweep has alone; held for microseconds. Without locks on this file
/// system it is nothing.
struct RootLock {
    _file: File,
}

impl RootLock {
    fn shared(root: &Path) -> Option<Self> {
        let file = open_lock(&root.join(ROOT_LOCK)).ok()?;
        file.lock_shared().ok()?;
        Some(Self { _file: file })
    }

    fn alone(root: &Path) -> Option<Self> {
        let file = open_lock(&root.join(ROOT_LOCK)).ok()?;
        file.lock().ok()?;
        Some(Self { _file: file })
    }
}

fn open_lock(path: &Path) -> io::Result<File> {
    File::options().read(true).write(true).create(true).truncate(false).open(path)
}

/// Removes the directories of dead processes, but for the newest of those kept as evidence.
fn sweep(root: &Path) {
    let mut kept = Vec::new();
    let mut dead = Vec::new();
    {
        let Some(_alone) = RootLock::alone(root) else { return };
        let Ok(entries) = fs::read_dir(root) else { return };
        for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
            match fs::metadata(path.join(KEPT_MARKER)).and_then(|marker| marker.modified()) {
                _ if !is_dead(&path) => {}
                Ok(since) => kept.push((since, path)),
                Err(_) => dead.push(path),
            }
        }
    }
    kept.sort();
    let spared = kept.len().saturating_sub(KEPT);
    for path in dead.iter().chain(kept[..spared].iter().map(|(_, path)| path)) {
        remove(path);
    }
}

/// Whether a directory is one of ours whose owner holds its lock no more.
fn is_dead(path: &Path) -> bool {
    match File::options().read(true).write(true).open(path.join(OWNER_LOCK)) {
        Ok(owner) => !matches!(owner.try_lock(), Err(TryLockError::WouldBlock | TryLockError::Error(_))),
        // Whoever makes a directory holds the root's lock until it has an owner's; without one, its maker died in
        // between, or its removal was cut short.
        Err(error) => error.kind() == io::ErrorKind::NotFound && is_ours(path),
    }
}

/// Whether a directory without an owner has a name that [`unique_name`] gives, and is therefore nobody else's.
fn is_ours(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let mut parts = name.rsplit('-');
    let is = |part: Option<&str>, digit: fn(&char) -> bool| {
        part.is_some_and(|part| !part.is_empty() && part.chars().all(|character| digit(&character)))
    };
    path.is_dir()
        && is(parts.next(), char::is_ascii_hexdigit)
        && is(parts.next(), char::is_ascii_digit)
        && is(parts.next(), char::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(unique_name(name));
        fs::create_dir_all(&path).unwrap();
        path
    }

    #[test]
    fn a_test_path_becomes_a_short_name_without_special_characters() {
        assert_eq!(slug("orders::tests::größe 1"), "orders-tests-gr__e_1");
        assert_eq!(slug(""), "test");
        assert!(slug(&"x".repeat(500)).len() <= 48);
    }

    #[test]
    fn no_two_names_are_equal() {
        let names: std::collections::HashSet<_> = (0..1000).map(|_| unique_name("a::b")).collect();
        assert_eq!(names.len(), 1000);
    }

    #[test]
    fn the_sweep_takes_the_dead_and_spares_the_living_and_the_newest_kept() {
        let root = scratch("sweep");
        let living = ServerDirectory::create_in(&root, "living").unwrap();
        drop(ServerDirectory::create_in(&root, "dead").unwrap());
        for number in 0..KEPT + 2 {
            let directory = ServerDirectory::create_in(&root, &format!("kept-{number:02}")).unwrap();
            directory.keep();
            let marker = File::options().write(true).open(directory.path().join(KEPT_MARKER)).unwrap();
            marker
                .set_modified(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(number as u64))
                .unwrap();
        }
        fs::write(root.join("a file of somebody else"), "x").unwrap();
        fs::create_dir(root.join("a directory of somebody else")).unwrap();

        sweep(&root);

        let left: Vec<_> = fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        let has = |name: &str| left.iter().any(|left| left == name);
        assert!(has("living") && !has("dead"), "{left:?}");
        assert!(!has("kept-00") && !has("kept-01") && has("kept-02") && has("kept-21"), "{left:?}");
        assert!(has("a file of somebody else") && has("a directory of somebody else"), "{left:?}");
        living.remove();
        assert!(!root.join("living").exists());
        fs::remove_dir_all(&root).unwrap();
    }

    #[test]
    fn a_removal_that_was_cut_short_is_finished_by_the_next_sweep() {
        let root = scratch("cut");
        // Killed between making the directory and its lock, and in the middle of a removal.
        let (empty, half) = (root.join(unique_name("empty")), root.join(unique_name("half")));
        fs::create_dir(&empty).unwrap();
        fs::create_dir_all(half.join("store/jetstream")).unwrap();
        sweep(&root);
        assert!(!empty.exists() && !half.exists());
        fs::remove_dir_all(&root).unwrap();
    }
}
