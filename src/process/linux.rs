//! Linux: `/proc/<pid>`, parsed here: three small files whose formats are fixed by proc(5).

use std::fs;
use std::io;
use std::time::Duration;

use super::ProcessSample;

pub(super) fn sample(pid: u32) -> io::Result<ProcessSample> {
    let read = |file: &str| fs::read_to_string(format!("/proc/{pid}/{file}"));
    let (state, ticks) = stat(&read("stat")?).ok_or_else(|| unexpected("stat"))?;
    let status = read("status")?;
    // A process that ends loses its memory first, becomes a zombie, and vanishes once it is waited for.
    let memory = kilobytes(&status, "VmRSS:").filter(|_| !matches!(state, 'Z' | 'X'));
    let ended = || io::Error::new(io::ErrorKind::NotFound, "it has ended, and was not yet waited for");
    Ok(ProcessSample {
        rss_bytes: memory.ok_or_else(ended)?,
        peak_rss_bytes: kilobytes(&status, "VmHWM:"),
        cpu_time: Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64),
        threads: field(&status, "Threads:"),
        open_descriptors: fs::read_dir(format!("/proc/{pid}/fd")).ok().map(|entries| entries.count() as u64),
    })
}

fn unexpected(file: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("/proc file `{file}` has an unexpected form"))
}

/// The state letter and the CPU time in clock ticks; the name before them may itself hold spaces and parentheses.
fn stat(text: &str) -> Option<(char, u64)> {
    let mut fields = text.get(text.rfind(')')? + 1..)?.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    let mut ticks = fields.skip(10); // fields 4 to 13 of proc(5); 14 and 15 are utime and stime
    Some((state, ticks.next()?.parse::<u64>().ok()? + ticks.next()?.parse::<u64>().ok()?))
}

fn field(status: &str, name: &str) -> Option<u64> {
    status.lines().find_map(|line| line.strip_prefix(name))?.split_ascii_whitespace().next()?.parse().ok()
}

fn kilobytes(status: &str, name: &str) -> Option<u64> {
    field(status, name).map(|kilobytes| kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_name_with_spaces_and_parentheses_does_not_shift_the_fields() {
        let text = "42 (a ) b) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 7 0 100";
        assert_eq!(stat(text), Some(('S', 300)));
        assert_eq!(stat("42 (short) S 1"), None);
    }

    #[test]
    fn a_missing_line_is_absent_and_not_zero() {
        let status = "Name:\tx\nVmRSS:\t  1200 kB\nThreads:\t7\n";
        assert_eq!(kilobytes(status, "VmRSS:"), Some(1200 * 1024));
        assert_eq!(field(status, "Threads:"), Some(7));
        assert_eq!(kilobytes(status, "VmHWM:"), None);
    }
}
