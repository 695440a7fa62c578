//! Records that others are compared with, kept in the repository.
//!
//! | module | what it decides or does |
//! | --- | --- |
//! | `place` | where a baseline is, and what it may be called |
//! | `pool` | several runs as one record, and how much they differ among themselves |
//! | `judge` | what a comparison is worth of another build, of a quick run |
//! | `check` | compares, or blesses; texts |

mod check;
mod judge;
mod place;
mod pool;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use self::check::Settings;
use self::place::Place;
use super::comparison::{Comparison, ComparisonKind, Rules};
use super::error::{ResultsError, ResultsErrorKind};
use super::record::{Record, SCHEMA, configuration_differences};
use super::time::Moment;
use crate::evidence;

/// A run with fewer rounds whose figures can be believed is in no baseline.
const LEAST_ROUNDS: usize = 5;
/// Nor do runs with fewer rounds together make one: none could be told from it ([`Rules::saved`]).
const LEAST_TOGETHER: usize = 10;

/// Records that others are compared with: written by `ISOLATED_NATS_BLESS=1` or the command `bless`, and by nothing else.
///
/// It is a small file of JSON for the repository, pretty-printed and in a stable order: metrics, control, fingerprint and configuration of
/// each run. What a run has besides (reports, latencies, targets) is not kept.
///
/// Of several runs, the samples of all are taken together. From three runs on, it is known how much the same code differs from run to
/// run: a change of no more than the largest distance of a run's median from the median of these is no regression, however significant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Baseline {
    /// The version of the schema.
    pub schema: u32,
    /// What it is called.
    pub name: String,
    /// When it was written.
    pub blessed: Moment,
    /// The runs it consists of, of one configuration; mostly one, and never none.
    pub runs: Vec<Record>,
}

impl Baseline {
    /// Makes a baseline of runs.
    ///
    /// # Errors
    ///
    /// [`NotABaseline`](ResultsErrorKind::NotABaseline) where there is no run, or one is quick, or has fewer than 5 rounds whose figures can
    /// be believed, or all have fewer than 10; [`OtherConfiguration`](ResultsErrorKind::OtherConfiguration) where one is of another configuration than the first;
    /// [`Misuse`](ResultsErrorKind::Misuse) where the name cannot be that of a baseline: empty, longer than 200 bytes, beginning with a
    /// dot, or with `/`, `\` or a control character in it.
    pub fn new(name: &str, runs: Vec<Record>) -> Result<Self, ResultsError> {
        place::check_name(name)?;
        let Some(first) = runs.first() else {
            return Err(not_a_baseline(name, "there is no run", "measure one"));
        };
        for run in &runs {
            check_run(name, run)?;
            check_configuration(name, run, first)?;
        }
        let together: usize = runs.iter().map(believed).sum();
        if together < LEAST_TOGETHER {
            let why = format!("of the {LEAST_TOGETHER} rounds that it takes, it has {together}");
            return Err(not_a_baseline(name, &why, "measure more rounds, or more runs"));
        }
        let runs = runs.into_iter().map(pool::slim).collect();
        Ok(Self { schema: SCHEMA, name: name.into(), blessed: Moment::now(), runs })
    }

    /// Reads a baseline by its name, from the directory `ISOLATED_NATS_BASELINES`, or `baselines` of the package (`CARGO_MANIFEST_DIR`, which
    /// cargo sets for tests), or else of the nearest one around the current directory, or that directory itself where there is none.
    ///
    /// # Errors
    ///
    /// [`NoBaseline`](ResultsErrorKind::NoBaseline) where there is none, [`Format`](ResultsErrorKind::Format) and
    /// [`File`](ResultsErrorKind::File) where it cannot be read, [`Misuse`](ResultsErrorKind::Misuse) as of [`new`](Self::new).
    pub fn load(name: &str) -> Result<Self, ResultsError> {
        Place::find().load(name)
    }

    /// Reads a baseline by its name from this directory.
    ///
    /// # Errors
    ///
    /// As of [`load`](Self::load).
    pub fn load_from(directory: impl AsRef<Path>, name: &str) -> Result<Self, ResultsError> {
        Place::at(directory.as_ref()).load(name)
    }

    /// Writes it where [`load`](Self::load) reads it, atomically, in the place of the one before; returns where.
    ///
    /// # Errors
    ///
    /// [`File`](ResultsErrorKind::File) when it cannot be written.
    pub fn save(&self) -> Result<PathBuf, ResultsError> {
        Place::find().save(self)
    }

    /// Writes it to this directory, as [`save`](Self::save) does.
    ///
    /// # Errors
    ///
    /// As of [`save`](Self::save).
    pub fn save_to(&self, directory: impl AsRef<Path>) -> Result<PathBuf, ResultsError> {
        Place::at(directory.as_ref()).save(self)
    }

