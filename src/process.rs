//! Figures of any process, by its pid: memory, CPU time, threads, descriptors, storage, context switches.

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
/// Source: Linux `/proc/<pid>/{stat,status,io}`, read once each, the size of `/proc/<pid>/fd`, and `status` of each
/// thread; elsewhere the `sysinfo` crate. The files are read within some microseconds of each other, not at one instant.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProcessSample {
    /// Bytes resident in memory when sampled (`VmRSS`); on Linux before 6.2 it may lag by up to 64 pages a thread.
    pub rss_bytes: u64,
    /// Most bytes resident in this process since it started or since the last
    /// [`reset_peak_rss`](ProcessProbe::reset_peak_rss) (`VmHWM`); Linux only.
    pub peak_rss_bytes: Option<u64>,
    /// Bytes of address space when sampled (`VmSize`), most of which may never have been touched. Windows: bytes
    /// committed (`PrivateUsage`). `None` where the kernel does not say.
    pub virtual_bytes: Option<u64>,
    /// CPU time used since the process started, user and system together, of all its threads (Linux: the clock of
    /// clock_getcpuclockid(3), in nanoseconds).
    pub cpu_time: Duration,
    /// Threads when sampled; Linux only.
    pub threads: Option<u64>,
    /// Open file descriptors when sampled, sockets included; `None` where the platform or its permissions hide them.
    pub open_descriptors: Option<u64>,
    /// Bytes that the process has had read from storage since it started (`read_bytes` of `/proc/<pid>/io`), with the
    /// children it has waited for. What came from the page cache, a socket or a pipe is not in it; on Windows, where
    /// they are not told apart, all reads are. `None` where the process is another user's or has raised its rights, or
    /// where the kernel does not count.
    pub read_bytes: Option<u64>,
    /// Bytes that the process has had written to storage since it started (`write_bytes`), with the children it has
    /// waited for: counted when a page of a file becomes dirty, so before they are on the disk, and also when the file
    /// is removed before; a file in memory (tmpfs) does not count. On Windows all writes do. `None` as for
    /// [`read_bytes`](Self::read_bytes).
    pub written_bytes: Option<u64>,
    /// How often a thread left the CPU to wait (`voluntary_ctxt_switches`), summed over the threads that live when
    /// sampled, each since its own start: when a thread ends, its count goes, and the sum may fall. Linux only.
    pub voluntary_switches: Option<u64>,
    /// How often a thread was taken off the CPU while it could have run on (`nonvoluntary_ctxt_switches`), summed as
    /// [`voluntary_switches`](Self::voluntary_switches) are. Linux only.
    pub involuntary_switches: Option<u64>,
}

/// What a process's resident pages are, at one moment.
///
/// Source: Linux `/proc/<pid>/smaps_rollup`, read once. Pages of `hugetlbfs` are in none of these figures.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProcessPages {
    /// Bytes resident when read, each page divided by the number of processes that map it (`Pss`): these sum up over
    /// processes without counting a shared page twice.
    pub pss_bytes: u64,
    /// Bytes resident when read that no other process maps, clean and dirty (`Private_Clean` and `Private_Dirty`): what
    /// the end of this process would give back.
    pub private_bytes: u64,
    /// Bytes resident when read that belong to no file (`Anonymous`): heap, stacks, and changed pages of files mapped
    /// privately.
    pub anonymous_bytes: u64,
    /// Bytes that are in swap when read, and so not resident (`Swap`).
    pub swap_bytes: u64,
}

/// Whether a sample has the context switches, which on Linux cost about 12 µs for each thread after the first.
#[derive(Clone, Copy, Debug)]
enum Switches {
    Read,
    Skip,
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
    /// On Linux it costs about 25 µs, and 12 µs more for each thread after the first: so much do the switches cost.
    ///
    /// # Errors
    ///
    /// [`ProcessErrorKind::Unknown`] for the probe of an attached server; [`ProcessErrorKind::Gone`] when no such process
    /// exists, also when it has ended and was not yet waited for; [`ProcessErrorKind::Unreadable`] when the system
    /// refuses its figures.
    pub fn sample(&self) -> Result<ProcessSample, ProcessError> {
        self.sampler()?.read(Switches::Read)
    }

