//! The memory benchmark as its user sees it: a program with outputs and exit codes, which leaves nothing behind.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use isolated_nats::{ProcessErrorKind, ProcessProbe, eventually};
use serde_json::Value;

/// The shortest run with everything in it; without optimization its figures tell nothing, but they are there.
const SHORT: [&str; 7] = ["--only", "1w-10p", "--repeats", "1", "--load", "200ms", "--no-leak-check"];
const LIMIT: Duration = Duration::from_secs(60);

/// The program, which `cargo test` builds beside this test, and `cargo test --test memory_benchmark` does not.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let test = std::env::current_exe().unwrap();
        let profile = test.parent().and_then(Path::parent).unwrap();
        let name = format!("memory_benchmark{}", std::env::consts::EXE_SUFFIX);
        let program = profile.join("examples").join(name);
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        let sources = ["src", "support", "examples"].map(|part| newest(&package.join(part)));
        if changed(&program) < sources.into_iter().max().unwrap() {
            build(profile.parent().unwrap());
        }
        program
    })
}

/// When a file was changed; long ago where there is none.
fn changed(file: &Path) -> SystemTime {
    fs::metadata(file).and_then(|metadata| metadata.modified()).unwrap_or(SystemTime::UNIX_EPOCH)
}

/// When the newest file in a directory was changed.
fn newest(directory: &Path) -> SystemTime {
    let paths = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    paths.map(|path| if path.is_dir() { newest(&path) } else { changed(&path) }).max().unwrap()
}

fn build(target: &Path) {
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--example", "memory_benchmark", "--target-dir"]).arg(target);
    if !cfg!(debug_assertions) {
        build.arg("--release");
    }
    let status = build.current_dir(env!("CARGO_MANIFEST_DIR")).status();
    assert!(status.unwrap().success(), "the example could not be built");
}

