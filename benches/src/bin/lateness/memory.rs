//! What a million operations cost in memory.

use std::fs;
use std::time::Duration;

use isolated_nats::{LoadGenerator, Rate, Schedule};
use isolated_nats_benches::Error;

const OPERATIONS: u64 = 1_000_000;

/// What the generator took for itself.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    pub(crate) schedule: String,
    pub(crate) count: u64,
    /// As the report has it.
    pub(crate) generator_bytes: u64,
    /// The high-water mark of this process's resident memory during the run, over what was resident before.
    pub(crate) grown_bytes: i64,
}

/// The dearest cases first: what a run has freed stays resident, and the next one takes it.
pub(crate) async fn measure() -> Result<Vec<Memory>, Error> {
    let rate = Rate::per_second(250_000.0);
    let open = Schedule::steady(rate, Duration::from_secs(OPERATIONS / 250_000));
    let mut measured = Vec::new();
    for schedule in [open, Schedule::closed_count(64, OPERATIONS)] {
        let text = schedule.to_string();
        fs::write("/proc/self/clear_refs", "5")?; // the high-water mark begins anew
        let before = status("VmRSS:")?;
        let report = LoadGenerator::builder()
            .schedule(schedule)
            .progress(false)
            .operation("nothing", 1, |_| async { Ok(()) })
            .run()
            .await?;
        let grown_bytes = (status("VmHWM:")? - before) * 1024;
        let generator_bytes = report.setup().generator_bytes;
        measured.push(Memory { schedule: text, count: report.count(), generator_bytes, grown_bytes });
    }
    Ok(measured)
}

/// A figure of `/proc/self/status`, in KiB.
fn status(name: &str) -> Result<i64, Error> {
    let text = fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let figure = line.and_then(|line| line.split_whitespace().next());
    Ok(figure.ok_or_else(|| format!("no {name} in /proc/self/status"))?.parse()?)
}
