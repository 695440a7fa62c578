//! Reports as files.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::markdown::{self, Pictures};
use super::model::Model;
use super::{csv, html};
use crate::results::document::{Outcome, Results};
use crate::results::error::{ResultsError, ResultsErrorKind};
use crate::results::files::replace;

/// Writes all outputs into a directory, which is made where there is none; returns the files in the order of the report.
pub(super) fn write_all(
    results: &Results,
    outcome: Outcome,
    json: &str,
    directory: &Path,
) -> Result<Vec<PathBuf>, ResultsError> {
    fs::create_dir_all(directory).map_err(|error| failed("create the directory", directory, error))?;
    let model = Model::of(results, outcome);
    let report = markdown::render(&model, Pictures::Beside, markdown::COMMENT);
    let mut files = vec![
        ("report.md".to_owned(), report),
        ("report.html".to_owned(), html::render(&model)),
        ("results.json".to_owned(), json.to_owned()),
        ("results.csv".to_owned(), csv::render(results)),
    ];
    files.extend(results.plots().into_iter().map(|plot| (format!("{}.svg", plot.name), plot.svg)));
    let put = |(name, text): (String, String)| {
        let path = directory.join(name);
        replace(&path, &text).map(|()| path)
    };
    files.into_iter().map(put).collect()
}

/// Adds the report to the summary of a job's step: it may have 1 MiB together with what is there already.
pub(super) fn add_to_summary(model: &Model, path: &Path) -> Result<(), ResultsError> {
    let failed = |error| failed("add to", path, error);
    let there = fs::metadata(path).map_or(0, |file| usize::try_from(file.len()).unwrap_or(usize::MAX));
    let room = markdown::SUMMARY.saturating_sub(there).saturating_sub(1);
    let text = format!("\n{}", markdown::render(model, Pictures::None, room));
    if text.len() > room {
        return Ok(()); // GitHub would refuse the whole summary, with what is there already
    }
    let mut file = OpenOptions::new().create(true).append(true).open(path).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)
}

fn failed(what: &str, path: &Path, error: io::Error) -> ResultsError {
    let text = format!("could not {what} `{}` (is it writable?)", path.display());
    ResultsError::new(ResultsErrorKind::File, text).because(error)
}
