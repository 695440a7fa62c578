//! What the run cost in CPU and memory: this process, others, and the rest of the machine.

mod display;
mod sampler;
mod successor;
#[cfg(test)]
mod tests;
mod whole;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub(super) use sampler::Sampler;

/// What a server is called, by the builder's `process` or by [`LoadReport::with`](super::LoadReport::with).
const SERVER: &str = "server";

/// CPU time and memory of this process and others, and the CPU time of the rest of the machine, over the run without its
/// warm-up.
///
/// Measured are this process, those given to the builder, and all children of this process, such as the servers of this crate:
/// a child that lives at the start counts from there, and one that is found later (children are looked for each 200 ms)
/// counts from its birth. A child that is started with the same program and arguments as one that has ended, but for one of them, is
/// taken for the same, restarted. Children of children are part of [`other_cpu`](Self::other_cpu), as is what a process did
/// between its last sample and its end.
///
/// Source: as of [`ProcessSample`](crate::ProcessSample), sampled with each window of the timeline but at most each 20 ms; of
/// the whole machine, the first line of Linux's `/proc/stat`, read at the start and the end. The samples are taken on a thread of
/// ours, whose CPU time is in [`own`](Self::own).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MachineFigures {
    /// From the first sample to the last.
    pub elapsed: Duration,
    /// Processors that this process may use (`std::thread::available_parallelism`); `None` where it is not known.
    pub cores: Option<u64>,
    /// Processors of the machine; `None` where it is not known (it takes Linux). In a container, the host's.
    pub machine_cores: Option<u64>,
    /// This process: the code under test, its client, and the generator with all its threads.
    pub own: ProcessLoad,
    /// Why nothing else ran in this process; `None` when other tests may have, and then what they did is in
    /// [`own`](Self::own) too.
    pub own_process: Option<String>,
    /// The other processes that were measured: first those given to the builder, in its order, then children as they were found.
    pub processes: Vec<ProcessLoad>,
    /// What was asked for and could not be measured; empty when all was.
    pub not_measured: Vec<NotMeasured>,
    /// CPU time that neither this process nor one of [`processes`](Self::processes) used: what the processors of the machine were
    /// not idle, less theirs, interrupts and [`steal_cpu`](Self::steal_cpu). In a container it is the host's. It counts time by which
    /// processors wake and sleep, some per cent of one at 10 000 wake-ups a second. `None` where `/proc/stat` does not tell.
    pub other_cpu: Option<Duration>,
    /// CPU time in which a processor had work and the hypervisor gave it to another guest, summed over processors; zero
    /// too where the hypervisor does not say. `None` as for [`other_cpu`](Self::other_cpu).
    pub steal_cpu: Option<Duration>,
    /// CPU time that taking these samples took, and part of that of [`own`](Self::own) (the thread's own clock). It is the only part
    /// of the generator's CPU time that is known apart: the rest is spent between the operations, on their threads. A run
    /// of an operation that does nothing, at the same rate, shows what that is here. `None` where a thread has no clock.
    pub sampling_cpu: Option<Duration>,
    /// How often each process was sampled, start and end included.
    pub samples: u64,
}

/// CPU time and memory of one process over the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ProcessLoad {
    /// `own`; or as the builder calls it; or `server` by [`LoadReport::with`](super::LoadReport::with); or the name of its
    /// program; or `child`, where that is not known.
    pub label: String,
    /// The pids it had, in order; more than one when it was restarted.
    pub pids: Vec<u32>,
    /// CPU time used during the run, user and system together, of all its threads.
    pub cpu_time: Duration,
    /// Bytes resident at the start; `None` when it was started during the run.
    pub rss_start_bytes: Option<u64>,
    /// Most bytes resident in any sample, and where the kernel's own mark (`VmHWM`) rose between two samples, that.
    pub rss_peak_bytes: u64,
    /// Bytes resident at the end; `None` when it had ended.
    pub rss_end_bytes: Option<u64>,
    /// Most threads in any sample; `None` where the system does not say.
    pub threads_peak: Option<u64>,
}

/// What was asked for and could not be measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NotMeasured {
    /// What it is called.
    pub label: String,
    /// Why not, and what to do about it.
    pub why: String,
}

/// CPU time per operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CpuPerOperation {
    /// This process's, the generator's part included.
    pub client: Duration,
    /// The server's; `None` when no process is called `server`.
    pub server: Option<Duration>,
}

