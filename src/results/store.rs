//! Runs that were kept, by scenario, time and commit.

mod find;
mod name;
mod retention;
mod scan;

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use self::name::RunName;
use self::retention::Keep;
use super::document::Results;
use super::error::{ResultsError, ResultsErrorKind};
use super::record::Record;
use super::time::Moment;
use super::trend::Trend;
use super::{files, json};

/// How many runs of one scenario, commit and second there can be.
const MOST_OF_A_NAME: u32 = 10_000;

/// Where runs are kept: each as `<scenario>/<time>-<commit>[-quick][-<number>].json`, which holds the results whole.
///
/// The directory can be removed, in part or whole, at any time. Several processes may keep runs in it at once.
#[derive(Clone, Debug)]
pub struct Store {
    directory: PathBuf,
    keep: Keep,
}

/// One run that was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredRun {
    /// The file.
    pub path: PathBuf,
    /// What was measured, as the file says.
    pub scenario: String,
    /// When: the time of the first record, or of the sweep, as in the file's name.
    pub taken: Moment,
    /// The commit's first twelve figures, as in the file's name; `None` where it was not known.
    pub commit: Option<String>,
    /// Whether it was a quick run.
    pub quick: bool,
}

impl Store {
    /// Finds the directory that runs of this process are kept in: `ISOLATED_NATS_RESULTS`, or `isolated-nats/results` in cargo's target
    /// directory.
    ///
    /// The target directory is `CARGO_TARGET_DIR` where that is an absolute path; else the one that the running program lies in; else
    /// `target` beside the nearest `Cargo.lock` above the package (`CARGO_MANIFEST_DIR`) or the current directory.
    /// `ISOLATED_NATS_RESULTS_KEEP` is how many runs to keep, as in [`retention`](Self::retention).
    ///
    /// # Errors
    ///
    /// [`File`](super::ResultsErrorKind::File) when none of these is there; [`Misuse`](super::ResultsErrorKind::Misuse) when one of the two
    /// variables has a value it may not have.
    pub fn find() -> Result<Self, ResultsError> {
        let places = find::Places {
            variable: &|name| std::env::var_os(name),
            program: std::env::current_exe().ok(),
            current: std::env::current_dir().ok(),
        };
        Ok(Self { directory: places.directory()?, keep: places.keep()? })
    }

