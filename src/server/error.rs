//! Why a server could not be started, reached or disturbed.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

type Cause = Box<dyn Error + Send + Sync>;

/// Writes an error and its causes as one sentence: what a test shows when it unwraps.
pub(crate) fn write_chain(error: &dyn Error, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{error}")?;
    let mut cause = error.source();
    while let Some(error) = cause {
        write!(f, ": {error}")?;
        cause = error.source();
    }
    Ok(())
}

/// Why a server did not start.
///
/// `Debug` prints the whole chain with the evidence, which is what a test shows that unwraps; nothing is left running
/// and, unless the directory is kept as evidence, nothing is left on disk.
pub struct StartError(Box<StartContext>);

pub(crate) struct StartContext {
    pub(crate) kind: StartErrorKind,
    pub(crate) what: String,
    pub(crate) stage: Stage,
    pub(crate) elapsed: Duration,
    pub(crate) cause: Option<Cause>,
    pub(crate) evidence: Evidence,
}

/// What is known of a server process that did not become ready; each part absent when it did not come to be.
#[derive(Clone, Debug, Default)]
pub(crate) struct Evidence {
    pub(crate) command_line: Option<String>,
    pub(crate) status: Option<ExitStatus>,
    pub(crate) fatal: Option<String>,
    pub(crate) log_tail: Option<String>,
    pub(crate) log_path: Option<PathBuf>,
}

/// What kind of [`StartError`] it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StartErrorKind {
    /// No `nats-server` could be found or fetched; the text lists each source, why it failed, and what would fix it.
    NoBinary,
    /// The program named by the builder or by `ISOLATED_NATS_SERVER` is missing, is no `nats-server`, or has another
    /// version than the one asked for; the text says which.
    Binary,
    /// An environment variable has a value that it may not have; the text names it and those that it may have.
    Environment,
    /// What the builder was given cannot be used, such as a version or a name; the text says which and why.
    Builder,
    /// The configuration file is missing or cannot be read: check the path, which is relative to the working directory.
    ConfigFile,
    /// The server refused its configuration; the text has the server's own words with file, line and column.
    ConfigRejected,
    /// The server's private directory could not be made or written: set `ISOLATED_NATS_DIR` to one that can.
    Directory,
    /// The server's store could not be written: check the space and the permissions of the directory in the text.
    Store,
    /// The program could not be executed at all: check that it is a `nats-server` for this machine.
    Spawn,
    /// The process ended before it was ready; the text has its exit status, its last words and the log's tail.
    Exited,
    /// A port asked for, by the builder or by the configuration, is taken by another process: ask for none (`-1` in a
    /// configuration), and the server picks a free one.
    PortTaken,
    /// The limit passed before the server was ready; the text has the stage: raise `start_timeout`, or
    /// `ISOLATED_NATS_TIME_FACTOR` on a slow machine.
    Timeout,
    /// What listens on the server's port is not the server that was started.
    NotTheServer,
    /// The server runs, but without JetStream, which was asked for.
    NoJetStream,
    /// The running server named by `ISOLATED_NATS_URL` cannot be used: not reachable, or the test asks for what only a
    /// server of its own can give.
    Attach,
}

/// How far a start had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// Finding, and if need be fetching, the `nats-server` program.
    Acquire,
    /// Making the private directory and the configuration.
    Prepare,
    /// Executing the program.
    Spawn,
    /// Waiting for the file in which the server writes the ports that it picked.
    Ports,
    /// Waiting for the server's greeting (`INFO`) on its client port.
    Greeting,
    /// Seeing whether JetStream is on.
    JetStream,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Acquire => "finding nats-server",
            Self::Prepare => "preparing its directory",
            Self::Spawn => "executing it",
            Self::Ports => "waiting for its ports file",
            Self::Greeting => "waiting for its greeting",
            Self::JetStream => "looking for JetStream",
        })
    }
}

impl StartError {
    pub(crate) fn new(kind: StartErrorKind, stage: Stage, what: impl Into<String>) -> Self {
        Self(Box::new(StartContext {
            kind,
            what: what.into(),
            stage,
            elapsed: Duration::ZERO,
            cause: None,
            evidence: Evidence::default(),
        }))
    }

    pub(crate) fn cause(mut self, cause: impl Into<Cause>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    pub(crate) fn elapsed_time(mut self, elapsed: Duration) -> Self {
        self.0.elapsed = elapsed;
        self
    }

    /// Another kind and text, where they are known better.
    pub(crate) fn known_better(mut self, known: Option<(StartErrorKind, &str)>) -> Self {
        if let Some((kind, what)) = known {
            self.0.kind = kind;
            self.0.what = what.to_owned();
        }
        self
    }

    /// Forgets where the log was, once it has been removed.
    pub(crate) fn log_is_gone(&mut self) {
        self.0.evidence.log_path = None;
    }

    pub(crate) fn evidence(mut self, evidence: Evidence) -> Self {
        self.0.evidence = evidence;
        self
    }

    /// Returns what kind of error it is.
    #[must_use]
    pub fn kind(&self) -> StartErrorKind {
        self.0.kind
    }

    /// Returns how far the start had come.
    #[must_use]
    pub fn stage(&self) -> Stage {
        self.0.stage
    }

    /// Returns how long the start had lasted, without the time for finding the program.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed
    }

