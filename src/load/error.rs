//! Why a load could not be generated.

use std::error::Error;
use std::fmt;

use crate::server::write_chain;

/// What an operation fails with.
pub type OperationError = Box<dyn Error + Send + Sync>;

/// Why a load was not generated, or its report does not pass.
///
/// `Debug` prints the whole chain as a sentence, which is what a test shows that unwraps.
pub struct LoadError {
    kind: LoadErrorKind,
    what: String,
    source: Option<OperationError>,
}

/// What kind of [`LoadError`] it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoadErrorKind {
    /// There is no schedule, or one that cannot be run: the text says which figure to change.
    Schedule,
    /// There is no operation, two have one name, or their weights are all zero or too large.
    Operations,
    /// Another setting of the builder cannot be used: the text names it.
    Setting,
    /// The text of a threshold cannot be read, or no run could ever meet it.
    Threshold,
    /// There is no tokio runtime: call it from an async function that tokio runs.
    NoRuntime,
    /// The runtime's clock is paused: load needs real time.
    PausedClock,
    /// Not one worker could be set up, or a service was not ready in time: the first error is its source.
    SetUp,
    /// A threshold was passed, or nothing was measured: what [`LoadReport::check`](super::LoadReport::check) returns.
    Failed,
    /// The run says nothing, for the reasons of its [`Validity`](super::Validity).
    Inconclusive,
}

impl LoadError {
    pub(super) fn new(kind: LoadErrorKind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into(), source: None }
    }

    pub(super) fn because(mut self, source: OperationError) -> Self {
        self.source = Some(source);
        self
    }

    /// Returns what kind of error it is.
    #[must_use]
    pub fn kind(&self) -> LoadErrorKind {
        self.kind
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl fmt::Debug for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_chain(self, f)
    }
}

impl Error for LoadError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// An error and its causes as one line; a cause that repeats what was said is left out. Errors are counted by it.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let causes = std::iter::successors(error.source(), |cause| (*cause).source()).map(ToString::to_string);
    for cause in causes {
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}
