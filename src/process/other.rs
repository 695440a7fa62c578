//! Everything but Linux, through the `sysinfo` crate. Neither compiled nor run by this project's own CI machines.

use std::io;
use std::time::Duration;

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use super::ProcessSample;

pub(super) fn sample(pid: u32) -> io::Result<ProcessSample> {
    let pid = Pid::from_u32(pid);
    let mut system = System::new();
    let wanted = ProcessRefreshKind::nothing().with_memory().with_cpu();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, wanted);
    let process = system.process(pid).ok_or(io::ErrorKind::NotFound)?;
    Ok(ProcessSample {
        rss_bytes: process.memory(),
        peak_rss_bytes: None,
        cpu_time: Duration::from_millis(process.accumulated_cpu_time()),
        threads: None,
        open_descriptors: process.open_files().map(|count| count as u64),
    })
}
