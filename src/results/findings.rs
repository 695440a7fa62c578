//! What stands out in results.
//!
//! | module | what it finds |
//! | --- | --- |
//! | `aims` | targets and thresholds, met or missed |
//! | `changes` | what got worse or better, what each side is good at, what to do |
//! | `steps` | what a sweep comes to |
//! | `doubts` | why figures cannot be believed; rounds far from the others |
//! | `verdict` | what all of it comes to |

mod aims;
mod changes;
mod doubts;
#[cfg(test)]
pub(super) mod made;
mod steps;
#[cfg(test)]
mod tests;
mod verdict;

use serde::{Deserialize, Serialize};

use super::document::Results;

/// What stands out in results, the most severe first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Finding {
    /// What sort of finding it is.
    pub kind: FindingKind,
    /// How much it matters.
    pub severity: Severity,
    /// What it is about: a side, a metric, a level.
    pub subject: String,
    /// The finding, in one sentence with its figures.
    pub text: String,
    /// What follows from it, with a figure; `None` where none carries it.
    pub impact: Option<String>,
}

/// What sort of finding it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FindingKind {
    /// A target or threshold, and what was measured.
    Target,
    /// A metric that got worse or better than in a saved record, is near to being worse, or cannot be told.
    Change,
    /// A round far from the others.
    Outlier,
    /// From which level on it gets worse, against the first stable step.
    Degradation,
    /// What limits it.
    Bottleneck,
    /// What a side does better than the first one, measured in turn with it.
    Strength,
    /// What a side does worse than the first one, measured in turn with it: a regression.
    Weakness,
    /// Why figures cannot be believed, or not compared.
    Validity,
    /// What to do.
    Recommendation,
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Severity {
    /// A failure.
    Fail,
    /// A warning.
    Warn,
    /// It cannot be told.
    Unknown,
    /// Worth knowing.
    Note,
    /// As it should be.
    Good,
}

/// What stands out in results: the most severe first, and what is as severe in the order of the modules, records and metrics.
///
/// It is of the records, comparisons and sweep alone: findings that are there already have no part in it.
pub(crate) fn find(results: &Results) -> Vec<Finding> {
    let all = aims::find(results)
        .chain(changes::find(&results.comparisons))
        .chain(results.sweep.iter().flat_map(steps::find))
        .chain(doubts::find(results));
    let mut found: Vec<Finding> = Vec::new();
    for finding in all {
        // Sides measured in turn have one machine.
        if !found.contains(&finding) {
            found.push(finding);
        }
    }
    found.sort_by_key(|finding| finding.severity);
    found
}

impl Finding {
    fn new(
        kind: FindingKind,
        severity: Severity,
        subject: impl Into<String>,
        text: impl Into<String>,
    ) -> Self {
        Self { kind, severity, subject: subject.into(), text: text.into(), impact: None }
    }
}
