//! Linux: `/proc/<pid>`, parsed here: small files whose formats are fixed by proc(5).

mod cpu;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use super::{ProcessPages, ProcessSample, Switches};

/// Room for every file but an uncommonly long `status`, for which it grows.
const FIRST_BUFFER: usize = 4096;
/// Since this release the size of `/proc/<pid>/fd` is the count of its entries.
const COUNT_IN_SIZE: (u32, u32) = (6, 2);
/// What `/proc/<pid>/clear_refs` takes to set `VmHWM` to the present `VmRSS`.
const RESET_PEAK: &[u8] = b"5";

/// The open files of one process. They stay with that process: when it has ended they answer ESRCH, also after its pid
/// was given to another.
#[derive(Debug)]
pub(super) struct Sampler {
    pid: u32,
    stat: File,
    status: File,
    io: Option<File>,
    buffer: Buffer,
}

impl Sampler {
    pub(super) fn open(pid: u32) -> io::Result<Self> {
        Ok(Self {
            pid,
            stat: open(pid, "stat")?,
            status: open(pid, "status")?,
            io: open(pid, "io").ok(),
            buffer: Buffer::default(),
        })
    }

    pub(super) fn sample(&mut self, switches: Switches) -> io::Result<ProcessSample> {
        let (state, ticks) = stat(self.buffer.read(&self.stat)?).ok_or_else(|| unexpected("stat"))?;
        let names = ["VmRSS", "VmHWM", "VmSize", "Threads", VOLUNTARY, INVOLUNTARY];
        let [rss, peak, size, threads, voluntary, involuntary] =
            fields(self.buffer.read(&self.status)?, names);
        // A process that ends loses its memory first, becomes a zombie, and vanishes once it is waited for.
        let rss = rss.filter(|_| !matches!(state, 'Z' | 'X')).ok_or_else(ended)?;
        let [read, written] = self.storage()?;
        let switched = match switches {
            Switches::Skip => None,
            Switches::Read => voluntary.zip(involuntary).and_then(|main| match threads {
                Some(1) => Some(main),
                _ => self.with_other_threads(main),
            }),
        };
        Ok(ProcessSample {
            rss_bytes: rss * 1024,
            peak_rss_bytes: peak.map(|kilobytes| kilobytes * 1024),
            virtual_bytes: size.map(|kilobytes| kilobytes * 1024),
            cpu_time: cpu::time(self.pid).unwrap_or_else(|| {
                Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
            }),
            threads,
            open_descriptors: open_descriptors(self.pid),
            read_bytes: read,
            written_bytes: written,
            voluntary_switches: switched.map(|(voluntary, _)| voluntary),
            involuntary_switches: switched.map(|(_, involuntary)| involuntary),
        })
    }

    /// Bytes read from storage and written to it. Whether they may be known is decided at each read, by ptrace(2)'s rule.
    fn storage(&mut self) -> io::Result<[Option<u64>; 2]> {
        let Some(io) = &self.io else { return Ok([None; 2]) };
        match self.buffer.read(io) {
            Ok(text) => Ok(fields(text, ["read_bytes", "write_bytes"])),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok([None; 2]),
            Err(error) => Err(error),
        }
    }

    /// The switches of every living thread, summed: the process's own `status` counts those of its main thread alone.
    fn with_other_threads(&mut self, main: (u64, u64)) -> Option<(u64, u64)> {
        let mut sum = main;
        for thread in fs::read_dir(path(self.pid, "task")).ok()? {
            let thread = number(thread.ok()?.file_name().as_bytes())?;
            if thread == u64::from(self.pid) {
                continue;
            }
            // A thread that ended since then counts no more, like all that ended before.
            let Ok(status) = open(self.pid, &format!("task/{thread}/status")) else { continue };
            let Ok(text) = self.buffer.read(&status) else { continue };
            let [voluntary, involuntary] = fields(text, [VOLUNTARY, INVOLUNTARY]);
            sum = (sum.0 + voluntary?, sum.1 + involuntary?);
        }
        Some(sum)
    }
}

const VOLUNTARY: &str = "voluntary_ctxt_switches";
const INVOLUNTARY: &str = "nonvoluntary_ctxt_switches";

/// Where a file is read into, over and over.
#[derive(Debug)]
struct Buffer(Vec<u8>);

impl Default for Buffer {
    fn default() -> Self {
        Self(vec![0; FIRST_BUFFER])
    }
}

impl Buffer {
    /// Reads the whole file at once, so that its figures are of one moment: these files are written anew for a read at
    /// their start, and one that fits is given whole.
    fn read(&mut self, file: &File) -> io::Result<&[u8]> {
        loop {
            let length = file.read_at(&mut self.0, 0)?;
            if length < self.0.len() {
                return Ok(&self.0[..length]);
            }
            self.0.resize(self.0.len() * 2, 0);
        }
    }
}

/// Reads resident memory alone, through one file that stays open.
#[derive(Debug)]
pub(super) struct ResidentReader {
    statm: File,
    page_bytes: u64,
}

impl ResidentReader {
    /// Opens `/proc/<pid>/statm`.
    pub(super) fn open(pid: u32) -> io::Result<Self> {
        Ok(Self { statm: open(pid, "statm")?, page_bytes: rustix::param::page_size() as u64 })
    }

    /// Returns the bytes resident now; an error of the kind `NotFound`, or ESRCH, when the process has ended.
    pub(super) fn rss_bytes(&mut self) -> io::Result<u64> {
        let mut buffer = [0; 256]; // seven numbers
        let length = self.statm.read_at(&mut buffer, 0)?;
        let text = str::from_utf8(&buffer[..length]).unwrap_or_default();
        let mut pages = text.split_ascii_whitespace().map_while(|number| number.parse::<u64>().ok());
        match (pages.next(), pages.next()) {
            (Some(0), _) => Err(ended()),
            (Some(_), Some(resident)) => Ok(resident * self.page_bytes),
            _ => Err(unexpected("statm")),
        }
    }
}