    /// Returns the command line of the process; `None` when there was none yet.
    #[must_use]
    pub fn command_line(&self) -> Option<&str> {
        self.0.evidence.command_line.as_deref()
    }

    /// Returns the exit status of a process that ended by itself.
    #[must_use]
    pub fn exit_status(&self) -> Option<ExitStatus> {
        self.0.evidence.status
    }

    /// Returns the line in which the server said why it gave up: its last `[FTL]` line, or its last line outside the log.
    #[must_use]
    pub fn fatal_line(&self) -> Option<&str> {
        self.0.evidence.fatal.as_deref()
    }

    /// Returns the last lines of the server's log, oldest first; `None` when there was no process.
    #[must_use]
    pub fn log_tail(&self) -> Option<&str> {
        self.0.evidence.log_tail.as_deref()
    }

    /// Returns where the log was kept; `None` when there was none, or when `ISOLATED_NATS_KEEP=never` removed it.
    #[must_use]
    pub fn log_path(&self) -> Option<&Path> {
        self.0.evidence.log_path.as_deref()
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let StartContext { what, stage, elapsed, evidence, .. } = &*self.0;
        write!(f, "nats-server did not start: {what} (while {stage}")?;
        if !elapsed.is_zero() {
            write!(f, ", after {elapsed:.1?}")?;
        }
        f.write_str(")")?;
        if let Some(status) = evidence.status {
            write!(f, "\n  ended with    {status}")?;
        }
        if let Some(fatal) = &evidence.fatal {
            write!(f, "\n  the server    {fatal}")?;
        }
        if let Some(command) = &evidence.command_line {
            write!(f, "\n  command line  {command}")?;
        }
        if let Some(path) = &evidence.log_path {
            write!(f, "\n  log           {}", path.display())?;
        }
        match &evidence.log_tail {
            Some(tail) if !tail.is_empty() => {
                f.write_str("\n  its last lines")?;
                tail.lines().try_for_each(|line| write!(f, "\n    | {line}"))
            }
            Some(_) => f.write_str("\n  its log is empty"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            let StartContext { kind, what, stage, elapsed, cause, evidence } = &*self.0;
            return f
                .debug_struct("StartError")
                .field("kind", kind)
                .field("what", what)
                .field("stage", stage)
                .field("elapsed", elapsed)
                .field("evidence", evidence)
                .field("cause", cause)
                .finish();
        }
        write_chain(self, f)
    }
}

impl Error for StartError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.cause.as_deref().map(|cause| cause as &(dyn Error + 'static))
    }
}

/// Why a fault could not be brought about.
pub struct FaultError {
    kind: FaultErrorKind,
    what: String,
    cause: Option<Cause>,
}

/// What kind of [`FaultError`] it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultErrorKind {
    /// The server does not run: `shutdown`, `stop` or `kill` ended it, or it ended by itself; the text says which.
    /// After `stop`, `kill` or an end of its own, `restart` brings it back; after `shutdown` nothing does.
    Stopped,
    /// The server is not ours but one attached to by `ISOLATED_NATS_URL`: unset the variable to run this test.
    Attached,
    /// This operating system has no such fault; the text names the nearest that it has.
    Unsupported,
    /// The port of the server is now another process's; the text names it. Ask for a new server, or free the port.
    PortTaken,
    /// The server refused the new configuration and keeps the old; the text has its own words.
    Refused,
    /// The limit passed before the server was in the state asked for.
    Timeout,
    /// The server did not come up again; the cause is a [`StartError`].
    Start,
    /// The system refused a call; the cause is its error.
    System,
}

impl FaultError {
    pub(crate) fn new(kind: FaultErrorKind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into(), cause: None }
    }

    pub(crate) fn cause(mut self, cause: impl Into<Cause>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    pub(crate) fn system(what: &str, cause: impl Into<Cause>) -> Self {
        Self::new(FaultErrorKind::System, what).cause(cause)
    }

    /// Returns what kind of error it is.
    #[must_use]
    pub fn kind(&self) -> FaultErrorKind {
        self.kind
    }
}

impl fmt::Display for FaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl fmt::Debug for FaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            return f
                .debug_struct("FaultError")
                .field("kind", &self.kind)
                .field("what", &self.what)
                .field("cause", &self.cause)
                .finish();
        }
        write_chain(self, f)
    }
}

impl Error for FaultError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn Error + 'static))
    }
}
