//! Results as a whole: what every output is made from.

use serde::{Deserialize, Serialize};

use super::comparison::Comparison;
use super::findings::{self, Finding};
use super::record::{Record, SCHEMA};
use super::sweep::SweepReport;

/// Results as a whole: records, what was made of them, and what stands out.
///
/// `Display` prints them for a terminal; [`markdown`](Self::markdown), [`html`](Self::html), [`json`](Self::json),
/// [`csv`](Self::csv) and [`plots`](Self::plots) are the other outputs, all from the same figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Results {
    /// The version of the schema.
    pub schema: u32,
    /// What was measured.
    pub title: String,
    /// The records: one for each side.
    pub records: Vec<Record>,
    /// Each further side with the first one, or the record with its baseline.
    pub comparisons: Vec<Comparison>,
    /// The sweep, if it was one.
    pub sweep: Option<SweepReport>,
    /// What stands out, the most severe first.
    pub findings: Vec<Finding>,
}

/// What results come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// All is well.
    Passed,
    /// All is well, but something is near its limit.
    Warned,
    /// It cannot be told.
    Inconclusive,
    /// Something is worse than what it is compared with, or misses its target, or a target cannot be judged.
    Failed,
}

impl Outcome {
    /// Returns the exit code of a command that ends with it: 0, 0, 2 and 1. Trouble with the environment is 3.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Passed | Self::Warned => 0,
            Self::Failed => 1,
            Self::Inconclusive => 2,
        }
    }
}

impl Results {
    /// Puts results together, and finds what stands out.
    #[must_use]
    pub fn new(title: impl Into<String>, records: Vec<Record>, comparisons: Vec<Comparison>) -> Self {
        Self::put_together(title.into(), records, comparisons, None)
    }

    /// The same of a sweep: its records may be empty.
    #[must_use]
    pub fn of_sweep(title: impl Into<String>, records: Vec<Record>, sweep: SweepReport) -> Self {
        Self::put_together(title.into(), records, Vec::new(), Some(sweep))
    }

    fn put_together(
        title: String,
        records: Vec<Record>,
        comparisons: Vec<Comparison>,
        sweep: Option<SweepReport>,
    ) -> Self {
        let mut results = Self { schema: SCHEMA, title, records, comparisons, sweep, findings: Vec::new() };
        results.findings = findings::find(&results);
        results
    }

    /// Returns the record of a side.
    #[must_use]
    pub fn record(&self, side: &str) -> Option<&Record> {
        self.records.iter().find(|record| record.title() == side)
    }
}
