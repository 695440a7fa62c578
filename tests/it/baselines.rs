//! Baselines and kept runs, as tests of other processes write them.

use std::path::Path;
use std::process::Command;

use isolated_nats::results::{Better, Fingerprint, Metric, MetricKind, Record, Results, Store, Unit};

use crate::support::{Scratch, Victim};

fn record(throughput: f64) -> Record {
    let mut record = Record::new("orders");
    record.rounds = 10;
    let mut metric = Metric::new("throughput", MetricKind::Throughput, Unit::PerSecond, Better::Higher);
    metric.samples = (0..10).map(|round| Some(throughput * (1.0 + f64::from(round) / 1000.0))).collect();
    record.metrics.push(metric);
    record
}

// ---- tests that are run in a process of their own ----

#[test]
#[ignore = "needs a baseline"]
fn compares() {
    record(100.0).assert_no_regression("orders::put");
}

#[test]
#[ignore = "needs a baseline, and is worse"]
fn is_worse() {
    record(50.0).assert_no_regression("orders::put");
}

#[test]
#[ignore = "needs a baseline, and cannot be told"]
fn is_quick() {
    let mut record = record(50.0);
    record.quick = true;
    record.assert_no_regression("orders::put");
}

#[test]
#[ignore = "keeps runs in the directory that it is told"]
fn keeps_runs() {
    let store = Store::find().unwrap();
    for _ in 0..10 {
        store.save(&Results::new("orders", vec![record(1.0)], vec![])).unwrap();
    }
}

#[test]
#[ignore = "keeps runs until it is killed"]
fn keeps_many_runs() {
    let store = Store::find().unwrap();
    // An end for whoever runs all that is ignored.
    for _ in 0..10_000 {
        store.save(&Results::new("orders", vec![record(1.0)], vec![])).unwrap();
        println!("READY now");
    }
}

// ---- what they come to ----

/// Runs one with its output captured, as it mostly is; returns whether it passed, and what was printed all the same.
fn run(test: &str, directory: &Path, variables: &[(&str, &str)]) -> (bool, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", &format!("baselines::{test}"), "--include-ignored"]);
    for variable in
        ["ISOLATED_NATS_BLESS", "ISOLATED_NATS_INCONCLUSIVE", "NEXTEST_EXECUTION_MODE", "RUST_TEST_NOCAPTURE"]
    {
        command.env_remove(variable);
    }
    command.env("ISOLATED_NATS_BASELINES", directory).envs(variables.iter().copied());
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("running 1 test"), "{text}");
    (output.status.success(), text.into_owned())
}

fn files(directory: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

#[test]
fn a_baseline_is_written_when_it_is_blessed_and_never_else() {
    let scratch = Scratch::new("baselines");
    let bless = ("ISOLATED_NATS_BLESS", "1");
    for variables in [&[][..], &[("ISOLATED_NATS_BLESS", "0")], &[("ISOLATED_NATS_BLESS", "")]] {
        let (passed, text) = run("compares", scratch.path(), variables);
        assert!(!passed && text.contains("there is no baseline `orders::put` at "), "{text}");
    }
    let (passed, text) = run("compares", scratch.path(), &[("ISOLATED_NATS_BLESS", "yes")]);
    assert!(
        !passed && text.contains("ISOLATED_NATS_BLESS is `yes`, and may be `1`, `0` (or unset it)"),
        "{text}"
    );
    assert!(files(scratch.path()).is_empty());

    let (passed, text) = run("compares", scratch.path(), &[bless]);
    assert!(passed && text.contains("isolated-nats: orders is now baseline `orders::put`: "), "{text}");
    let blessed = files(scratch.path());
    assert_eq!(blessed.len(), 1);
    let (passed, text) = run("compares", scratch.path(), &[]);
    assert!(passed && !text.contains("isolated-nats: "), "{text}");
    let (passed, text) = run("is_worse", scratch.path(), &[]);
    assert!(!passed && text.contains("`orders` is worse than baseline `orders::put`\n"), "{text}");
    let (passed, text) = run("is_quick", scratch.path(), &[bless]);
    assert!(!passed && text.contains("measure without ISOLATED_NATS_QUICK"), "{text}");
    assert_eq!(files(scratch.path()), blessed);
}

#[test]
fn what_cannot_be_told_is_said_in_a_test_that_passes() {
    let scratch = Scratch::new("inconclusive");
    run("compares", scratch.path(), &[("ISOLATED_NATS_BLESS", "1")]);
    let said = "not told from baseline `orders::put`: the run is a quick one";
    for (value, passes) in [("", true), ("pass", true), ("fail", false)] {
        let (passed, text) = run("is_quick", scratch.path(), &[("ISOLATED_NATS_INCONCLUSIVE", value)]);
        assert!(passed == passes && text.contains(said), "{text}");
    }
}

#[test]
fn processes_keep_their_runs_beside_each_other() {
    let scratch = Scratch::new("runs");
    let store = Store::at(scratch.path());
    let processes: Vec<_> = (0..3)
        .map(|_| {
            let mut command = Victim::command("baselines::keeps_runs", scratch.path());
            command.env("ISOLATED_NATS_RESULTS", scratch.path()).env_remove("ISOLATED_NATS_RESULTS_KEEP");
            Victim(command.spawn().unwrap())
        })
        .collect();
    for mut process in processes {
        assert!(process.0.wait().unwrap().success());
    }
    assert_eq!(store.runs(Some("orders")).unwrap().len(), 30);
    assert!(store.unreadable(None).unwrap().is_empty());
}

#[test]
fn a_process_that_is_killed_leaves_whole_runs_only() {
    let scratch = Scratch::new("killed");
    let mut command = Victim::command("baselines::keeps_many_runs", scratch.path());
    command.env("ISOLATED_NATS_RESULTS", scratch.path()).env("ISOLATED_NATS_RESULTS_KEEP", "3");
    let (victim, _) = Victim::start(command);
    drop(victim); // kills it
    let store = Store::at(scratch.path());
    assert!((1..=4).contains(&store.runs(None).unwrap().len()));
    assert!(store.unreadable(None).unwrap().is_empty());
}

/// The tree that this very test is of.
#[test]
fn a_fingerprint_knows_the_commit_of_the_package() {
    let git = Command::new("git").args(["-C", env!("CARGO_MANIFEST_DIR"), "rev-parse", "HEAD"]).output();
    let Some(git) = git.ok().filter(|output| output.status.success()) else { return };
    let commit = Fingerprint::take().commit.unwrap();
    assert_eq!(commit.hash, String::from_utf8(git.stdout).unwrap().trim());
}
