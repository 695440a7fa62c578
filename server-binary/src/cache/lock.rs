//! One fetch of a version at a time, over all processes.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

use crate::{
    poll::{self, Deadline},
    reason::Reason,
};

/// After this, a waiter says for whom it waits.
const SILENCE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// The right to fetch one version; the kernel takes it back when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Lock {
    /// `None` on a file system without locks: then a race costs a download and harms nothing, entries appear by rename.
    file: Option<File>,
    holder: PathBuf,
}

impl Lock {
    /// Returns whether nobody else can be fetching the same.
    pub(crate) fn is_exclusive(&self) -> bool {
        self.file.is_some()
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if self.is_exclusive() {
            // While the lock is still held: afterwards the file may be the next holder's.
            let _ = fs::remove_file(&self.holder);
        }
    }
}

/// What came of waiting.
pub(crate) enum Outcome<T> {
    Locked(Lock),
    /// What was waited for was there before the lock was.
    Found(T),
}

/// Who holds a lock.
#[derive(Debug, Serialize, Deserialize)]
struct Holder {
    pid: u32,
    executable: String,
    since_s: u64,
}

/// Takes the lock, or waits until the deadline for it, or for what `peek` looks for. `say` is told once whom it waits for.
pub(crate) fn acquire<T>(
    root: &Path,
    key: &str,
    deadline: Deadline,
    mut peek: impl FnMut() -> Option<T>,
    say: impl FnOnce(&str),
) -> Result<Outcome<T>, Reason> {
    let path = root.join("locks").join(format!("{key}.lock"));
    let holder = path.with_extension("holder");
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(Reason::io("open the lock", &path))?;
    let waiting = Deadline::after(deadline.remaining());
    let mut say = Some(say);
    let outcome = poll::until(waiting.limit(), LONGEST_PAUSE, || match file.try_lock() {
        Ok(()) => Some(Ok(true)),
        Err(TryLockError::WouldBlock) => {
            if waiting.elapsed() > SILENCE
                && let Some(say) = say.take()
            {
                say(&describe(&holder));
            }
            peek().map(Err)
        }
        Err(TryLockError::Error(error)) => without_locks(&error).then_some(Ok(false)),
    });
    match outcome {
        Some(Err(found)) => Ok(Outcome::Found(found)),
        Some(Ok(exclusive)) => Ok(Outcome::Locked(take(exclusive.then_some(file), holder))),
        None => Err(Reason::Locked { holder: describe(&holder), waited: waiting.limit() }),
    }
}

/// A file system that has no locks, or a lock server that is not there: the cache is safe without, only less thrifty.
fn without_locks(error: &io::Error) -> bool {
    tracing::debug!(%error, "the cache directory has no file locks");
    error.kind() != io::ErrorKind::Interrupted
}

fn take(file: Option<File>, holder: PathBuf) -> Lock {
    if file.is_some() {
        let since_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let me = Holder { pid: std::process::id(), executable: executable(), since_s };
        // Best effort: it only helps others to say for whom they wait.
        let _ = serde_json::to_vec(&me).map(|text| fs::write(&holder, text));
    }
    Lock { file, holder }
}

fn executable() -> String {
    let path = std::env::current_exe().unwrap_or_default();
    path.file_name().map_or_else(|| "?".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// The file may be half written or gone: then the holder is unknown, and still waited for.
fn describe(holder: &Path) -> String {
    let known = fs::read(holder).ok().and_then(|text| serde_json::from_slice::<Holder>(&text).ok());
    match known {
        Some(Holder { pid, executable, since_s }) => {
            let now_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
            format!("`{executable}` (pid {pid}, for {} s)", now_s.saturating_sub(since_s))
        }
        None => "another process".to_owned(),
    }
}
