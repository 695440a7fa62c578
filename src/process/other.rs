//! Everything but Linux, through the `sysinfo` crate. Neither compiled nor run by this project's own CI machines.

use std::io;
use std::time::Duration;

use sysinfo::{Pid, Process, ProcessRefreshKind, ProcessesToUpdate, System};

use super::{ProcessPages, ProcessSample, Switches};

pub(super) struct Sampler {
    pid: Pid,
    system: System,
}

impl Sampler {
    pub(super) fn open(pid: u32) -> io::Result<Self> {
        Ok(Self { pid: Pid::from_u32(pid), system: System::new() })
    }

    pub(super) fn sample(&mut self, _: Switches) -> io::Result<ProcessSample> {
        let wanted = ProcessRefreshKind::nothing().with_memory().with_cpu().with_disk_usage();
        let process = self.refreshed(wanted)?;
        let storage = process.disk_usage();
        Ok(ProcessSample {
            rss_bytes: process.memory(),
            peak_rss_bytes: None,
            virtual_bytes: Some(process.virtual_memory()),
            cpu_time: Duration::from_millis(process.accumulated_cpu_time()),
            threads: None,
            open_descriptors: process.open_files().map(|count| count as u64),
            read_bytes: Some(storage.total_read_bytes),
            written_bytes: Some(storage.total_written_bytes),
            voluntary_switches: None,
            involuntary_switches: None,
        })
    }

    fn refreshed(&mut self, wanted: ProcessRefreshKind) -> io::Result<&Process> {
        self.system.refresh_processes_specifics(ProcessesToUpdate::Some(&[self.pid]), true, wanted);
        self.system.process(self.pid).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

pub(super) fn pages(_: u32) -> io::Result<ProcessPages> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(super) fn reset_peak_rss(_: u32) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
