//! What is said of a figure above its ceiling, or of one that cannot be judged.

use std::error::Error;
use std::fmt;

use super::Ceiling;

/// What was wrong with a report, or with the question.
///
/// `Debug` prints the whole text, the stack of a heap's peak included; `{:#?}` prints the parts.
#[derive(Clone)]
pub struct CeilingError(Box<Context>);

#[derive(Clone, Debug)]
pub(super) struct Context {
    pub(super) kind: CeilingErrorKind,
    pub(super) ceiling: Ceiling,
    pub(super) measured: Option<f64>,
    pub(super) text: String,
    pub(super) evidence: String,
}

/// What kind of [`CeilingError`] it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CeilingErrorKind {
    /// The figure is above the ceiling: the text says by how much, and, of a peak of the heap, where.
    Exceeded,
    /// The figure was not measured: do what the text says, such as install the allocator.
    NotMeasured,
    /// The ceiling names a phase or a process that the report does not have, or is not a number: correct it.
    Unknown,
}

impl CeilingError {
    pub(super) fn new(context: Context) -> Self {
        Self(Box::new(context))
    }

    /// Returns what kind of error it is.
    #[must_use]
    pub fn kind(&self) -> CeilingErrorKind {
        self.0.kind
    }

    /// Returns the ceiling that was checked.
    pub fn ceiling(&self) -> &Ceiling {
        &self.0.ceiling
    }

    /// Returns the measured figure, in the ceiling's own unit; `None` when there is none.
    #[must_use]
    pub fn measured(&self) -> Option<f64> {
        self.0.measured
    }
}

impl fmt::Display for CeilingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)
    }
}

impl fmt::Debug for CeilingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            return f.debug_tuple("CeilingError").field(&self.0).finish();
        }
        match self.0.evidence.trim_end() {
            "" => f.write_str(&self.0.text),
            evidence => write!(f, "{}\n{evidence}", self.0.text),
        }
    }
}

impl Error for CeilingError {}
