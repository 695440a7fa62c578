//! What the tests share: scratch directories, stand-ins, archives, a builder that leaves the machine alone.

pub(crate) mod archives;
pub(crate) mod server;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use isolated_nats_server_binary::{Acquire, AcquireError, Progress, Source, Step};

/// A version that is in no table, so that its sum is whatever a test says.
pub(crate) const UNKNOWN: &str = "2.99.1";

/// A directory with a space and a letter outside ASCII in its path, gone after the test.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static COUNTER: AtomicU32 = AtomicU32::new(0);

        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("isolated nats tést {}-{count}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Makes a directory in it.
    pub(crate) fn dir(&self, name: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(&path).unwrap();
        path
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.join("cache")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A builder with a cache in the scratch directory, nothing on PATH, and nothing printed.
pub(crate) fn acquire(scratch: &Scratch) -> Acquire {
    Acquire::new()
        .cache_dir(scratch.cache())
        .path_variable(scratch.dir("no programs"))
        .progress(Progress::quiet())
}

/// The command with the same, and with none of this process's environment.
pub(crate) fn command(scratch: &Scratch) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_isolated-nats-server"));
    command
        .env_clear()
        .env("PATH", scratch.dir("no programs"))
        .env("HOME", scratch.dir("home"))
        .env("ISOLATED_NATS_CACHE_DIR", scratch.cache());
    command
}

/// Collects what would be printed.
#[derive(Clone, Default)]
pub(crate) struct Said(Arc<Mutex<Vec<String>>>);

impl Said {
    pub(crate) fn progress(&self) -> Progress {
        let lines = Arc::clone(&self.0);
        Progress::to(move |line| lines.lock().unwrap().push(line.to_owned()))
    }

    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// Writes an executable file.
pub(crate) fn executable(path: &Path, text: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A script that answers `-v` as nats-server does.
pub(crate) fn script(version: &str) -> String {
    format!("#!/bin/sh\n# stands in for nats-server\necho 'nats-server: v{version}'\n")
}

/// Puts a compiled stand-in for nats-server into a directory: scripts are not taken from PATH.
pub(crate) fn compiled(directory: &Path, version: &str) -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();

    let built = BUILT.get_or_init(|| {
        // Beside this test's own executable, named after its text: built once for all runs, and found by `hard_link`.
        let name = format!("stand-in-{}", &archives::sha256(STAND_IN.as_bytes())[..8]);
        let built = std::env::current_exe().unwrap().with_extension(name);
        if !built.exists() {
            let base = built.with_extension(std::process::id().to_string());
            let source = base.with_extension("rs");
            fs::write(&source, STAND_IN).unwrap();
            let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
            let words = ["--crate-name", "stand_in", "-o"];
            let status = Command::new(rustc).args(words).args([&base, &source]).status().unwrap();
            assert!(status.success());
            fs::rename(&base, &built).unwrap();
            fs::remove_file(source).unwrap();
        }
        built
    });
    fs::create_dir_all(directory).unwrap();
    let path = directory.join("nats-server");
    // Linked, not written: a file just written may be busy when it is to be run.
    if fs::hard_link(built, &path).is_err() {
        fs::copy(built, &path).unwrap();
    }
    fs::write(directory.join("version"), version).unwrap();
    path
}

const STAND_IN: &str = r#"
fn main() {
    let me = std::path::PathBuf::from(std::env::args_os().next().unwrap());
    let version = std::fs::read_to_string(me.with_file_name("version")).unwrap();
    println!("nats-server: v{version}");
}
"#;

/// Returns the step of one source.
#[track_caller]
pub(crate) fn step(error: &AcquireError, source: Source) -> &Step {
    let found = error.steps().iter().find(|step| step.tried() == source);
    found.unwrap_or_else(|| panic!("{source} was not tried: {error}"))
}

/// Returns the files below a directory, relative to it, sorted; a directory that is not there has none.
pub(crate) fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).into_iter().flatten() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                open.push(entry.path());
            } else {
                found.push(entry.path().strip_prefix(directory).unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

/// Asserts that a failed fetch left nothing that a later one could take, and nothing that fills the disk.
#[track_caller]
pub(crate) fn assert_nothing_left(scratch: &Scratch) {
    for part in ["v1", "tmp", "quarantine"] {
        let left = files(&scratch.cache().join(part));
        assert!(left.is_empty(), "left in {part}: {left:?}");
    }
}

/// What this machine is called in release file names.
pub(crate) fn target() -> String {
    let os = if cfg!(target_os = "macos") { "darwin" } else { std::env::consts::OS };
    let arch = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    format!("{os}-{arch}")
}