/// Who used the CPU time that the whole machine used, from 0 to 1 each.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CpuShares {
    /// This process's.
    pub client: f64,
    /// The server's; `None` when no process is called `server`.
    pub server: Option<f64>,
    /// That of all others, also of measured ones. `None` where what the machine does is not known: the shares are then of what the
    /// measured processes used.
    pub other: Option<f64>,
}

impl MachineFigures {
    /// Returns the figures of a process by its label, `own` included; the first, where several are called so.
    #[must_use]
    pub fn process(&self, label: &str) -> Option<&ProcessLoad> {
        std::iter::once(&self.own).chain(&self.processes).find(|process| process.label == label)
    }

    /// Returns the figures of the server: the process that is called `server`.
    #[must_use]
    pub fn server(&self) -> Option<&ProcessLoad> {
        self.process(SERVER)
    }

    /// Returns the CPU time of client and server divided by a number of operations; `None` when that is zero.
    #[must_use]
    pub fn cpu_per_operation(&self, operations: u64) -> Option<CpuPerOperation> {
        let server = self.server().and_then(|server| per(server.cpu_time, operations));
        Some(CpuPerOperation { client: per(self.own.cpu_time, operations)?, server })
    }

    /// Returns who used how much of the CPU time that was used; `None` when none was.
    #[must_use]
    pub fn cpu_shares(&self) -> Option<CpuShares> {
        let total = self.total_cpu();
        let share = |cpu: Duration| cpu.as_secs_f64() / total.as_secs_f64();
        let server = self.server().map(|server| server.cpu_time);
        let unnamed = self.processes_cpu().saturating_sub(server.unwrap_or_default());
        (!total.is_zero()).then(|| CpuShares {
            client: share(self.own.cpu_time),
            server: server.map(share),
            other: self.other_cpu.map(|other| share(other + unnamed)),
        })
    }

    /// Returns a CPU time as processors in use all the time; 0 for a run that took no time.
    #[must_use]
    pub fn in_cores(&self, cpu_time: Duration) -> f64 {
        if self.elapsed.is_zero() { 0.0 } else { cpu_time.as_secs_f64() / self.elapsed.as_secs_f64() }
    }

    fn processes_cpu(&self) -> Duration {
        self.processes.iter().map(|process| process.cpu_time).sum()
    }

    /// All that is known to have been used.
    fn total_cpu(&self) -> Duration {
        self.own.cpu_time + self.processes_cpu() + self.other_cpu.unwrap_or_default()
    }

    /// Calls those that had one of these pids one process, the server, in the place of the first of them.
    pub(super) fn name_server(&mut self, pids: &[u32]) {
        let (mut server, rest): (Vec<_>, Vec<_>) =
            self.processes.drain(..).partition(|process| process.pids.iter().any(|pid| pids.contains(pid)));
        self.processes = rest;
        let Some(first) = (!server.is_empty()).then(|| server.remove(0)) else {
            if self.server().is_none() {
                self.not_measured(SERVER, why_no_server(pids));
            }
            return;
        };
        let whole = server.into_iter().fold(first, ProcessLoad::followed_by);
        self.not_measured.retain(|missing| missing.label != SERVER);
        self.processes.insert(0, ProcessLoad { label: SERVER.to_owned(), ..whole });
    }

    fn not_measured(&mut self, label: &str, why: String) {
        if !self.not_measured.iter().any(|missing| missing.label == label) {
            self.not_measured.push(NotMeasured { label: label.to_owned(), why });
        }
    }
}

impl ProcessLoad {
    /// This one and the one in its place after it.
    fn followed_by(self, next: Self) -> Self {
        Self {
            label: self.label,
            pids: [self.pids, next.pids].concat(),
            cpu_time: self.cpu_time + next.cpu_time,
            rss_start_bytes: self.rss_start_bytes,
            rss_peak_bytes: self.rss_peak_bytes.max(next.rss_peak_bytes),
            rss_end_bytes: next.rss_end_bytes,
            threads_peak: self.threads_peak.max(next.threads_peak),
        }
    }
}

#[cfg(test)]
pub(super) use tests::figures;

fn why_no_server(pids: &[u32]) -> String {
    match pids {
        [] => "the process of an attached server is not known (unset ISOLATED_NATS_URL)".to_owned(),
        [pid, ..] => format!(
            "process {pid} was not sampled: it was no child of this process during the run (give it to the builder: \
             `.process(\"server\", nats.process())`)"
        ),
    }
}

fn per(cpu: Duration, operations: u64) -> Option<Duration> {
    let nanos = cpu.as_nanos().checked_div(u128::from(operations))?;
    u64::try_from(nanos).ok().map(Duration::from_nanos)
}