/// A directory of a test's own, for baselines, reports, and servers; removed with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("memory-benchmark-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.args(arguments).current_dir(&self.0).stdin(Stdio::null());
        command.env("CARGO_MANIFEST_DIR", &self.0).env("ISOLATED_NATS_DIR", self.0.join("servers"));
        command.env_remove("ISOLATED_NATS_BASELINES").env_remove("ISOLATED_NATS_URL");
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    fn servers(&self) -> usize {
        let entries = fs::read_dir(self.0.join("servers")).into_iter().flatten().flatten();
        entries.filter(|entry| entry.path().is_dir()).count()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn text(output: &Output) -> String {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    format!("{}\n{out}\n{err}", output.status)
}

#[test]
fn a_run_measures_and_writes_all_outputs() {
    let scratch = Scratch::new("outputs");
    let output = scratch.run(&[&SHORT[..], &["--seed", "7", "--report-file", "out"]].concat());
    let said = text(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    for part in
        ["seed 7: about ", "Memory of the library", "1w-10p", "not measured (--no-leak-check)", "together"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    let document: Value = serde_json::from_str(&scratch.read("out/memory.json")).unwrap();
    assert_eq!([&document["schema"], &document["seed"], &document["repeats"]], [1, 7, 1]);
    assert_eq!(document["failures"], Value::Array(Vec::new()));
    let metrics = document["results"]["records"][0]["metrics"].as_array().unwrap();
    for metric in metrics {
        assert!(metric["samples"][0].is_f64(), "{metric}");
    }
    for (file, part) in [
        ("memory.md", "| 1w-10p |"),
        ("memory-over-workers.svg", "<polyline"),
        ("results.json", "\"configuration_hash\""),
        ("report.html", "1w-10p"),
    ] {
        assert!(scratch.read(&format!("out/{file}")).contains(part), "{file}");
    }
    assert_eq!(scratch.servers(), 0, "{said}");
}

#[test]
fn each_ending_has_its_own_report() {
    let scratch = Scratch::new("endings");
    for (file, part) in
        [("a.json", "\"schema\": 1"), ("a.md", "# partition-workers memory"), ("a.svg", "<svg")]
    {
        let output = scratch.run(&[&SHORT[..], &["--report-file", file]].concat());
        assert!(scratch.read(file).contains(part), "{file}: {}", text(&output));
    }
}

#[test]
fn too_few_repeats_are_inconclusive() {
    let scratch = Scratch::new("few");
    scratch.run(&[&SHORT[..], &["--report-file", "before.json"]].concat());
    let output = scratch.run(&[&SHORT[..], &["--compare", "before.json"]].concat());
    let said = text(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("the run has only 1 of the 5 rounds"), "{said}");
}

#[test]
fn a_leak_is_found_and_its_line_named() {
    let scratch = Scratch::new("leak");
    let output = scratch.run(&[&SHORT[..6], &["--leak", "100"]].concat());
    let said = text(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let source = include_str!("../examples/memory_benchmark/application.rs");
    let line = source.lines().position(|line| line.contains("Vec::leak(")).unwrap() + 1;
    assert!(said.contains(&format!("memory_benchmark/application.rs:{line})")), "{said}");
}

#[test]
fn bad_usage_says_what_would_be_right() {
    let scratch = Scratch::new("usage");
    for (arguments, part) in [
        (&["--qiuck"][..], "did you mean `--quick`?"),
        (&["--only", "ten"], "10w-100p is one"),
        (&["--quick", "--save", "main"], "a quick run is no baseline"),
    ] {
        let output = scratch.run(arguments);
        let said = text(&output);
        assert_eq!(output.status.code(), Some(64), "{said}");
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(scratch.run(&["--help"]).status.code(), Some(0));
}

#[test]
fn what_cannot_be_measured_is_trouble_and_says_why() {
    let scratch = Scratch::new("trouble");
    let run = |arguments: &[&str], variable: &str| {
        let output = scratch.command(arguments).env("ISOLATED_NATS_SERVER", variable).output().unwrap();
        (output.status.code(), text(&output))
    };
    let (code, said) = run(&SHORT, "/nowhere/nats-server");
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("no server to measure with") && said.contains("/nowhere/nats-server"), "{said}");
    let (code, said) = run(&["--compare", "never-saved"], "");
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("never-saved.json") && said.contains("--save never-saved"), "{said}");

    fs::create_dir(scratch.0.join("baselines")).unwrap();
    fs::write(scratch.0.join("baselines/a-test.json"), "{}").unwrap();
    for option in ["--save", "--compare"] {
        let (code, said) = run(&[option, "a-test"], "");
        assert_eq!(code, Some(3), "{said}");
        assert!(said.contains("a-test.json` is not a run of this benchmark"), "{said}");
    }
    assert_eq!(scratch.read("baselines/a-test.json"), "{}");
}

/// Neither the process that measures nor its server outlives the benchmark, even where that cannot say goodbye.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_killed_benchmark_leaves_nothing_running() {
    let scratch = Scratch::new("killed");
    let mut benchmark = scratch
        .command(&["--only", "1w-10p", "--load", "600s", "--no-leak-check"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(benchmark.stderr.take().unwrap()).read_line(&mut first).unwrap();
    let family = eventually("a child and its server run", LIMIT, async || {
        let child = children(benchmark.id()).pop().ok_or("there is no child")?;
        let server = children(child).pop().ok_or("there is no server")?;
        Ok::<_, &str>([child, server])
    });
    let family = family.await.unwrap();
    benchmark.kill().unwrap(); // SIGKILL
    benchmark.wait().unwrap();
    let gone = eventually("both are gone", LIMIT, async || {
        let left: Vec<u32> = family.into_iter().filter(|pid| is_running(*pid)).collect();
        if left.is_empty() { Ok(()) } else { Err(format!("{left:?}")) }
    });
    gone.await.unwrap();
}

/// The processes whose parent this is.
#[cfg(target_os = "linux")]
fn children(parent: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{parent}/task")).into_iter().flatten().flatten();
    let lists = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    lists
        .flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>())
        .collect()
}

#[cfg(target_os = "linux")]
fn is_running(pid: u32) -> bool {
    !matches!(ProcessProbe::new(pid).sample(), Err(error) if error.kind() == ProcessErrorKind::Gone)
}
