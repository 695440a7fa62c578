//! Asking an executable for its version.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    sync::{LazyLock, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use crate::{
    Version,
    command::{self, RunError},
};

/// How long `nats-server -v` may take, before the time factor; it takes about 5 ms.
pub(crate) const LIMIT: Duration = Duration::from_secs(5);

/// Why an executable did not tell its version.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProbeError {
    #[error("`{}` cannot be opened", path.display())]
    Open { path: PathBuf, source: io::Error },
    #[error("`{}` is not a file", path.display())]
    NotAFile { path: PathBuf },
    #[error("`{} -v` could not be started{hint}", path.display())]
    Start { path: PathBuf, hint: &'static str, source: io::Error },
    #[error("`{} -v` was still running after {limit:.1?}", path.display())]
    Hangs { path: PathBuf, limit: Duration },
    #[error("`{} -v` failed ({status}){hint}: `{output}`", path.display())]
    Failed { path: PathBuf, status: ExitStatus, hint: &'static str, output: String },
    #[error("`{} -v` printed no version of nats-server but `{output}`", path.display())]
    Garbage { path: PathBuf, output: String },
}

type Key = (PathBuf, Option<SystemTime>, u64);

/// Only answers are kept, never failures: those may be mended while the process lives.
static KNOWN: LazyLock<Mutex<HashMap<Key, Version>>> = LazyLock::new(Mutex::default);

/// Runs `<path> -v` once for each path, modification time and size in this process.
pub(crate) fn version_of(path: &Path, limit: Duration) -> Result<Version, ProbeError> {
    let metadata = fs::metadata(path).map_err(|source| ProbeError::Open { path: path.to_owned(), source })?;
    if !metadata.is_file() {
        return Err(ProbeError::NotAFile { path: path.to_owned() });
    }
    let key = (path.to_owned(), metadata.modified().ok(), metadata.len());
    if let Some(version) = KNOWN.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
        return Ok(version.clone());
    }
    let version = ask(path, limit)?;
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner).insert(key, version.clone());
    Ok(version)
}

fn ask(path: &Path, limit: Duration) -> Result<Version, ProbeError> {
    let path = path.to_owned();
    // `Command` looks a bare file name up on PATH, and what was checked is the file itself.
    let program = std::path::absolute(&path).unwrap_or_else(|_| path.clone());
    match command::run(Command::new(program).arg("-v"), limit) {
        Ok(finished) if !finished.status.success() => {
            let output = cut(&format!("{}{}", finished.stdout, finished.stderr));
            Err(ProbeError::Failed {
                path,
                status: finished.status,
                hint: status_hint(finished.status),
                output,
            })
        }
        Ok(finished) => parse(&finished.stdout).ok_or_else(|| ProbeError::Garbage {
            path,
            output: cut(&format!("{}{}", finished.stdout, finished.stderr)),
        }),
        Err(RunError::Deadline { .. }) => Err(ProbeError::Hangs { path, limit }),
        Err(RunError::Start(source)) => Err(ProbeError::Start { path, hint: start_hint(&source), source }),
    }
}

/// Reads `nats-server: v2.14.5`.
fn parse(output: &str) -> Option<Version> {
    output.lines().find_map(|line| line.trim().strip_prefix("nats-server:")?.trim().parse().ok())
}

fn cut(output: &str) -> String {
    output.trim().chars().take(200).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn start_hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            " (is it executable, and is its file system mounted without noexec? ISOLATED_NATS_CACHE_DIR moves the cache)"
        }
        // ENOEXEC has no kind of its own; 8 is its number on every Unix.
        _ if cfg!(unix) && error.raw_os_error() == Some(8) => " (it is built for another machine)",
        _ => "",
    }
}

#[cfg(unix)]
fn status_hint(status: ExitStatus) -> &'static str {
    use std::os::unix::process::ExitStatusExt;

    match status.signal() {
        Some(9) => {
            " (killed at once: on macOS an unsigned or quarantined executable, elsewhere out of memory)"
        }
        _ => "",
    }
}

#[cfg(not(unix))]
fn status_hint(_status: ExitStatus) -> &'static str {
    ""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_line_is_found_and_nothing_else_taken_for_it() {
        assert_eq!(parse("nats-server: v2.14.5\n").unwrap().to_string(), "2.14.5");
        assert_eq!(parse("warning\nnats-server: v2.15.0-RC.1\r\n").unwrap().to_string(), "2.15.0-RC.1");
        assert_eq!(parse("2.14.5"), None);
        assert_eq!(parse("nats-server: latest"), None);
    }

    #[test]
    fn garbage_is_cut_and_printable() {
        assert_eq!(cut("a\u{1b}[31m\nb\n"), "a [31m b");
        assert_eq!(cut(&"x".repeat(500)).len(), 200);
    }
}
