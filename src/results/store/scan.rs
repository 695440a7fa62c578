//! What is in the directory.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::super::error::ResultsError;
use super::super::{files, json};
use super::{RunName, StoredRun};

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// The oldest first.
    pub(super) runs: Vec<StoredRun>,
    pub(super) unreadable: Vec<(PathBuf, ResultsError)>,
}

/// What tells a run, of all that its file holds.
#[derive(Deserialize)]
struct Head {
    title: String,
    records: Vec<HeadRecord>,
}

#[derive(Deserialize)]
struct HeadRecord {
    scenario: String,
}

/// The runs in the directories of all scenarios.
pub(super) fn all(directory: &Path) -> Result<Scan, ResultsError> {
    let mut all = Scan::default();
    for path in entries(directory)?.into_iter().filter(|path| path.is_dir()) {
        let scan = runs(&path, None)?;
        all.runs.extend(scan.runs);
        all.unreadable.extend(scan.unreadable);
    }
    sort(&mut all.runs);
    Ok(all)
}

/// The runs in the directory of a scenario; those of the scenario only, where it is said which.
pub(super) fn runs(directory: &Path, scenario: Option<&str>) -> Result<Scan, ResultsError> {
    let mut scan = Scan::default();
    for path in entries(directory)? {
        let Some(name) = path.file_name().and_then(|name| name.to_str()).and_then(RunName::parse) else {
            continue;
        };
        match json::read_file::<Head>(&path) {
            Ok(head) => {
                let of = head.records.into_iter().next().map_or(head.title, |record| record.scenario);
                if scenario.is_none_or(|scenario| scenario == of) {
                    let RunName { taken, commit, quick, .. } = name;
                    scan.runs.push(StoredRun { path, scenario: of, taken, commit, quick });
                }
            }
            Err(_) if !path.exists() => {} // dropped by another process meanwhile
            Err(error) => {
                tracing::warn!(%error, "a run is left out");
                scan.unreadable.push((path, error));
            }
        }
    }
    sort(&mut scan.runs);
    scan.unreadable.sort_by(|left, right| left.0.cmp(&right.0));
    Ok(scan)
}

/// By time, and by number within a second.
fn sort(runs: &mut [StoredRun]) {
    let number = |run: &StoredRun| {
        let name = run.path.file_name().and_then(|name| name.to_str()).and_then(RunName::parse);
        name.map_or(0, |name| name.number)
    };
    runs.sort_by_cached_key(|run| (run.taken, number(run), run.path.clone()));
}

fn entries(directory: &Path) -> Result<Vec<PathBuf>, ResultsError> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect()),
    };
    entries.map_err(|error| files::failed("cannot be read", directory, error))
}