    /// Compares a record with it, by the rules for saved records.
    ///
    /// - Of another machine, only ratios to a control and memory are compared ([`Comparison::of`]).
    /// - Of another build or runtime (profile, runtime's flavour, allocator), all is inconclusive. Both are warned of.
    /// - A quick run is inconclusive, and warned of.
    ///
    /// # Errors
    ///
    /// [`OtherConfiguration`](ResultsErrorKind::OtherConfiguration), with what differs, where the record is of another configuration or
    /// control, unless it is quick; [`Format`](ResultsErrorKind::Format) where the baseline has no run.
    pub fn compare(&self, record: &Record) -> Result<Comparison, ResultsError> {
        self.compare_by(record, Rules::saved())
    }

    /// The same by other rules; where these say what matters of a metric, that is what matters.
    ///
    /// # Errors
    ///
    /// As of [`compare`](Self::compare).
    pub fn compare_by(&self, record: &Record, rules: Rules) -> Result<Comparison, ResultsError> {
        let base = pool::together(self, record).ok_or_else(|| {
            let what =
                format!("baseline `{}` has no run (write it anew with `{}`)", self.name, check::bless());
            ResultsError::new(ResultsErrorKind::Format, what)
        })?;
        if !record.quick {
            check_configuration(&self.name, record, &base)?;
        }
        let set = rules.limits.clone();
        let mut rules = pool::widened(rules, &self.runs);
        rules.limits.extend(set);
        let comparison = Comparison::of(&base, record, ComparisonKind::Saved, &rules);
        Ok(judge::judged(comparison, self, record))
    }
}

impl Record {
    /// Compares the record with the baseline of this name; with `ISOLATED_NATS_BLESS=1`, makes it that baseline instead, and says so past the
    /// capture of the test's output.
    ///
    /// Only what is worse fails. What cannot be told passes, and is said past the capture too; with `ISOLATED_NATS_INCONCLUSIVE=fail` it
    /// fails.
    ///
    /// # Errors
    ///
    /// - [`Regressed`](ResultsErrorKind::Regressed): it is worse; the text has the figures, and how to bless them.
    /// - [`Inconclusive`](ResultsErrorKind::Inconclusive): as above.
    /// - [`NoBaseline`](ResultsErrorKind::NoBaseline), and what else [`Baseline::load`] and [`Baseline::compare`] return.
    /// - [`NotABaseline`](ResultsErrorKind::NotABaseline): the record that is to be blessed is quick, or has too few rounds.
    /// - [`Misuse`](ResultsErrorKind::Misuse): one of the two variables has a value it may not have.
    pub fn check_regression(&self, name: &str) -> Result<Comparison, ResultsError> {
        let checked = Settings::from_env()?.check(self, name)?;
        if let Some(text) = checked.said {
            evidence::print_uncaptured(&text);
        }
        Ok(checked.comparison)
    }

    /// The same, for tests: see [`check_regression`](Self::check_regression).
    ///
    /// # Panics
    ///
    /// Where that returns an error.
    #[track_caller]
    pub fn assert_no_regression(&self, name: &str) {
        if let Err(error) = self.check_regression(name) {
            panic!("{error:?}");
        }
    }
}

/// How many rounds of a run can be believed.
fn believed(run: &Record) -> usize {
    run.rounds.saturating_sub(run.invalid.len())
}

fn check_run(name: &str, run: &Record) -> Result<(), ResultsError> {
    let valid = believed(run);
    if run.quick {
        return Err(not_a_baseline(name, "the run is a quick one", "measure without ISOLATED_NATS_QUICK"));
    }
    if valid < LEAST_ROUNDS {
        let why = match run.invalid.first() {
            Some((round, why)) => {
                format!("only {valid} of {} rounds can be believed: round {}: {why}", run.rounds, round + 1)
            }
            None => format!("the run has only {valid} of the {LEAST_ROUNDS} rounds that it takes"),
        };
        return Err(not_a_baseline(name, &why, "measure more rounds, on a machine that does nothing else"));
    }
    Ok(())
}

fn not_a_baseline(name: &str, why: &str, fix: &str) -> ResultsError {
    ResultsError::new(
        ResultsErrorKind::NotABaseline,
        format!("it cannot be baseline `{name}`: {why} ({fix})"),
    )
}

/// Refuses a record that was not measured as the base was. Where only one of them has a control, values are compared without it.
fn check_configuration(name: &str, record: &Record, base: &Record) -> Result<(), ResultsError> {
    let mut differences = configuration_differences(&record.configuration, &base.configuration);
    if let (Some(now), Some(was)) = (&record.control, &base.control)
        && now != was
    {
        differences.push(format!("control: {now}, was {was}"));
    }
    if differences.is_empty() {
        return Ok(());
    }
    let what = format!(
        "baseline `{name}` is of another configuration: {} (measure as before, or bless it with `{}`)",
        differences.join("; "),
        check::bless()
    );
    Err(ResultsError::new(ResultsErrorKind::OtherConfiguration, what))
}

#[cfg(test)]
mod tests;
