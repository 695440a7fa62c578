//! What is left, and said, when a test fails; and that nothing is when it passes.

use isolated_nats::{ExternalNats, isolated_nats};

use crate::support::{Scratch, Victim};

#[tokio::test]
#[ignore = "a victim: run by the tests below, in a process of its own"]
async fn panics_by_hand() {
    let _nats = ExternalNats::start().await.unwrap();
    panic!("on purpose");
}

#[isolated_nats(jetstream)]
#[ignore = "a victim: run by the tests below, in a process of its own"]
async fn panics(nats: ExternalNats) {
    let _ = nats.client().await.unwrap();
    panic!("on purpose");
}

#[isolated_nats]
#[ignore = "a victim: run by the tests below, in a process of its own"]
async fn returns_an_error(_nats: ExternalNats) -> Result<(), Box<dyn std::error::Error>> {
    Err("the order is missing".into())
}

#[isolated_nats(timeout = "200ms")]
#[ignore = "a victim: run by the tests below, in a process of its own"]
async fn hangs(_nats: ExternalNats) {
    std::future::pending::<()>().await;
}

#[isolated_nats]
#[ignore = "a victim: run by the tests below, in a process of its own"]
async fn its_server_dies(nats: ExternalNats) -> Result<(), String> {
    nats.kill().unwrap();
    Err("no server".into())
}

#[isolated_nats]
#[ignore = "a victim: run by the tests below, in a process of its own"]
async fn has_a_second_server() -> Result<(), &'static str> {
    drop(ExternalNats::builder().name("second").start().await.unwrap());
    Err("on purpose")
}

#[isolated_nats]
#[should_panic]
#[ignore = "a victim: run by the tests below, in a process of its own"]
async fn has_a_second_server_and_panics_as_expected() {
    let _second = ExternalNats::builder().name("second").start().await.unwrap();
    panic!("on purpose");
}

#[isolated_nats]
#[ignore = "a victim: run by the tests below, in a process of its own"]
async fn passes(nats: ExternalNats) {
    let _ = nats.client().await.unwrap();
}

/// The one directory left in the root, as the report names it, with the command that starts a server on it again.
fn assert_kept(root: &Scratch, text: &str) {
    let kept = root.servers();
    assert_eq!(kept.len(), 1, "{text}");
    assert!(text.contains(&format!("  directory  {} (kept)\n", kept[0].display())), "{text}");
    assert!(kept[0].join("server.log").exists() && kept[0].join("server.conf").exists());
    assert!(
        text.contains("  the server's log ends with\n    | [") && text.contains("Server is ready"),
        "{text}"
    );
    let reopen = text.lines().find_map(|line| line.strip_prefix("  reopen     ")).expect("a command");
    assert_reopens(reopen, &kept[0]);
}

#[cfg(unix)]
fn assert_reopens(command: &str, directory: &std::path::Path) {
    use std::process::{Command, Stdio};
    let ports = directory.join("ports");
    for file in std::fs::read_dir(&ports).unwrap() {
        std::fs::remove_file(file.unwrap().path()).unwrap();
    }
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("exec {command}")]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut server = Victim(shell.spawn().unwrap());
    let deadline = std::time::Instant::now() + crate::support::LONG;
    while std::fs::read_dir(&ports).unwrap().next().is_none() {
        assert_eq!(server.0.try_wait().unwrap(), None, "{command}");
        assert!(std::time::Instant::now() < deadline, "{command}");
        std::thread::yield_now();
    }
}

#[cfg(not(unix))]
fn assert_reopens(_command: &str, _directory: &std::path::Path) {}

#[test]
fn a_failed_test_keeps_its_directory_and_says_where_it_is() {
    for (test, first) in [
        ("panics_by_hand", "isolated-nats: `evidence::panics_by_hand` panicked; its nats-server 2."),
        ("panics", "isolated-nats: test `evidence::panics` panicked; its nats-server 2."),
        (
            "returns_an_error",
            "isolated-nats: test `evidence::returns_an_error` returned an error: \"the order is missing\"; its nats-server 2.",
        ),
        ("hangs", "isolated-nats: test `evidence::hangs` timed out; its nats-server 2."),
    ] {
        let root = Scratch::new(test);
        let (passed, text) = Victim::run(&format!("evidence::{test}"), root.path(), &[]);
        assert!(!passed && text.contains(first), "{text}");
        assert_eq!(text.matches("isolated-nats: ").count(), 1, "said once: {text}");
        assert_kept(&root, &text);
    }
}

#[test]
fn a_timeout_says_which_limit_was_passed() {
    let root = Scratch::new("limit");
    let (_, text) = Victim::run("evidence::hangs", root.path(), &[("ISOLATED_NATS_TIME_FACTOR", "2")]);
    let expected = "test `evidence::hangs` did not end within its 400.0ms (raise `timeout`, or set ISOLATED_NATS_TIME_FACTOR)";
    assert!(text.contains(expected), "{text}");
}

#[test]
fn a_server_that_was_gone_before_the_test_failed_is_said_to_be() {
    let root = Scratch::new("gone");
    let (_, text) = Victim::run("evidence::its_server_dies", root.path(), &[]);
    assert!(text.contains(", killed by `kill`)\n"), "{text}");
}

#[test]
fn a_passed_test_prints_nothing_and_leaves_nothing() {
    for test in ["passes", "has_a_second_server_and_panics_as_expected"] {
        let root = Scratch::new("passed");
        let (passed, text) = Victim::run(&format!("evidence::{test}"), root.path(), &[]);
        assert!(passed && !text.contains("isolated-nats: "), "{text}");
        assert_eq!(root.servers(), Vec::<std::path::PathBuf>::new());
    }
}

/// A server by hand that has ended before the verdict is as much a part of the failed test as the attribute's own.
#[test]
fn a_failed_test_keeps_the_directories_of_all_its_servers() {
    let root = Scratch::new("second");
    let (passed, text) = Victim::run("evidence::has_a_second_server", root.path(), &[]);
    assert!(
        !passed && text.matches("returned an error: \"on purpose\"; its nats-server").count() == 2,
        "{text}"
    );
    assert_eq!(root.servers().len(), 2, "{text}");
}

/// `cargo test 2>&1 | head` closes it; the report must not take the other tests of the process with it.
#[cfg(unix)]
#[test]
fn a_closed_standard_error_fails_one_test_and_no_more() {
    use std::os::unix::process::ExitStatusExt;
    let root = Scratch::new("closed");
    let mut command = Victim::command("evidence::panics_by_hand", root.path());
    let mut child = command.spawn().unwrap();
    drop((child.stdout.take(), child.stderr.take()));
    let status = child.wait().unwrap();
    assert_eq!((status.signal(), status.success()), (None, false), "{status}");
}

#[test]
fn what_is_kept_can_be_chosen() {
    let root = Scratch::new("always");
    let (passed, text) = Victim::run("evidence::passes", root.path(), &[("ISOLATED_NATS_KEEP", "always")]);
    let kept = root.servers();
    assert!(passed && kept.len() == 1, "{text}");
    assert!(
        text.contains(&format!("isolated-nats: kept `{}` (ISOLATED_NATS_KEEP=always)\n", kept[0].display())),
        "{text}"
    );

    let root = Scratch::new("never");
    let (passed, text) = Victim::run("evidence::panics", root.path(), &[("ISOLATED_NATS_KEEP", "never")]);
    assert!(!passed && text.contains("  directory  not kept (ISOLATED_NATS_KEEP=never)\n"), "{text}");
    assert_eq!(root.servers(), Vec::<std::path::PathBuf>::new());
}