pub(super) fn pages(pid: u32) -> io::Result<ProcessPages> {
    const FILE: &str = "smaps_rollup";
    let file = open(pid, FILE).map_err(|error| or_unsupported(pid, FILE, error))?;
    let names = ["Pss", "Private_Clean", "Private_Dirty", "Anonymous", "Swap"];
    let [pss, clean, dirty, anonymous, swap] = fields(Buffer::default().read(&file)?, names);
    let bytes =
        |kilobytes: Option<u64>| kilobytes.map(|number| number * 1024).ok_or_else(|| unexpected(FILE));
    Ok(ProcessPages {
        pss_bytes: bytes(pss)?,
        private_bytes: bytes(clean)? + bytes(dirty)?,
        anonymous_bytes: bytes(anonymous)?,
        swap_bytes: bytes(swap)?,
    })
}

pub(super) fn reset_peak_rss(pid: u32) -> io::Result<()> {
    const FILE: &str = "clear_refs";
    ResidentReader::open(pid)?.rss_bytes()?; // the kernel takes it for an ended process too
    let file = OpenOptions::new().write(true).open(path(pid, FILE));
    file.map_err(|error| or_unsupported(pid, FILE, error))?.write_all(RESET_PEAK)
}

fn path(pid: u32, file: &str) -> String {
    format!("/proc/{pid}/{file}")
}

fn open(pid: u32, file: &str) -> io::Result<File> {
    File::open(path(pid, file))
}

/// A kernel built without page monitoring lacks some files of a process that does exist.
fn or_unsupported(pid: u32, file: &str, error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::NotFound && Path::new(&path(pid, "stat")).exists() {
        let text = format!("this kernel has no `/proc/<pid>/{file}`");
        return io::Error::new(io::ErrorKind::Unsupported, text);
    }
    error
}

fn unexpected(file: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("/proc file `{file}` has an unexpected form"))
}

fn ended() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "it has ended, and was not yet waited for")
}

/// Counts the descriptors; by the directory's size where that is the count, which costs the same for one as for
/// thousands.
fn open_descriptors(pid: u32) -> Option<u64> {
    static COUNTED: OnceLock<bool> = OnceLock::new();
    let directory = path(pid, "fd");
    let counted = *COUNTED.get_or_init(|| {
        let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        kernel_version(&release).is_some_and(|version| version >= COUNT_IN_SIZE)
    });
    if counted && let Ok(metadata) = fs::metadata(&directory) {
        return Some(metadata.len());
    }
    fs::read_dir(directory).ok().map(|entries| entries.count() as u64)
}

fn kernel_version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|character: char| !character.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// The state letter and the CPU time in clock ticks; the name before them may itself hold spaces and parentheses, and be
/// cut within a character.
fn stat(text: &[u8]) -> Option<(char, u64)> {
    let name_end = text.iter().rposition(|byte| *byte == b')')?;
    let mut fields = str::from_utf8(text.get(name_end + 1..)?).ok()?.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    let mut ticks = fields.skip(10); // fields 4 to 13 of proc(5); 14 and 15 are utime and stime
    Some((state, ticks.next()?.parse::<u64>().ok()? + ticks.next()?.parse::<u64>().ok()?))
}

/// The numbers of the lines `name: number`, in one pass; a missing line is `None`.
fn fields<const N: usize>(text: &[u8], names: [&str; N]) -> [Option<u64>; N] {
    let mut values = [None; N];
    for line in text.split(|byte| *byte == b'\n') {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        if let Some(index) = names.iter().position(|name| name.as_bytes() == &line[..colon]) {
            values[index] = number(&line[colon + 1..]);
        }
    }
    values
}

fn number(text: &[u8]) -> Option<u64> {
    str::from_utf8(text).ok()?.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_name_with_spaces_and_parentheses_does_not_shift_the_fields() {
        let text = b"42 (a ) b) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 7 0 100";
        assert_eq!(stat(text), Some(('S', 300)));
        assert_eq!(stat(b"42 (short) S 1"), None);
    }

    // The kernel cuts a name at fifteen bytes, which may be within a character.
    #[test]
    fn a_process_name_cut_within_a_character_hides_no_figure() {
        let text = b"42 (pr\xc3) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 7 0 100";
        assert_eq!(stat(text), Some(('S', 300)));
        assert_eq!(fields(b"Name:\tpr\xc3\nThreads:\t7\n", ["Threads"]), [Some(7)]);
    }

    #[test]
    fn a_missing_line_is_absent_and_not_zero() {
        let status = b"Name:\tVmHWM: 5\nVmRSS:\t  1200 kB\nThreads:\t7\nVmSwap:\n";
        let values = fields(status, ["VmRSS", "Threads", "VmHWM", "VmSwap"]);
        assert_eq!(values, [Some(1200), Some(7), None, None]);
    }

    #[test]
    fn a_file_longer_than_the_buffer_is_read_whole() {
        let mut buffer = Buffer(vec![0; 8]);
        let status = open(std::process::id(), "status").unwrap();
        let [threads, last] = fields(buffer.read(&status).unwrap(), ["Threads", INVOLUNTARY]);
        assert!(threads.is_some() && last.is_some(), "{buffer:?}");
    }

    #[test]
    fn the_size_of_the_directory_counts_from_the_kernel_that_says_so() {
        assert_eq!(kernel_version("6.18.44-custom"), Some((6, 18)));
        assert_eq!(kernel_version("4.4.0\n"), Some((4, 4)));
        assert_eq!(kernel_version("unknown"), None);
    }
}
