//! What several tests need.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use isolated_nats::{ProcessErrorKind, ProcessProbe};

/// Generous: a limit that a working crate never comes near, also with both cores busy.
pub(crate) const LONG: Duration = Duration::from_secs(30);

/// A directory of a test's own, removed with it.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str) -> Self {
        Self::within(&std::env::temp_dir(), name)
    }

    /// One with a link to this program in it. A copy would be "busy" while a fork of another thread holds it open.
    #[cfg(unix)]
    pub(crate) fn with_this_program(name: &str) -> (Self, PathBuf) {
        let scratch = Self::within(Path::new(env!("CARGO_TARGET_TMPDIR")), name);
        let link = scratch.path().join("a link");
        std::fs::hard_link(std::env::current_exe().unwrap(), &link).unwrap();
        (scratch, link)
    }

    fn within(directory: &Path, name: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = directory.join(format!("isolated-nats-tests-{}-{count} ä {name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path.canonicalize().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The directories of servers in it, when it is used as `ISOLATED_NATS_DIR`.
    pub(crate) fn servers(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.is_dir()).collect()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A test of this binary that is ignored, because it is made to end badly, run in a process of its own.
pub(crate) struct Victim(pub(crate) Child);

impl Victim {
    /// Runs `test` with its servers' directories in `root`, where nothing else is.
    pub(crate) fn command(test: &str, root: &Path) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", test, "--include-ignored", "--nocapture", "--test-threads=1"]);
        command.env("ISOLATED_NATS_DIR", root).env("RUST_BACKTRACE", "0");
        command.env_remove("ISOLATED_NATS_KEEP").env_remove("ISOLATED_NATS_URL");
        command.env_remove("NEXTEST_EXECUTION_MODE"); // it is libtest that runs it
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs it to its end, and returns whether it passed, and all it printed.
    pub(crate) fn run(test: &str, root: &Path, variables: &[(&str, &str)]) -> (bool, String) {
        let output = Self::command(test, root).envs(variables.iter().copied()).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(text.contains("running 1 test"), "no test is called {test}: {text}");
        (output.status.success(), text.into_owned())
    }

    /// Starts it, and waits for the line in which it says that it is ready; returns what follows `READY `.
    pub(crate) fn start(mut command: Command) -> (Self, String) {
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = lines
            .map(Result::unwrap)
            .find_map(|line| line.split_once("READY ").map(|(_, rest)| rest.to_owned()));
        (Self(child), ready.expect("the victim says that it is ready"))
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whether a process has ended, waited for or not.
pub(crate) fn is_gone(pid: u32) -> bool {
    ProcessProbe::new(pid).sample().is_err_and(|error| error.kind() == ProcessErrorKind::Gone)
}

/// Waits until a process has ended.
pub(crate) async fn wait_gone(pid: u32, limit: Duration) {
    isolated_nats::eventually(&format!("process {pid} has ended"), limit, async || {
        if is_gone(pid) { Ok(()) } else { Err("it runs") }
    })
    .await
    .unwrap();
}

/// The processes whose command line holds a text, without this one; none where there is no `/proc`.
pub(crate) fn processes_with(text: &str) -> Vec<u32> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    pids.filter(|pid| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        *pid != std::process::id() && String::from_utf8_lossy(&line).contains(text)
    })
    .collect()
}
