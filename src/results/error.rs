//! Why results could not be had.

use std::error::Error;
use std::fmt;

use crate::load::OperationError;

/// Why results could not be measured, read, written or compared. `Debug` prints it with its causes, and of
/// a round that failed `Display` does too.
pub struct ResultsError {
    kind: ResultsErrorKind,
    what: String,
    source: Option<OperationError>,
}

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ResultsErrorKind {
    /// The builder was given what makes no sense.
    Misuse,
    /// A round failed.
    Round,
    /// A file could not be read or written.
    File,
    /// A file is not what it should be, or of a schema that this version cannot read.
    Format,
    /// There is no baseline of that name.
    NoBaseline,
    /// The record cannot become a baseline: it is quick, or has too few rounds.
    NotABaseline,
    /// The runs are of a sweep, which has levels and no record: it has no trend.
    Sweep,
    /// The baseline is of another configuration.
    OtherConfiguration,
    /// It is worse than the baseline.
    Regressed,
    /// It cannot be told whether it is worse than the baseline, and `ISOLATED_NATS_INCONCLUSIVE=fail` wants that to fail.
    Inconclusive,
    /// A target was missed.
    MissedTarget,
}

impl ResultsError {
    pub(crate) fn new(kind: ResultsErrorKind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into(), source: None }
    }

    pub(crate) fn because(mut self, source: impl Into<OperationError>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Returns what went wrong.
    #[must_use]
    pub fn kind(&self) -> ResultsErrorKind {
        self.kind
    }
}

impl fmt::Display for ResultsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            // What failed is the test's own, and nothing without its cause.
            ResultsErrorKind::Round => fmt::Debug::fmt(self, f),
            _ => f.write_str(&self.what),
        }
    }
}

impl Error for ResultsError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl fmt::Debug for ResultsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        self.source().map_or(Ok(()), |cause| {
            f.write_str(": ")?;
            crate::server::write_chain(cause, f)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_that_failed_is_shown_with_its_cause_once() {
        let error = |kind| ResultsError::new(kind, "round 2 of `old` failed").because("no answer");
        let whole = "round 2 of `old` failed: no answer";
        let round = error(ResultsErrorKind::Round);
        assert_eq!([round.to_string(), format!("{round:?}")], [whole, whole]);
        let file = error(ResultsErrorKind::File);
        assert_eq!([file.to_string(), format!("{file:?}")], ["round 2 of `old` failed", whole]);
    }
}
