//! The first process: it gives the second an environment and a scratch directory, and looks at what that one left.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use isolated_nats_benches::Error;
use isolated_nats_server_binary::Acquire;

use crate::arguments::SCRATCH;

/// Removed from the environment, for each would make the sides differ or move their files elsewhere.
const NOT_OURS: &[&str] = &[
    "ISOLATED_NATS_URL",
    "ISOLATED_NATS_SERVER",
    "ISOLATED_NATS_SOURCES",
    "ISOLATED_NATS_SHA256",
    "ISOLATED_NATS_VERIFY",
    "ISOLATED_NATS_DIR",
    "ISOLATED_NATS_LOG",
    "ISOLATED_NATS_LIFELINE",
];

pub(crate) fn run() -> Result<ExitCode, Error> {
    let binary = Acquire::from_env()?.run()?.path; // also fills the cache, outside every measurement
    let scratch = Scratch::new()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(std::env::args_os().skip(1)).arg(SCRATCH).arg(&scratch.0);
    for name in NOT_OURS {
        command.env_remove(name);
    }
    // Every directory of every side is in the scratch directory: the peer's, ours and the bare loop's.
    command.env("TMPDIR", &scratch.0).env("ISOLATED_NATS_KEEP", "never").env("NATS_SERVER_BIN", binary);
    let status = command.status()?;
    let left = Left::look(&scratch.0)?;
    println!("left behind: {} processes, {} directories of servers", left.processes, left.directories);
    if !status.success() {
        return Err(format!("the measuring process ended with {status}").into());
    }
    Ok(if left.is_nothing() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A directory that goes with this value.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self, Error> {
        let path = std::env::temp_dir().join(format!("isolated-nats-bench-{}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Self(fs::canonicalize(path)?))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("could not remove `{}`: {error}", self.0.display());
        }
    }
}

/// What the second process left.
struct Left {
    /// As text, for on a system without `/proc` it is not known.
    processes: String,
    directories: usize,
}

impl Left {
    fn look(scratch: &Path) -> Result<Self, Error> {
        let mut directories = 0;
        for entry in fs::read_dir(scratch)? {
            directories += in_entry(&entry?.path())?;
        }
        let processes =
            processes(scratch).map_or_else(|| "unknown (no /proc)".into(), |count| count.to_string());
        Ok(Self { processes, directories })
    }

    fn is_nothing(&self) -> bool {
        self.directories == 0 && self.processes.parse().unwrap_or(0) == 0
    }
}

/// The root of our servers' directories stays, with a lock in it, and is no server's; whatever else is there counts.
fn in_entry(path: &Path) -> Result<usize, Error> {
    let is_root = path.join("root.lock").exists();
    if !is_root {
        return Ok(1);
    }
    let entries = fs::read_dir(path)?.collect::<Result<Vec<_>, _>>()?;
    Ok(entries.iter().filter(|entry| entry.path().is_dir()).count())
}

/// Counts the processes whose command line names the scratch directory, this one's own aside.
fn processes(scratch: &Path) -> Option<usize> {
    let scratch = scratch.to_string_lossy();
    let names_it = |path: &Path| {
        let line = fs::read(path.join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(&*scratch)
    };
    let is_process = |name: &OsStr| name.to_string_lossy().bytes().all(|byte| byte.is_ascii_digit());
    let entries = fs::read_dir("/proc").ok()?.filter_map(Result::ok);
    Some(entries.filter(|entry| is_process(&entry.file_name()) && names_it(&entry.path())).count())
}
