//! What is told of a threshold.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::value::ThresholdValue;

/// A threshold and what was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ThresholdResult {
    /// The threshold as text, such as `p99<5ms for put`.
    pub threshold: String,
    /// The operation that it bounds; `None` when it bounds all of them, or no operation. Of a delivery it is a service, of resident
    /// memory a process.
    pub operation: Option<String>,
    /// Its limit; `None` when the text could not be read.
    pub limit: Option<ThresholdValue>,
    /// What was found; `None` when nothing was measured, and when the percentile is that of an operation that was not served.
    pub found: Option<ThresholdValue>,
    /// Whether that will do.
    pub verdict: ThresholdVerdict,
    /// Whether it failed by a time or a rate, which a machine that was busy with something else can spoil; `false` for what failed by
    /// errors other than time limits, by messages, by operations that never ended or by memory, and for what passed.
    pub excusable: bool,
    /// Why, in one sentence without the threshold: what was found, and what is allowed.
    pub why: String,
}

/// Whether a figure is within its [`Threshold`](super::Threshold).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ThresholdVerdict {
    /// It is.
    Passed,
    /// It is, but near its limit: see [`Threshold::warn_at`](super::Threshold::warn_at).
    Warned,
    /// It is not, or nothing was measured.
    Failed,
}

/// What a run comes to: its thresholds, and whether its figures can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum LoadOutcome {
    /// Every threshold is passed, and what may have disturbed the run can only have made it worse.
    Passed,
    /// As `Passed`, but a figure is near its limit.
    Warned,
    /// A threshold failed that nothing excuses, an event or a service failed, or not one operation ended.
    Failed,
    /// The run says nothing of the code under test: it was not given the load that the schedule asks for, or a threshold on a time or
    /// a rate failed while something else used the machine.
    Inconclusive,
}

impl fmt::Display for ThresholdVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Passed => "passed",
            Self::Warned => "warned",
            Self::Failed => "failed",
        })
    }
}

impl fmt::Display for LoadOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Passed => "passed",
            Self::Warned => "warned",
            Self::Failed => "failed",
            Self::Inconclusive => "inconclusive",
        })
    }
}

/// The threshold, its verdict, and why.
impl fmt::Display for ThresholdResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}: {}", self.threshold, self.verdict, self.why)
    }
}