    /// Reads what the process's resident pages are.
    ///
    /// The kernel walks the page tables of all that is resident for it, and changes of the process's
    /// mappings wait meanwhile; so it is no part of [`sample`](Self::sample). Linux only.
    ///
    /// # Errors
    ///
    /// Those of [`sample`](Self::sample), and [`ProcessErrorKind::Unsupported`] on other systems and on Linux before 4.14.
    pub fn pages(&self) -> Result<ProcessPages, ProcessError> {
        platform::pages(self.pid).map_err(|source| self.error(source))
    }

    /// Makes the memory resident now the peak, so that a later [`peak_rss_bytes`](ProcessSample::peak_rss_bytes) is that of
    /// the time since.
    ///
    /// There is one peak per process: a reset of a shared server's, or of this process's own, resets it for every other
    /// test that reads it, and their memory counts in it. A [`MemoryProbe`](crate::MemoryProbe) that runs knows of other
    /// probes' resets, and not of this one. Linux only: it writes 5 to `/proc/<pid>/clear_refs`.
    ///
    /// # Errors
    ///
    /// Those of [`sample`](Self::sample), and [`ProcessErrorKind::Unsupported`] on other systems and where the kernel has
    /// no such file.
    pub fn reset_peak_rss(&self) -> Result<(), ProcessError> {
        platform::reset_peak_rss(self.pid).map_err(|source| self.error(source))
    }

    /// Makes a sampler for many samples of this process; its errors are those of [`sample`](Self::sample).
    pub(crate) fn sampler(self) -> Result<Sampler, ProcessError> {
        let source = platform::Sampler::open(self.pid).map_err(|source| self.error(source))?;
        Ok(Sampler { probe: self, source })
    }

    fn error(&self, source: io::Error) -> ProcessError {
        let kind = match source.kind() {
            _ if self.pid == 0 => ProcessErrorKind::Unknown,
            io::ErrorKind::NotFound => ProcessErrorKind::Gone,
            // ESRCH: the process ended between opening its file and reading it.
            _ if source.raw_os_error() == Some(3) => ProcessErrorKind::Gone,
            io::ErrorKind::Unsupported => ProcessErrorKind::Unsupported,
            _ => ProcessErrorKind::Unreadable,
        };
        ProcessError { pid: self.pid, kind, source }
    }
}

/// Samples one process again and again: on Linux with its files held open, at about 15 µs each, and never another process
/// that was given the same pid later.
pub(crate) struct Sampler {
    probe: ProcessProbe,
    source: platform::Sampler,
}

impl Sampler {
    /// Reads the figures, but not the context switches, whose cost grows with the threads: they are `None`.
    pub(crate) fn sample(&mut self) -> Result<ProcessSample, ProcessError> {
        self.read(Switches::Skip)
    }

    fn read(&mut self, switches: Switches) -> Result<ProcessSample, ProcessError> {
        self.source.sample(switches).map_err(|source| self.probe.error(source))
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
    /// This system has no such figure: run on Linux, with a kernel that has `CONFIG_PROC_PAGE_MONITOR`, as
    /// distributions do.
    Unsupported,
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
            ProcessErrorKind::Unsupported => {
                write!(
                    f,
                    "this system has no such figure of process {} (it takes Linux, with CONFIG_PROC_PAGE_MONITOR)",
                    self.pid
                )
            }
        }
    }
}

impl Error for ProcessError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

/// CPU time of this thread; `None` where it has no clock.
#[cfg(target_os = "linux")]
pub(crate) fn thread_time() -> Option<Duration> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Some(Duration::new(time.tv_sec.try_into().ok()?, time.tv_nsec.try_into().ok()?))
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn thread_time() -> Option<Duration> {
    None
}

#[cfg(test)]
mod tests;
