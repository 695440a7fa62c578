//! Which runs stay.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::StoredRun;

/// How many runs of a scenario stay, the newest ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Keep {
    pub(super) runs: usize,
    pub(super) quick: usize,
}

impl Default for Keep {
    fn default() -> Self {
        Self::runs(50)
    }
}

impl Keep {
    pub(super) fn runs(runs: usize) -> Self {
        Self { runs, quick: runs.min(10) }
    }
}

/// Removes the oldest of these runs, which are of one scenario and sorted by time; returns those removed. One is spared: the clock may have
/// been set back since the others.
pub(super) fn drop_oldest(runs: &[StoredRun], keep: Keep, spared: Option<&Path>) -> Vec<PathBuf> {
    let mut removed = Vec::new();
    for (quick, most) in [(false, keep.runs), (true, keep.quick)] {
        let of_kind: Vec<&StoredRun> = runs.iter().filter(|run| run.quick == quick).collect();
        let too_many = of_kind.len().saturating_sub(most);
        let old = of_kind.into_iter().filter(|run| Some(run.path.as_path()) != spared).take(too_many);
        removed.extend(old.filter(|run| remove(&run.path)).map(|run| run.path.clone()));
    }
    removed
}

fn remove(path: &Path) -> bool {
    match fs::remove_file(path) {
        Ok(()) => true,
        Err(error) => {
            // Another process may have removed it.
            if error.kind() != io::ErrorKind::NotFound {
                tracing::warn!(%error, path = %path.display(), "could not remove an old run");
            }
            false
        }
    }
}
