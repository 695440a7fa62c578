//! A test that is compared with a file in the repository.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use isolated_nats::isolated_nats;
use isolated_nats::results::{Baseline, Record};

use crate::support::{Scratch, Victim};

#[isolated_nats(baseline = "orders", rounds = 10)]
#[ignore = "a victim: run by the tests below, with directories of its own"]
async fn holds_memory(client: async_nats::Client) -> Result<(), async_nats::PublishError> {
    let bytes = std::env::var("VICTIM_BYTES").map_or(1_000_000, |bytes| bytes.parse().unwrap());
    let orders = vec![0_u8; bytes];
    client.publish("orders", orders[..100].to_vec().into()).await
}

#[isolated_nats(baseline)]
#[ignore = "a victim: run by the tests below, with directories of its own"]
async fn fails() -> Result<(), String> {
    Err("there is no order".into())
}

#[isolated_nats(baseline = "third")]
#[ignore = "a victim: run by the tests below, with directories of its own"]
async fn fails_the_third_time() {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    assert!(RUNS.fetch_add(1, Ordering::Relaxed) < 2, "there is no third order");
}

#[isolated_nats(baseline, flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a victim: run by the tests below, with directories of its own"]
async fn has_no_name() {}

#[isolated_nats(baseline = "closed", config = "tests/results/closed.conf")]
#[ignore = "a victim: run by the tests below, with directories of its own"]
async fn lets_nobody_in() {}

#[isolated_nats(baseline = "alone", process, start_paused, timeout = "60s")]
#[ignore = "a victim: run by the tests below, with directories of its own"]
async fn is_alone_and_its_clock_stands(client: async_nats::Client) {
    client.flush().await.unwrap();
}

struct Repository(Scratch);

impl Repository {
    fn new() -> Self {
        Self(Scratch::new("repository"))
    }

    fn directory(&self) -> PathBuf {
        self.0.path().join("baselines")
    }

    fn baseline(&self, name: &str) -> PathBuf {
        self.directory().join(name)
    }

    /// What a test wrote that was to be the baseline.
    fn blessed(&self, test: &str, name: &str) -> Record {
        let (passed, output) = self.run(test, &[("ISOLATED_NATS_BLESS", "1")]);
        assert!(passed, "{output}");
        Baseline::load_from(self.directory(), name).unwrap().runs.remove(0)
    }

    fn run(&self, test: &str, more: &[(&str, &str)]) -> (bool, String) {
        let (baselines, results) = (self.0.path().join("baselines"), self.0.path().join("results"));
        let mut variables = vec![
            ("ISOLATED_NATS_BASELINES", baselines.to_str().unwrap()),
            ("ISOLATED_NATS_RESULTS", results.to_str().unwrap()),
            ("ISOLATED_NATS_QUICK", ""),
            ("ISOLATED_NATS_BLESS", ""),
        ];
        variables.extend_from_slice(more);
        Victim::run(test, self.0.path(), &variables)
    }
}

#[test]
fn a_test_is_compared_once_it_has_been_blessed() {
    let repository = Repository::new();
    let test = "baseline::holds_memory";

    let (passed, output) = repository.run(test, &[]);
    assert!(!passed && output.contains("ISOLATED_NATS_BLESS=1"), "{output}");
    assert!(!repository.baseline("orders.json").exists(), "only what is asked to writes");

    let (passed, output) = repository.run(test, &[("ISOLATED_NATS_BLESS", "1")]);
    assert!(passed, "{output}");
    let blessed = std::fs::read_to_string(repository.baseline("orders.json")).unwrap();

    let (passed, output) = repository.run(test, &[]);
    assert!(passed, "{output}");

    let (passed, output) = repository.run(test, &[("VICTIM_BYTES", "1200000")]);
    assert!(!passed && output.contains("peak heap"), "{output}");
    assert!(output.contains("ISOLATED_NATS_BLESS=1"), "how to accept it: {output}");

    let (passed, output) = repository.run(test, &[("VICTIM_BYTES", "1200000"), ("ISOLATED_NATS_QUICK", "1")]);
    assert!(passed, "a quick run is not compared: {output}");
    let unchanged = std::fs::read_to_string(repository.baseline("orders.json")).unwrap();
    assert_eq!(blessed, unchanged);
}

