//! Why a test did not pass in its own process.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use super::output::Seen;
use crate::server::write_chain;

/// What is said after the test's name.
pub(crate) struct Failure {
    /// `None` when there was no process.
    pid: Option<u32>,
    why: Why,
}

#[derive(Debug)]
pub(super) enum Why {
    /// The program, once it is known.
    NotStarted(Option<PathBuf>, io::Error),
    /// With the message, if there was one.
    Failed(Option<String>),
    /// The process ended before the test.
    Ended(ExitStatus),
    /// The test passed, and the process did not.
    EndedBadly(ExitStatus),
    TimedOut(Duration),
    Unknown,
    NotReached,
    NoLibtest(ExitStatus),
}

impl Failure {
    pub(super) fn not_started(program: Option<PathBuf>, error: io::Error) -> Self {
        Self { pid: None, why: Why::NotStarted(program, error) }
    }

    pub(super) fn timed_out(pid: u32, limit: Duration) -> Self {
        Self { pid: Some(pid), why: Why::TimedOut(limit) }
    }
}

/// Judges a process that has ended; libtest alone knows whether the test passed, but the process may end without it.
pub(super) fn judge(pid: u32, seen: Seen, status: ExitStatus) -> Result<(), Failure> {
    let why = match (seen.running, seen.result) {
        (Some(1), Some((1, 0))) if !seen.began => Why::NotReached,
        (Some(1), Some((1, 0))) if status.success() => return Ok(()),
        (Some(1), Some((1, 0))) => Why::EndedBadly(status),
        (Some(1), Some((0, 1))) => Why::Failed(seen.message),
        (Some(1), None) => Why::Ended(status),
        (Some(_), _) => Why::Unknown,
        (None, _) => Why::NoLibtest(status),
    };
    Err(Failure { pid: Some(pid), why })
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let process = Own(self.pid);
        match &self.why {
            Why::NotStarted(Some(program), _) => write!(
                f,
                "has no {process}: `{}` cannot be executed (was it built anew or removed meanwhile? run the tests again)",
                program.display()
            ),
            Why::NotStarted(None, _) => {
                write!(f, "has no {process} (are there too many processes, threads or open files?)")
            }
            Why::Failed(Some(message)) => write!(f, "failed in a {process}: {message}"),
            Why::Failed(None) => write!(f, "failed in a {process} (its output says why)"),
            Why::Ended(status) => write!(
                f,
                "was not over when its {process} ended with {status} (does something in it exit or abort the process?)"
            ),
            Why::EndedBadly(status) => write!(
                f,
                "passed, but its {process} ended with {status} (does something fail when the process exits?)"
            ),
            Why::TimedOut(limit) => write!(
                f,
                "did not end within {limit:.1?}, and its {process} was killed (does it block its thread? use `.await`, or \
                 `spawn_blocking`)"
            ),
            Why::Unknown => write!(
                f,
                "was not the one test that ran in a {process} (is it called on a thread with another name? remove \
                 `process`, or call it from no thread of yours)"
            ),
            Why::NotReached => write!(
                f,
                "was not reached in a {process}, though libtest passed it (does a fixture return before it there?)"
            ),
            Why::NoLibtest(status) => write!(
                f,
                "cannot have a {process}: the program does not know libtest's arguments, and ended with {status} (remove \
                 `harness = false`, or remove `process`)"
            ),
        }
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_chain(self, f)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.why {
            Why::NotStarted(_, error) => Some(error),
            _ => None,
        }
    }
}

/// The process, as every message names it.
struct Own(Option<u32>);

impl fmt::Display for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("process of its own")?;
        self.0.map_or(Ok(()), |pid| write!(f, " (pid {pid})"))
    }
}
