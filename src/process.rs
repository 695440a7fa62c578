//! Figures of any process, by its pid: memory, CPU time, threads, descriptors.

use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;
#[cfg(target_os = "linux")]
use linux as platform;
#[cfg(not(target_os = "linux"))]
use other as platform;

/// Reads the figures of one process.
///
/// Each call of [`sample`](Self::sample) reads them anew; nothing runs in the background. The pid is that of the moment
/// the probe was made: after a restart of a server, ask it for a new probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessProbe {
    pid: u32,
}

/// The figures of a process at one moment; `None` is "not measured here", never zero.
///
/// Source: Linux `/proc/<pid>/{stat,status,fd}`, read once each; elsewhere the `sysinfo` crate.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProcessSample {
    /// Bytes resident in memory when sampled (`VmRSS`); on Linux before 6.2 it may lag by up to 64 pages a thread.
    pub rss_bytes: u64,
    /// Most bytes ever resident in this process (`VmHWM`); Linux only.
    pub peak_rss_bytes: Option<u64>,
    /// CPU time used since the process started, user and system together; its resolution is one clock tick (10 ms on
    /// Linux).
    pub cpu_time: Duration,
    /// Threads when sampled; Linux only.
    pub threads: Option<u64>,
    /// Open file descriptors when sampled, sockets included; `None` where the platform or its permissions hide them.
    pub open_descriptors: Option<u64>,
}

impl ProcessProbe {
    /// Makes a probe of the process with this pid, which need not be a child of ours.
    #[must_use]
    pub fn new(pid: u32) -> Self {
        Self { pid }
    }

    /// Returns the pid of the process this probe reads.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Reads the process's figures now.
    ///
    /// # Errors
    ///
    /// [`ProcessErrorKind::Unknown`] for the probe of an attached server; [`ProcessErrorKind::Gone`] when no such process exists, also when it has ended and was not yet waited for;
    /// [`ProcessErrorKind::Unreadable`] when the system refuses its figures.
    pub fn sample(&self) -> Result<ProcessSample, ProcessError> {
        platform::sample(self.pid).map_err(|source| ProcessError {
            pid: self.pid,
            kind: match source.kind() {
                _ if self.pid == 0 => ProcessErrorKind::Unknown,
                io::ErrorKind::NotFound => ProcessErrorKind::Gone,
                // ESRCH: the process ended between opening its file and reading it.
                _ if source.raw_os_error() == Some(3) => ProcessErrorKind::Gone,
                _ => ProcessErrorKind::Unreadable,
            },
            source,
        })
    }
}

/// Why a process could not be sampled.
#[derive(Debug)]
#[non_exhaustive]
pub struct ProcessError {
    pid: u32,
    kind: ProcessErrorKind,
    source: io::Error,
}

/// What kind of [`ProcessError`] it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProcessErrorKind {
    /// The server is attached, and its process is not known: unset `ISOLATED_NATS_URL`.
    Unknown,
    /// No process has this pid, or it has ended: take a new probe after a restart.
    Gone,
    /// The system refuses the figures: run as the user who owns the process.
    Unreadable,
}

impl ProcessError {
    /// Returns what kind of error it is.
    #[must_use]
    pub fn kind(&self) -> ProcessErrorKind {
        self.kind
    }
}

impl fmt::Display for ProcessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            ProcessErrorKind::Unknown => {
                f.write_str("the process of an attached server is not known (unset ISOLATED_NATS_URL)")
            }
            ProcessErrorKind::Gone => write!(f, "process {} has ended", self.pid),
            ProcessErrorKind::Unreadable => write!(f, "the figures of process {} cannot be read", self.pid),
        }
    }
}

impl Error for ProcessError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_figures_are_plausible_and_our_threads_are_counted() {
        let sample = ProcessProbe::new(std::process::id()).sample().unwrap();
        assert!(sample.rss_bytes > 100 << 10, "{sample:?}");
        #[cfg(target_os = "linux")]
        {
            assert!(sample.peak_rss_bytes.unwrap() >= sample.rss_bytes, "{sample:?}");
            assert!(sample.threads.unwrap() >= 2, "libtest's main thread and this one: {sample:?}");
            assert!(sample.open_descriptors.unwrap() >= 3, "{sample:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn an_ended_process_is_gone_whether_or_not_it_was_waited_for() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let probe = ProcessProbe::new(child.id());
        let deadline = crate::poll::Deadline::after(Duration::from_secs(10));
        let error = crate::poll::until(&deadline, || probe.sample().err()).expect("`true` ends");
        assert_eq!(error.kind(), ProcessErrorKind::Gone);
        child.wait().unwrap();
        let error = probe.sample().unwrap_err();
        assert_eq!(error.kind(), ProcessErrorKind::Gone);
        assert_eq!(error.to_string(), format!("process {} has ended", child.id()));
    }
}