#[test]
fn a_test_that_fails_is_not_compared() {
    let repository = Repository::new();
    let (passed, output) = repository.run("baseline::fails", &[("ISOLATED_NATS_BLESS", "1")]);
    assert!(!passed && output.contains("there is no order"), "{output}");
    assert!(!repository.directory().exists(), "nothing is written");
}

#[test]
fn a_wrong_value_of_the_variable_is_named() {
    let repository = Repository::new();
    let (passed, output) = repository.run("baseline::holds_memory", &[("ISOLATED_NATS_BLESS", "yes")]);
    assert!(!passed && output.contains("ISOLATED_NATS_BLESS is `yes`"), "{output}");
}

/// Two binaries of a package may have tests of one name, and other workers take other memory.
#[test]
fn a_baseline_without_a_name_has_the_crates_too_and_knows_its_runtime() {
    let record = Repository::new().blessed("baseline::has_no_name", "results.baseline.has_no_name");
    assert_eq!(record.fingerprint.runtime.as_deref(), Some("multi_thread 2"));
    assert_eq!((record.rounds, record.control.as_deref()), (10, Some("200 plain requests")));
    assert_eq!(record.metric("duration").unwrap().ratios().unwrap().len(), 10);
}

#[test]
fn a_server_without_permissions_leaves_the_test_without_a_control() {
    let record = Repository::new().blessed("baseline::lets_nobody_in", "closed");
    let duration = record.metric("duration").unwrap();
    assert_eq!((record.control.as_deref(), duration.ratios()), (None, None));
    assert_eq!(duration.values().len(), 10);
    assert_eq!(record.fingerprint.runtime.as_deref(), Some("current_thread"));
}

#[test]
fn a_quick_run_is_not_blessed_in_silence() {
    let repository = Repository::new();
    let variables = [("ISOLATED_NATS_BLESS", "1"), ("ISOLATED_NATS_QUICK", "1")];
    let (passed, output) = repository.run("baseline::holds_memory", &variables);
    assert!(
        !passed && output.contains("a quick run can be no baseline (unset ISOLATED_NATS_QUICK, or "),
        "{output}"
    );
    assert!(!repository.directory().exists(), "nothing is written");
}

#[test]
fn a_failure_in_a_later_run_says_in_which() {
    let repository = Repository::new();
    let (passed, output) = repository.run("baseline::fails_the_third_time", &[("ISOLATED_NATS_BLESS", "1")]);
    assert!(!passed && output.contains("there is no third order"), "{output}");
    assert!(output.contains("test `baseline::fails_the_third_time` ends in run 3 of 11\n"), "{output}");
    assert!(!repository.directory().exists(), "nothing is written");
}

#[test]
fn a_test_in_a_process_of_its_own_has_its_resident_memory_too() {
    let record = Repository::new().blessed("baseline::is_alone_and_its_clock_stands", "alone");
    let measured: Vec<&str> = record.metrics.iter().map(|metric| metric.name.as_str()).collect();
    let linux = |name: &'static str| if cfg!(target_os = "linux") { vec![name] } else { Vec::new() };
    let heap = vec!["peak heap", "live heap", "allocations"];
    assert_eq!(measured, [vec!["duration"], linux("cpu time"), heap, linux("peak rss")].concat());
    assert!(record.metrics.iter().all(|metric| metric.values().len() == 10), "{record:?}");
    let duration = record.metric("duration").unwrap();
    assert!(duration.values().iter().all(|took| *took > 0.0), "by a clock that runs: {duration:?}");
}
