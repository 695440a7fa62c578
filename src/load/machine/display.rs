//! What the run cost, as a table.

use std::fmt::{self, Write as _};
use std::time::Duration;

use super::{MachineFigures, ProcessLoad, SERVER, per};
use crate::memory::text::{bytes, count, duration, percent, table};

/// Children beyond these are summed up in one row: those of other tests in this process, mostly.
const SHOWN: usize = 4;

impl fmt::Display for MachineFigures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(None))
    }
}

impl MachineFigures {
    /// The table, with the CPU time per operation where the number of operations is known and not zero.
    pub(in crate::load) fn text(&self, operations: Option<u64>) -> String {
        let mut text = self.head();
        let operations = operations.filter(|operations| *operations > 0);
        let mut titles = vec!["", "CPU", "cores", "share"];
        titles.extend(operations.map(|_| "per operation"));
        titles.extend(["resident at start", "peak", "end"]);
        let mut rows = vec![titles.into_iter().map(str::to_owned).collect()];
        rows.extend(self.rows(operations));
        text += &table(&rows);
        for missing in &self.not_measured {
            let _ = writeln!(text, "  {} not measured: {}", missing.label, missing.why);
        }
        if self.other_cpu.is_none() {
            text += "  what other processes used is not known here (it takes Linux's /proc/stat)\n";
        }
        text
    }

    fn head(&self) -> String {
        let cores = self.cores.map(|cores| format!(" on {} cores", count(cores))).unwrap_or_default();
        let beside = if self.own_process.is_some() { "" } else { "; other tests of this process are in it" };
        let samples = match self.sampling_cpu {
            Some(cost) => format!("; {} samples took {} of it", count(self.samples), duration(cost)),
            None => String::new(),
        };
        format!(
            "machine   {}{cores}; the client's part has the generator's{beside}{samples}\n",
            duration(self.elapsed)
        )
    }

    fn rows(&self, operations: Option<u64>) -> Vec<Vec<String>> {
        let mut rows = vec![self.process_row("client", &self.own, operations)];
        let (servers, rest): (Vec<_>, Vec<_>) =
            self.processes.iter().partition(|process| process.label == SERVER);
        let shown = if rest.len() > SHOWN { SHOWN - 1 } else { rest.len() };
        let (shown, summed) = rest.split_at(shown);
        for process in servers.iter().chain(shown) {
            rows.push(self.process_row(&process.label, process, operations));
        }
        if !summed.is_empty() {
            let cpu = summed.iter().map(|process| process.cpu_time).sum();
            rows.push(self.row(&format!("{} more processes", summed.len()), cpu, operations));
        }
        rows.extend(self.other_cpu.map(|cpu| self.row("other", cpu, None)));
        if let Some(stolen) = self.steal_cpu.filter(|stolen| !stolen.is_zero()) {
            let cores = format!("{:.2}", self.in_cores(stolen));
            rows.push(vec!["stolen by other guests".to_owned(), duration(stolen), cores]);
        }
        rows
    }

    fn process_row(&self, name: &str, process: &ProcessLoad, operations: Option<u64>) -> Vec<String> {
        let restarts = process.pids.len().saturating_sub(1);
        let name = if restarts > 0 { format!("{name} (restarted {restarts}x)") } else { name.to_owned() };
        let size = |value: Option<u64>| value.map_or_else(|| "-".to_owned(), |value| bytes(value as f64));
        let mut row = self.row(&name, process.cpu_time, operations);
        row.extend([process.rss_start_bytes, Some(process.rss_peak_bytes), process.rss_end_bytes].map(size));
        row
    }

    fn row(&self, name: &str, cpu: Duration, operations: Option<u64>) -> Vec<String> {
        let mut row = vec![name.to_owned(), duration(cpu), format!("{:.2}", self.in_cores(cpu))];
        row.push(percent(cpu.as_secs_f64() / self.total_cpu().as_secs_f64().max(f64::MIN_POSITIVE)));
        row.extend(operations.and_then(|operations| per(cpu, operations)).map(duration));
        row
    }
}
