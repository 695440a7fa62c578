//! The outputs, all from the same figures.

mod csv;
mod files;
mod html;
mod markdown;
mod model;
mod plot;
mod sections;
mod terminal;
#[cfg(test)]
mod tests;
mod words;

use std::fmt;
use std::path::{Path, PathBuf};

use super::document::Results;
use super::error::ResultsError;
use markdown::Pictures;
use model::Model;

/// A plot.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plot {
    /// A name that can be a file's: `memory-over-time`.
    pub name: String,
    /// What it shows, in a few words.
    pub title: String,
    /// The plot as SVG.
    pub svg: String,
}

/// The report as plain text of at most 100 columns, without colours. Plots, and the reports of load and memory, are left to the other
/// outputs.
impl fmt::Display for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&terminal::render(&self.model()))
    }
}

impl Results {
    /// Returns the results as Markdown (GitHub's), without plots, in at most 65 536 bytes: what a comment on GitHub may have. Where that is
    /// too little, ends of parts are left out, and the text says of which.
    #[must_use]
    pub fn markdown(&self) -> String {
        markdown::render(&self.model(), Pictures::None, markdown::COMMENT)
    }

    /// Returns the results as one page that needs nothing else: no script, no other file; plots are within.
    #[must_use]
    pub fn html(&self) -> String {
        html::render(&self.model())
    }

    /// Returns every sample as CSV (RFC 4180): scenario, side, level (of a sweep), metric, unit, round (from 1; in a sweep, the window),
    /// value, control, and why the round cannot be believed.
    ///
    /// Values are in seconds, bytes, shares and so on, never scaled; what was not measured is an empty field. A text that a spreadsheet
    /// would take for a formula begins with an apostrophe.
    #[must_use]
    pub fn csv(&self) -> String {
        csv::render(self)
    }

    /// Returns the plots that there are figures for, in the order of the report; empty where there are none for any.
    ///
    /// `rounds-<n>`: the samples of the n-th comparison. `figure-over-level`: a sweep. `latency-distribution`: response times of all
    /// records. `memory-over-time` and `load-over-time`: of the last round; with several records, `-<n>-<side>` follows.
    #[must_use]
    pub fn plots(&self) -> Vec<Plot> {
        plot::all(self)
    }

    /// Writes `report.md`, `report.html`, `results.json`, `results.csv` and the plots into a directory, which is made if need be;
    /// returns the files. `report.md` shows the plots beside it. Files of these names are replaced, each at once; others stay.
    ///
    /// # Errors
    ///
    /// [`File`](super::ResultsErrorKind::File), naming what could not be written.
    pub fn write_to(&self, directory: impl AsRef<Path>) -> Result<Vec<PathBuf>, ResultsError> {
        files::write_all(self, self.outcome(), &self.json(), directory.as_ref())
    }

    /// Adds the Markdown to the summary of a GitHub job, where `GITHUB_STEP_SUMMARY` says where
    /// that is; returns whether it does.
    /// GitHub takes 1 MiB for each step: ends of parts are left out where that is too little.
    ///
    /// # Errors
    ///
    /// [`File`](super::ResultsErrorKind::File).
    pub fn add_to_job_summary(&self) -> Result<bool, ResultsError> {
        match std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) {
            None => Ok(false),
            Some(path) => files::add_to_summary(&self.model(), Path::new(&path)).map(|()| true),
        }
    }

    fn model(&self) -> Model {
        Model::of(self, self.outcome())
    }
}
