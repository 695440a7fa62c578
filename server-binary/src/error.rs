//! What can go wrong, with every step that was tried.

use std::{error::Error, fmt, path::PathBuf, time::Duration};

use crate::{
    Source,
    reason::Reason,
    version::{ParseVersionError, Version},
};

/// Why no `nats-server` could be had.
///
/// `Display` lists each step that was tried, why it failed, and the commands that would fix it. `Debug` prints the same
/// with the causes below, since tests show errors through `unwrap`; `{:#?}` prints the structure.
#[non_exhaustive]
pub struct AcquireError {
    pub(crate) kind: AcquireErrorKind,
    pub(crate) what: Box<What>,
    pub(crate) steps: Vec<Step>,
    pub(crate) fixes: Vec<String>,
}

/// The kinds of [`AcquireError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AcquireErrorKind {
    /// An environment variable has a value that cannot be used: correct it or unset it.
    Environment,
    /// The version asked for is not a version, or no version of that line is known: name one such as `2.14.5`.
    Version,
    /// The executable named in the builder or by `ISOLATED_NATS_SERVER` cannot be used: see the step's cause.
    Binary,
    /// The executable named in the builder or by `ISOLATED_NATS_SERVER` has another version than the one asked for.
    WrongVersion,
    /// No source had the version: see [`AcquireError::steps`].
    Exhausted,
    /// The time for acquiring ran out: see [`AcquireError::steps`] for where it went.
    Deadline,
}

#[derive(Debug)]
pub(crate) enum What {
    Variable { name: &'static str, value: String, expected: &'static str },
    Version(ParseVersionError),
    UnknownLine { asked: String, known: String },
    Binary { path: PathBuf, named_by: &'static str, wanted: Option<String> },
    Exhausted { wanted: Version, target: String, elapsed: Duration, limit: Duration },
}

impl AcquireError {
    /// Returns what kind of failure this is.
    #[must_use]
    pub fn kind(&self) -> AcquireErrorKind {
        self.kind
    }

    /// Returns the steps that were tried, in order; empty if it did not come to trying.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Returns the commands that would fix it, best first; may be empty.
    #[must_use]
    pub fn fixes(&self) -> &[String] {
        &self.fixes
    }

    pub(crate) fn variable(name: &'static str, value: impl Into<String>, expected: &'static str) -> Self {
        let what = What::Variable { name, value: value.into(), expected };
        Self {
            kind: AcquireErrorKind::Environment,
            what: Box::new(what),
            steps: Vec::new(),
            fixes: vec![format!("unset {name}")],
        }
    }

    pub(crate) fn version(error: ParseVersionError) -> Self {
        Self {
            kind: AcquireErrorKind::Version,
            what: Box::new(What::Version(error)),
            steps: Vec::new(),
            fixes: Vec::new(),
        }
    }

    pub(crate) fn unknown_line(asked: String, known: String) -> Self {
        let what = What::UnknownLine { asked, known };
        Self { kind: AcquireErrorKind::Version, what: Box::new(what), steps: Vec::new(), fixes: Vec::new() }
    }
}

/// What happened, why, and last what would fix it: the causes stand in between, and are therefore no [`Error::source`].
impl fmt::Display for AcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.what)?;
        match (&*self.what, self.steps.as_slice()) {
            (What::Version(error), _) => write!(f, ": {}", Chain(error))?,
            (What::Binary { .. }, [step, ..]) => write!(f, ": {}", Chain(step.error()))?,
            (_, steps) => steps.iter().try_for_each(|step| write!(f, "\n  {step}"))?,
        }
        for (index, fix) in self.fixes.iter().enumerate() {
            f.write_str(if index == 0 { "\nto fix it, one of:" } else { "" })?;
            write!(f, "\n  {fix}")?;
        }
        Ok(())
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable { name, value, expected } => {
                write!(f, "the environment variable `{name}` is `{value}` (expected {expected})")
            }
            Self::Version(_) => f.write_str("the version asked for cannot be used"),
            Self::UnknownLine { asked, known } => {
                write!(
                    f,
                    "no version of the line `{asked}` is known (known lines: {known}; or ask for an exact version)"
                )
            }
            Self::Binary { path, named_by, wanted } => {
                write!(f, "the nats-server named by {named_by}, `{}`, cannot be used", path.display())?;
                match wanted {
                    Some(wanted) => write!(f, " for version {wanted}"),
                    None => Ok(()),
                }
            }
            Self::Exhausted { wanted, target, elapsed, limit } => {
                let elapsed = elapsed.as_secs_f64();
                let limit = limit.as_secs_f64();
                write!(
                    f,
                    "no nats-server {wanted} for {target} after {elapsed:.1} s of at most {limit:.1} s; tried:"
                )
            }
        }
    }
}

impl fmt::Debug for AcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            return f
                .debug_struct("AcquireError")
                .field("kind", &self.kind)
                .field("what", &self.what)
                .field("steps", &self.steps)
                .field("fixes", &self.fixes)
                .finish();
        }
        fmt::Display::fmt(self, f)
    }
}

impl Error for AcquireError {}

/// One source that was tried in vain.
#[derive(Debug)]
pub struct Step {
    pub(crate) tried: Source,
    pub(crate) reason: Reason,
}

impl Step {
    /// Returns which source was tried.
    #[must_use]
    pub fn tried(&self) -> Source {
        self.tried
    }

    /// Returns what kind of failure it was.
    #[must_use]
    pub fn kind(&self) -> StepErrorKind {
        self.reason.kind()
    }

    /// Returns the error itself, with its causes as `source()`.
    #[must_use]
    pub fn error(&self) -> &(dyn Error + 'static) {
        &self.reason
    }
}

/// One line: the source, the error, and its causes.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.tried, Chain(&self.reason))
    }
}

/// The kinds of failure of one [`Step`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StepErrorKind {
    /// The source is forbidden (offline), or not set up (no mirror named).
    Forbidden,
    /// The source works and does not have it, or the program it needs is not there.
    Missing,
    /// The cache had an entry that was damaged; it has been put aside.
    Damaged,
    /// A file could not be read or written.
    Io,
    /// The network, the proxy or TLS failed, or the answer was not the file.
    Network,
    /// No checksum for it could be had, or the file does not have the sum it must have.
    Checksum,
    /// The archive is not what a release archive is.
    Archive,
    /// Its limit of time passed.
    Deadline,
    /// A program that was started failed.
    Command,
    /// The executable does not work as nats-server, or not here.
    Binary,
    /// The executable has another version.
    WrongVersion,
}

/// Prints an error and its causes as one sentence.
pub(crate) struct Chain<'a>(pub(crate) &'a (dyn Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