    /// Takes this directory, which need not exist.
    #[must_use]
    pub fn at(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into(), keep: Keep::default() }
    }

    /// How many runs of a scenario [`save`](Self::save) leaves, the newest ones, quick ones apart: of these at most 10. Default: 50, and at
    /// least 1.
    #[must_use]
    pub fn retention(mut self, runs: usize) -> Self {
        self.keep = Keep::runs(runs.max(1));
        self
    }

    /// Returns the directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Keeps a run, and drops the oldest ones of its scenario beyond those that are to be kept; returns where.
    ///
    /// The file is there whole or not at all, and is never another process's. The scenario is that of the first record, or the title
    /// of results without records.
    ///
    /// # Errors
    ///
    /// [`File`](super::ResultsErrorKind::File) when the file cannot be written.
    pub fn save(&self, results: &Results) -> Result<PathBuf, ResultsError> {
        let first = results.records.first();
        let scenario = first.map_or(&results.title, |record| &record.scenario);
        let fingerprint = first.map(|record| &record.fingerprint);
        let fingerprint = fingerprint.or_else(|| Some(&results.sweep.as_ref()?.fingerprint));
        let commit = fingerprint.and_then(|fingerprint| fingerprint.commit.as_ref());
        let taken = first.map(|record| record.taken).or_else(|| results.sweep.as_ref()?.taken);
        let name = RunName {
            taken: taken.unwrap_or_else(Moment::now),
            commit: commit.map(|commit| commit.short().to_owned()),
            quick: results.records.iter().any(|record: &Record| record.quick),
            number: 1,
        };
        let directory = self.of(scenario);
        let paths =
            (1..=MOST_OF_A_NAME).map(|number| directory.join(RunName { number, ..name.clone() }.to_string()));
        let path = files::add(paths, &json::write(results))?;
        files::sweep(&directory, SystemTime::now());
        let runs = scan::runs(&directory, Some(scenario))?.runs;
        retention::drop_oldest(&runs, self.keep, Some(&path));
        Ok(path)
    }

    /// Returns the runs of a scenario, the oldest first; of all scenarios with `None`. Empty where there is none.
    ///
    /// Files that are not runs, or cannot be read, are left out; [`unreadable`](Self::unreadable) has the latter.
    ///
    /// # Errors
    ///
    /// [`File`](super::ResultsErrorKind::File) when a directory cannot be read; that there is none is no error.
    pub fn runs(&self, scenario: Option<&str>) -> Result<Vec<StoredRun>, ResultsError> {
        Ok(self.scan(scenario)?.runs)
    }

    /// Returns the files that have the name of a run and cannot be read, each with the reason, sorted by path: cut off, changed by hand, or
    /// of a newer version. Nothing here removes them.
    ///
    /// # Errors
    ///
    /// As of [`runs`](Self::runs).
    pub fn unreadable(&self, scenario: Option<&str>) -> Result<Vec<(PathBuf, ResultsError)>, ResultsError> {
        Ok(self.scan(scenario)?.unreadable)
    }

    /// Returns the newest run of a scenario, quick or not; `None` where there is none.
    ///
    /// # Errors
    ///
    /// As of [`runs`](Self::runs).
    pub fn latest(&self, scenario: &str) -> Result<Option<StoredRun>, ResultsError> {
        Ok(self.runs(Some(scenario))?.pop())
    }

    /// Reads the results of a run.
    ///
    /// # Errors
    ///
    /// [`File`](super::ResultsErrorKind::File) when it is gone; [`Format`](super::ResultsErrorKind::Format) when it cannot be read.
    pub fn load(&self, run: &StoredRun) -> Result<Results, ResultsError> {
        json::read_file(&run.path)
    }

    /// Removes all but the newest `keep` runs of a scenario, or of each one with `None`, and as many quick ones; returns the files removed.
    /// What cannot be read, or is no run, stays.
    ///
    /// # Errors
    ///
    /// As of [`runs`](Self::runs).
    pub fn clean(&self, scenario: Option<&str>, keep: usize) -> Result<Vec<PathBuf>, ResultsError> {
        let mut runs = self.scan(scenario)?.runs;
        runs.sort_by(|left, right| left.scenario.cmp(&right.scenario)); // stable: by time within each
        let of_each = runs.chunk_by(|left, right| left.scenario == right.scenario);
        let removed =
            of_each.flat_map(|runs| retention::drop_oldest(runs, Keep { runs: keep, quick: keep }, None));
        let removed: Vec<PathBuf> = removed.collect();
        for directory in removed.iter().filter_map(|path| path.parent()) {
            let _ = std::fs::remove_dir(directory); // fails unless it is empty
        }
        Ok(removed)
    }

    /// Returns how the figures of a scenario have gone from run to run.
    ///
    /// # Errors
    ///
    /// As of [`runs`](Self::runs); [`Sweep`](ResultsErrorKind::Sweep) where the runs are sweeps, which have no records.
    pub fn trend(&self, scenario: &str) -> Result<Trend, ResultsError> {
        let scan = self.scan(Some(scenario))?;
        // A run may be dropped by another process meanwhile.
        let runs = scan.runs.iter().filter_map(|run| self.load(run).ok()).collect::<Vec<_>>();
        let is_sweep = |run: &Results| run.sweep.is_some() && run.records.is_empty();
        if !runs.is_empty() && runs.iter().all(is_sweep) {
            let what = format!("`{scenario}` is a sweep, which has no trend (`report` shows its latest run)");
            return Err(ResultsError::new(ResultsErrorKind::Sweep, what));
        }
        Ok(Trend::of(scenario, &runs))
    }

    fn of(&self, scenario: &str) -> PathBuf {
        self.directory.join(files::name_of(scenario))
    }

    fn scan(&self, scenario: Option<&str>) -> Result<scan::Scan, ResultsError> {
        match scenario {
            Some(name) => scan::runs(&self.of(name), Some(name)),
            None => scan::all(&self.directory),
        }
    }
}

#[cfg(test)]
mod tests;
