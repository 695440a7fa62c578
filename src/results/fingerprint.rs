//! What the machine and the build were.

mod git;
mod machine;
mod mounts;
mod virtualization;

use serde::{Deserialize, Serialize};

use crate::memory::{self, text};
use crate::server::ExternalNats;

/// Memory that differs by less than this share is that of one machine: a kernel keeps more or less of it to itself.
const SAME_MEMORY: f64 = 0.1;

/// What the machine and the build were. What could not be found out is `None`.
///
/// What differs between two of them is either in [`differences`](Self::differences), and figures cannot be compared as they
/// are, or in [`notes`](Self::notes), and may be what one wants to find out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Fingerprint {
    /// The model of the first processor, as the system names it. Source: `model name` of `/proc/cpuinfo`, or implementer and part where
    /// it has none, as on ARM; elsewhere the `sysinfo` crate.
    pub cpu_model: Option<String>,
    /// Processors that this process may use, by its affinity and the CPU quota of its control group
    /// (`std::thread::available_parallelism`).
    pub cores: Option<u64>,
    /// Memory of the machine, in bytes (`MemTotal` of `/proc/meminfo`), or the limit of the process's control group or of one above it
    /// where that is less; elsewhere that of the machine, by the `sysinfo` crate.
    pub memory_bytes: Option<u64>,
    /// Name and release of the kernel: `Linux 6.18.44` (`/proc/sys/kernel`; elsewhere the `sysinfo` crate).
    pub kernel: Option<String>,
    /// The frequency governor of the first processor (`/sys/devices/system/cpu`, Linux only); `None` where the system lets nobody see,
    /// as in most virtual machines.
    pub governor: Option<String>,
    /// The container and hypervisor that were recognised: `docker`, `docker in KVM`, `virtual machine`. Source: `/run/.containerenv`,
    /// `/.dockerenv`, the control groups of process 1, the machine's name in its firmware (`/sys/class/dmi`), and the processor's flag
    /// `hypervisor`; Linux only. `None` where nothing was, which is not to say that there is none.
    pub virtualization: Option<String>,
    /// The compiler that this crate was built with: `rustc --version`, run by its build script.
    pub rustc: Option<String>,
    /// How this crate was built: `release` or `debug`, which is without or with debug assertions, and its optimization level: `debug,
    /// opt-level 0`. Cargo builds the crates of one workspace alike unless its profile has overrides.
    pub profile: Option<String>,
    /// The flavour of the tokio runtime in which the fingerprint was taken, and its worker threads: `current_thread`,
    /// `multi_thread 2`; `None` outside of one.
    pub runtime: Option<String>,
    /// `tracking` where the tracking allocator is installed and counts, `other` where it does not.
    pub allocator: Option<String>,
    /// The version of the nats-server: what its program says of itself, or an attached server's greeting.
    pub server: Option<String>,
    /// The file system of the server's store: `ext4`, `tmpfs` (Linux only, `/proc/self/mountinfo`); `None` without JetStream, and for an
    /// attached server.
    pub store_file_system: Option<String>,
    /// The version of this crate.
    pub isolated_nats: Option<String>,
    /// The commit of the repository that the test belongs to, and whether the tree was changed. Source: `.git` of the directory
    /// `CARGO_MANIFEST_DIR`, or of the current one, and those above; read once in a process.
    pub commit: Option<Commit>,
    /// The load average of one minute when the fingerprint was taken, before the first round: processes that ran or wanted to
    /// (`/proc/loadavg`; elsewhere the `sysinfo` crate). It says what the machine did besides, and is never a difference.
    pub load_average: Option<f64>,
}

/// A commit of the repository that was measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Commit {
    /// Its hash, in full.
    pub hash: String,
    /// Whether the working tree differs from it, new files included (`git status --porcelain`); `None` where there is no `git`, or it
    /// does not answer within two seconds.
    pub changed: Option<bool>,
}

impl Commit {
    /// The first twelve figures, as in names of files.
    pub(crate) fn short(&self) -> &str {
        self.hash.get(..12).unwrap_or(&self.hash)
    }
}

impl Fingerprint {
    /// Reads all but what is of a server ([`with_server`](Self::with_server)).
    ///
    /// It reads files, and the first time in a process it runs `git`, for at most two seconds. Call it within the runtime that is
    /// measured.
    #[must_use]
    pub fn take() -> Self {
        let _ours = memory::ours(); // it is no part of what a test needs
        let machine = machine::Machine::read();
        let allocator = if memory::why_no_heap().is_none() { "tracking" } else { "other" };
        Self {
            cpu_model: machine.cpu_model,
            cores: std::thread::available_parallelism().ok().map(|cores| cores.get() as u64),
            memory_bytes: machine.memory_bytes,
            kernel: machine.kernel,
            governor: machine.governor,
            virtualization: machine.virtualization,
            rustc: option_env!("ISOLATED_NATS_BUILD_RUSTC").map(Into::into),
            profile: Some(profile(cfg!(debug_assertions), option_env!("ISOLATED_NATS_BUILD_OPT_LEVEL"))),
            runtime: runtime(),
            allocator: Some(allocator.into()),
            server: None,
            store_file_system: None,
            isolated_nats: Some(env!("CARGO_PKG_VERSION").into()),
            commit: git::commit(),
            load_average: machine.load_average,
        }
    }

