//! Why one step failed.

use std::{error::Error, fmt, io, path::PathBuf, process::ExitStatus, time::Duration};

use crate::{StepErrorKind, Version, probe::ProbeError};

/// Any error, kept as a cause.
pub(crate) type Cause = Box<dyn Error + Send + Sync>;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Reason {
    #[error("forbidden, since `{variable}` asks to stay offline (only a `file://` mirror is allowed)")]
    Offline { variable: &'static str },
    #[error("no executable is named")]
    NotNamed,
    #[error("no mirror is named (set `ISOLATED_NATS_MIRROR`)")]
    NoMirror,
    #[error("`ISOLATED_NATS_SHA256` pins the release archive, so no other kind of build is fetched")]
    Pinned,
    #[error("no entry in `{}`", root.display())]
    NotCached { root: PathBuf },
    #[error("the user has no cache directory (set `ISOLATED_NATS_CACHE_DIR`)")]
    NoCacheDirectory,
    #[error("the entry `{}` is damaged: {what}", entry.display())]
    Damaged { entry: PathBuf, what: String },
    #[error("no `nats-server` in the {directories} directories of PATH")]
    NotOnPath { directories: usize },
    #[error("nothing suitable among: {}", join(.0))]
    Unsuitable(Vec<Rejected>),
    #[error("could not {doing} `{}`", path.display())]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
    #[error("could not fetch `{url}`")]
    Request { url: String, source: Cause },
    #[error("`{url}` answered with HTTP status {status}")]
    Status { url: String, status: u16 },
    #[error("`{url}` cannot be fetched: {what}")]
    Url { url: String, what: &'static str },
    #[error("no answer from `{url}` within its limit of {limit:.1?}")]
    NetworkTimeout { url: String, limit: Duration },
    #[error("`{url}` ended after {actual} of {expected} bytes")]
    Truncated { url: String, expected: u64, actual: u64 },
    #[error("`{what}` is larger than {limit} bytes")]
    TooLarge { what: String, limit: u64 },
    #[error("`{file}` has the SHA-256 {actual}, not {expected} ({origin}){hint}")]
    Checksum { file: String, expected: String, actual: String, origin: &'static str, hint: &'static str },
    #[error("`ISOLATED_NATS_SHA256` is {pinned}, but `{file}` is known to have {known} (unset the variable)")]
    PinContradicts { file: String, pinned: String, known: String },
    #[error("no sum for `{file}`: {what}")]
    NoChecksum { file: String, what: &'static str },
    #[error("no sum for `{file}`, and its `SHA256SUMS` is not to be had")]
    NoSumsFile { file: String, source: Box<Self> },
    #[error("`{archive}` is not a usable archive: {what}")]
    Archive { archive: String, what: String },
    #[error("`{archive}` cannot be read as an archive")]
    BadArchive { archive: String, source: Cause },
    #[error("no time was left (the limit is {limit:.1?})")]
    NoTime { limit: Duration },
    #[error("{holder} held the lock for longer than the {waited:.1?} that were left")]
    Locked { holder: String, waited: Duration },
    #[error("no {programs} on PATH")]
    NoProgram { programs: &'static str },
    #[error("`{line}` could not be started")]
    Spawn { line: String, source: io::Error },
    #[error("`{line}` was stopped after {limit:.1?}{}", tail(stderr))]
    CommandDeadline { line: String, limit: Duration, stderr: String },
    #[error("`{line}` failed ({status}){}", tail(stderr))]
    Command { line: String, status: ExitStatus, stderr: String },
    #[error("`{line}` did not make `{what}`")]
    NoOutput { line: String, what: String },
    #[error("the executable does not work")]
    Probe(#[from] ProbeError),
    #[error("the executable says it is version {actual}, not {wanted}")]
    WrongVersion { actual: Version, wanted: String },
}

impl Reason {
    pub(crate) fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { doing, path, source }
    }

    pub(crate) fn kind(&self) -> StepErrorKind {
        match self {
            Self::Offline { .. } | Self::NotNamed | Self::NoMirror | Self::Pinned => StepErrorKind::Forbidden,
            Self::NotCached { .. }
            | Self::NoCacheDirectory
            | Self::NotOnPath { .. }
            | Self::NoProgram { .. }
            | Self::Unsuitable(_) => StepErrorKind::Missing,
            Self::Damaged { .. } => StepErrorKind::Damaged,
            Self::Io { .. } => StepErrorKind::Io,
            Self::Request { .. } | Self::Status { .. } | Self::Url { .. } | Self::Truncated { .. } => {
                StepErrorKind::Network
            }
            Self::Checksum { .. }
            | Self::PinContradicts { .. }
            | Self::NoChecksum { .. }
            | Self::NoSumsFile { .. } => StepErrorKind::Checksum,
            Self::TooLarge { .. } | Self::Archive { .. } | Self::BadArchive { .. } => StepErrorKind::Archive,
            Self::NetworkTimeout { .. }
            | Self::NoTime { .. }
            | Self::Locked { .. }
            | Self::CommandDeadline { .. } => StepErrorKind::Deadline,
            Self::Spawn { .. } | Self::Command { .. } | Self::NoOutput { .. } => StepErrorKind::Command,
            Self::Probe(_) => StepErrorKind::Binary,
            Self::WrongVersion { .. } => StepErrorKind::WrongVersion,
        }
    }
}

/// A file on PATH that was looked at and not taken.
#[derive(Debug)]
pub(crate) struct Rejected {
    pub(crate) path: PathBuf,
    pub(crate) why: Unsuitable,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Unsuitable {
    #[error("a script that starts with `#!` (killing it would leave the real server running)")]
    Shim,
    #[error("version {actual}, not {wanted}")]
    Version { actual: Version, wanted: String },
    #[error(transparent)]
    Probe(#[from] ProbeError),
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ({})", self.path.display(), crate::error::Chain(&self.why))
    }
}

fn join(rejected: &[Rejected]) -> String {
    let texts: Vec<_> = rejected.iter().map(ToString::to_string).collect();
    texts.join(", ")
}

/// The last lines of what a program wrote, on one line.
fn tail(stderr: &str) -> String {
    let lines: Vec<_> = stderr.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let last = lines[lines.len().saturating_sub(4)..].join(" | ");
    if last.is_empty() { String::new() } else { format!(": {last}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_lines_of_a_program_are_shown_and_on_one_line() {
        assert_eq!(tail("\n \n"), "");
        assert_eq!(tail("a\nb\n\nc\nd\ne\n"), ": b | c | d | e");
    }
}
