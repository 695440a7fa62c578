//! Facts of the machine that a figure means nothing without.

use std::fs;

/// Describes the machine in one line; what cannot be read is called unknown. The load average is that of the call.
#[must_use]
pub fn describe() -> String {
    let unknown = || "unknown".to_owned();
    let model = read("/proc/cpuinfo")
        .and_then(|text| {
            let line = text.lines().find(|line| line.starts_with("model name"))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        })
        .unwrap_or_else(unknown);
    let cores = std::thread::available_parallelism().map_or_else(|_| unknown(), |cores| cores.to_string());
    let kernel = read("/proc/sys/kernel/osrelease").unwrap_or_else(unknown);
    let load = read("/proc/loadavg")
        .map(|text| text.split(' ').take(3).collect::<Vec<_>>().join(" "))
        .unwrap_or_else(unknown);
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    format!("CPU {model}, cores {cores}, {os} {arch}, kernel {kernel}, load average before the run {load}")
}

fn read(path: &str) -> Option<String> {
    Some(fs::read_to_string(path).ok()?.trim().to_owned())
}