    /// Adds the server's version and the file system of its store.
    #[must_use]
    pub fn with_server(mut self, nats: &ExternalNats) -> Self {
        self.server = Some(nats.version().to_owned()).filter(|version| !version.is_empty());
        self.store_file_system = nats.store_dir().and_then(mounts::file_system);
        self
    }

    /// Returns why figures of the two cannot be compared as they are, one short text for each difference (`cpu model: x, was y`); empty
    /// where both are of one machine in one state.
    ///
    /// It compares the machine (processor, cores, memory by more than a tenth, governor, virtualization, file system of the store), and how
    /// the test was built and run (profile, runtime's flavour, allocator). What is unknown in one of them does not differ, but for
    /// virtualization: where none was recognised there mostly is none.
    #[must_use]
    pub fn differences(&self, earlier: &Self) -> Vec<String> {
        let mut differences = self.machine_differences(earlier);
        differences.extend(self.build_differences(earlier));
        differences
    }

    /// Those between machines, which ratios to a control even out.
    pub(super) fn machine_differences(&self, earlier: &Self) -> Vec<String> {
        let none = || Some("none".to_owned());
        let (now, was) = (self.virtualization.clone(), earlier.virtualization.clone());
        let number = |cores: Option<u64>| cores.map(|cores| cores.to_string());
        [
            different("cpu model", &self.cpu_model, &earlier.cpu_model),
            different("cores", &number(self.cores), &number(earlier.cores)),
            different_memory(self.memory_bytes, earlier.memory_bytes),
            different("governor", &self.governor, &earlier.governor),
            different("virtualization", &now.or_else(none), &was.or_else(none)),
            different("file system of the store", &self.store_file_system, &earlier.store_file_system),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Those between builds and runtimes, of which each may change a control by another factor than what is measured.
    pub(super) fn build_differences(&self, earlier: &Self) -> Vec<String> {
        [
            different("profile", &self.profile, &earlier.profile),
            different("runtime", &self.runtime, &earlier.runtime),
            different("allocator", &self.allocator, &earlier.allocator),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Returns what else differs, in the form of [`differences`](Self::differences): kernel, compiler, server and this crate. Figures
    /// across these can be compared, and whether they change may be what one wants to know.
    #[must_use]
    pub fn notes(&self, earlier: &Self) -> Vec<String> {
        [
            different("kernel", &self.kernel, &earlier.kernel),
            different("rustc", &self.rustc, &earlier.rustc),
            different("nats-server", &self.server, &earlier.server),
            different("isolated-nats", &self.isolated_nats, &earlier.isolated_nats),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

fn different(what: &str, now: &Option<String>, was: &Option<String>) -> Option<String> {
    let (now, was) = (now.as_deref()?, was.as_deref()?);
    (now != was).then(|| format!("{what}: {now}, was {was}"))
}

#[expect(clippy::cast_precision_loss, reason = "53 bits are more than a text shows")]
fn different_memory(now: Option<u64>, was: Option<u64>) -> Option<String> {
    let (now, was) = (now? as f64, was? as f64);
    let differs = (now - was).abs() > SAME_MEMORY * now.max(was);
    differs.then(|| format!("memory: {}, was {}", text::bytes(now), text::bytes(was)))
}

fn profile(debug: bool, level: Option<&str>) -> String {
    let name = if debug { "debug" } else { "release" };
    level.map_or_else(|| name.into(), |level| format!("{name}, opt-level {level}"))
}

fn runtime() -> Option<String> {
    let handle = tokio::runtime::Handle::try_current().ok()?;
    match handle.runtime_flavor() {
        tokio::runtime::RuntimeFlavor::CurrentThread => Some(runtime_of(None)),
        tokio::runtime::RuntimeFlavor::MultiThread => Some(runtime_of(Some(handle.metrics().num_workers()))),
        _ => None,
    }
}

/// A runtime with so many workers; of one thread with `None`.
pub(super) fn runtime_of(workers: Option<usize>) -> String {
    workers.map_or_else(|| "current_thread".into(), |workers| format!("multi_thread {workers}"))
}

#[cfg(test)]
mod tests;
