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
        let pid = Pid(self.pid);
        match &self.why {
            Why::NotStarted(Some(program), _) => {
                write!(f, "has no process of its own: `{}` cannot be executed", program.display())
            }
            Why::NotStarted(None, _) => write!(f, "has no process of its own"),
            Why::Failed(Some(message)) => write!(f, "failed in a process of its own{pid}: {message}"),
            Why::Failed(None) => write!(f, "failed in a process of its own{pid}"),
            Why::Ended(status) => write!(f, "was not over when its own process{pid} ended with {status}"),
            Why::EndedBadly(status) => write!(f, "passed, but its own process{pid} ended with {status}"),
            Why::TimedOut(limit) => {
                write!(f, "did not end within {limit:.1?}, and its own process{pid} was killed")
            }
            Why::Unknown => write!(f, "was not the one test that ran in a process of its own{pid}"),
            Why::NotReached => write!(f, "was not reached in a process of its own{pid}, and yet it passed"),
            Why::NoLibtest(status) => write!(
                f,
                "cannot have a process of its own{pid}: the program does not know libtest's arguments, and ended with \
                 {status}"
            ),
        }?;
        self.why.hint().map_or(Ok(()), |hint| write!(f, " ({hint})"))
    }
}

impl Why {
    /// What to look at, or to change.
    fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::NotStarted(Some(_), _) => "was it built anew or removed meanwhile? run the tests again",
            Self::NotStarted(None, _) => "are there too many processes, threads or open files?",
            Self::Failed(Some(_)) => return None,
            Self::Failed(None) => "its output says why",
            Self::Ended(_) => "does something in it exit or abort the process?",
            Self::EndedBadly(_) => "does something fail when the process exits?",
            Self::TimedOut(_) => "does it block its thread? use `.await`, or `spawn_blocking`",
            Self::Unknown => {
                "is it called on a thread with another name? remove `process`, or call it from no thread of yours"
            }
            Self::NotReached => "does a fixture return before it there?",
            Self::NoLibtest(_) => "remove `harness = false`, or remove `process`",
        })
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

/// The process, after the words that name it.
struct Pid(Option<u32>);

impl fmt::Display for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |pid| write!(f, " (pid {pid})"))
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    const CRASHED: i32 = 11; // the raw form of "by signal 11"

    fn judged(running: Option<u32>, began: bool, result: Option<(u32, u32)>, raw: i32) -> String {
        let seen = Seen { running, began, result, message: None };
        judge(7, seen, ExitStatus::from_raw(raw))
            .map_or_else(|failure| format!("{failure:?}"), |()| "passed".into())
    }

    #[test]
    fn a_test_passes_when_it_alone_ran_and_its_process_ended_well() {
        assert_eq!(judged(Some(1), true, Some((1, 0)), 0), "passed");
        assert_eq!(
            judged(Some(1), true, Some((1, 0)), CRASHED),
            "passed, but its own process (pid 7) ended with signal: 11 (SIGSEGV) (does something fail when the \
             process exits?)"
        );
        assert_eq!(
            judged(Some(1), false, Some((1, 0)), 0),
            "was not reached in a process of its own (pid 7), and yet it passed (does a fixture return before it \
             there?)"
        );
        let unknown = judged(Some(0), false, Some((0, 0)), 0);
        assert!(
            unknown.starts_with("was not the one test that ran in a process of its own (pid 7) ("),
            "{unknown}"
        );
        assert_eq!(judged(Some(2), true, Some((2, 0)), 0), unknown);
    }

    #[test]
    fn another_end_says_how() {
        assert_eq!(
            judged(Some(1), true, Some((0, 1)), 101 << 8),
            "failed in a process of its own (pid 7) (its output says why)"
        );
        assert_eq!(
            judged(Some(1), true, None, CRASHED),
            "was not over when its own process (pid 7) ended with signal: 11 (SIGSEGV) (does something in it \
             exit or abort the process?)"
        );
        assert_eq!(
            judged(None, false, None, 2 << 8),
            "cannot have a process of its own (pid 7): the program does not know libtest's arguments, and ended with exit \
             status: 2 (remove `harness = false`, or remove `process`)"
        );
    }

    #[test]
    fn what_keeps_the_process_from_being_made_is_the_cause() {
        let failure = Failure::not_started(Some("/a b".into()), io::ErrorKind::NotFound.into());
        assert_eq!(
            format!("{failure:?}"),
            "has no process of its own: `/a b` cannot be executed (was it built anew or removed meanwhile? run the tests \
             again): entity not found"
        );
    }
}
