//! What the tests of the command share.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use isolated_nats::results::{Better, Metric, MetricKind, Record, Results, Store, Target, Unit};

/// A directory of a test's own, removed with it, with a store in it.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("cli-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(path.join("runs")).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn store(&self) -> Store {
        Store::at(self.path("runs"))
    }

    /// Runs are a minute apart, so that their order is that of the calls.
    pub(crate) fn save(&self, record: Record) -> PathBuf {
        self.store().save(&results(record)).unwrap()
    }

    /// Runs the command there, with this store and these baselines, and nothing of the caller's environment that matters to it.
    pub(crate) fn run(&self, words: &str) -> Ran {
        ran(self.command(words))
    }

    pub(crate) fn command(&self, words: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_isolated-nats"));
        let ours = std::env::vars_os()
            .map(|(name, _)| name)
            .filter(|name| name.to_string_lossy().starts_with("ISOLATED_NATS_"));
        for name in ours {
            command.env_remove(name);
        }
        command
            .args(words.split_whitespace())
            .env("ISOLATED_NATS_RESULTS", self.path("runs"))
            .env("ISOLATED_NATS_BASELINES", self.path("baselines"))
            .current_dir(&self.0)
            .stdin(Stdio::null());
        command
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// How the command ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) fn ran(mut command: Command) -> Ran {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

impl Ran {
    /// The exit code, with the texts where it is another.
    #[track_caller]
    pub(crate) fn ends_with(&self, code: i32) -> &Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }

    #[track_caller]
    pub(crate) fn says(&self, text: &str) -> &Self {
        assert!(self.out.contains(text) || self.err.contains(text), "no `{text}` in {self:#?}");
        self
    }
}

pub(crate) fn results(record: Record) -> Results {
    Results::new(record.scenario.clone(), vec![record], Vec::new())
}

/// A record of ten rounds about `rate`, all of them different, as measured ones are; `minute` orders them.
pub(crate) fn record(scenario: &str, minute: u64, rate: f64) -> Record {
    rounds(scenario, minute, rate, 10)
}

pub(crate) fn rounds(scenario: &str, minute: u64, rate: f64, count: u32) -> Record {
    let mut throughput = Metric::new("throughput", MetricKind::Throughput, Unit::PerSecond, Better::Higher);
    let samples = (0..count).map(|round| Some(rate * (1.0 + f64::from(round) / 1000.0)));
    throughput.samples = samples.collect();
    let mut record = Record::new(scenario);
    record.taken = format!("2026-11-21T17:{minute:02}:00Z").parse().unwrap();
    record.rounds = count as usize;
    record.metrics = vec![throughput];
    record
}

pub(crate) fn with_target(mut record: Record, rate: f64) -> Record {
    record.targets = vec![Target::at_least("throughput", rate)];
    record
}
