//! What was found: leaks in groups, notes, and what could not be looked at.

use std::fmt;

/// What kind of thing was left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum LeakKind {
    /// A task of the runtime that has not ended.
    Task,
    /// A task of a `LocalSet` that has not ended.
    LocalTask,
    /// A closure of `spawn_blocking` that has not returned.
    BlockingTask,
    /// A task that panicked, and whose panic nobody can see: it was detached.
    TaskPanic,
    /// A thread that has not ended.
    Thread,
    /// A file descriptor that is still open: a file, a socket, a pipe.
    Descriptor,
    /// A child process that runs, or has ended and was not waited for.
    Child,
    /// A connection to the server that is still open.
    Connection,
    /// A subscription on the server, on a connection that the test had before.
    Subscription,
    /// A stream on the server.
    Stream,
    /// A key-value bucket or an object store on the server.
    Bucket,
    /// A consumer on the server.
    Consumer,
}

/// A line of source code.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SourceLine {
    /// The function, with its path.
    pub function: String,
    /// The file: relative to the working directory, from its package on (`async-nats-0.51.0/src/lib.rs`) or from the
    /// standard library's directory on; `None` without debug information.
    pub file: Option<String>,
    /// The line, from 1; 0 without debug information.
    pub line: u32,
}

/// Things of one kind that were left behind in the same place.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Leak {
    /// What kind of thing it is.
    pub kind: LeakKind,
    /// How many there are.
    pub count: usize,
    /// Which they are, such as "`worker` (tid 17)" or "`ORDERS` (3 messages)"; empty for tasks.
    pub what: String,
    /// The line that spawned the tasks, innermost: of a library, or of the test itself.
    pub spawned_at: Option<SourceLine>,
    /// The first line of the user's own code above it, which may be the same line.
    pub called_from: Option<SourceLine>,
    /// Further lines about it, such as the way from the one to the other.
    pub details: Vec<String>,
    /// What may be the reason, and what would help.
    pub hints: Vec<String>,
}

impl Leak {
    /// One thing that is known by a text.
    pub(crate) fn one(kind: LeakKind, what: impl Into<String>) -> Self {
        Self {
            kind,
            count: 1,
            what: what.into(),
            spawned_at: None,
            called_from: None,
            details: Vec::new(),
            hints: Vec::new(),
        }
    }

    pub(crate) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.details.push(detail.into());
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

/// Something that was not looked at, and why: "threads, descriptors, children", "shared process (…)".
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NotChecked {
    pub(crate) what: &'static str,
    pub(crate) why: String,
}

impl NotChecked {
    /// What was not checked, by the names that reports show.
    pub(crate) const TASKS: &str = "tasks";
    pub(crate) const SITES: &str = "spawn sites";
    pub(crate) const PROCESS: &str = "threads, descriptors, children";
    pub(crate) const SERVER: &str = "server";

    pub(crate) fn unanswered() -> Self {
        Self { what: Self::SERVER, why: "no thread could be started to ask it".into() }
    }
}

/// What one check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Findings {
    pub(crate) leaks: Vec<Leak>,
    /// What is no leak, but worth a line: an ephemeral consumer that the server will remove by itself.
    pub(crate) notes: Vec<String>,
    pub(crate) not_checked: Vec<NotChecked>,
    /// Whether tasks were left that a number of tasks allows.
    pub(crate) used_allowance: bool,
}

impl Findings {
    pub(crate) fn add(&mut self, mut other: Self) {
        self.leaks.append(&mut other.leaks);
        self.notes.append(&mut other.notes);
        self.not_checked.append(&mut other.not_checked);
        self.used_allowance |= other.used_allowance;
    }
}

impl From<NotChecked> for Findings {
    fn from(not_checked: NotChecked) -> Self {
        Self { not_checked: vec![not_checked], ..Self::default() }
    }
}

impl LeakKind {
    /// The kind's name for one and for several: "1 task", "2 tasks".
    pub(crate) fn counted(self, count: usize) -> String {
        let name = match self {
            Self::Task => "task",
            Self::LocalTask => "local task",
            Self::BlockingTask => "blocking task",
            Self::TaskPanic => "panic of a detached task",
            Self::Thread => "thread",
            Self::Descriptor => "descriptor",
            Self::Child => "child process",
            Self::Connection => "connection",
            Self::Subscription => "subscription",
            Self::Stream => "stream",
            Self::Bucket => "bucket",
            Self::Consumer => "consumer",
        };
        match (self, count) {
            (_, 1) => format!("1 {name}"),
            (Self::Child, _) => format!("{count} child processes"),
            (Self::TaskPanic, _) => format!("{count} panics of detached tasks"),
            _ => format!("{count} {name}s"),
        }
    }
}

impl fmt::Display for SourceLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.function)?;
        match &self.file {
            Some(file) => write!(f, " ({file}:{})", self.line),
            None => Ok(()),
        }
    }
}

impl fmt::Display for LeakKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.counted(1);
        f.write_str(text.strip_prefix("1 ").unwrap_or(&text))
    }
}
