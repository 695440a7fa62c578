//! `#[isolated_nats(process)]`: the test runs again in a process of its own.
#![cfg(unix)]

use std::path::Path;
use std::process::{Command, Stdio, id};
use std::time::Duration;

use isolated_nats::{ExternalNats, TestName, eventually, isolated_nats};
use rstest::rstest;

use crate::support::{LONG, Scratch, Victim, is_gone, wait_gone};

// ---- tests as users write them ----

#[isolated_nats(process)]
async fn all_that_a_test_can_take_is_there(client: async_nats::Client, name: TestName) -> Result<(), String> {
    assert_eq!(name.as_str(), "alone::all_that_a_test_can_take_is_there");
    assert_eq!(std::thread::current().name(), Some(name.as_str()));
    assert_eq!(std::env::current_dir().unwrap(), Path::new(env!("CARGO_MANIFEST_DIR")));
    client.flush().await.map_err(|error| error.to_string())
}

#[isolated_nats(process, flavor = "multi_thread", worker_threads = 2, timeout = "5m")]
async fn the_other_runtime_works_too(client: async_nats::Client) {
    tokio::spawn(async move { client.flush().await.unwrap() }).await.unwrap();
}

#[isolated_nats(process)]
#[should_panic]
async fn any_panic_is_expected() {
    panic!("on purpose");
}

#[isolated_nats(process)]
#[should_panic(expected = "the stream")]
async fn a_certain_panic_is_expected() {
    panic!("the stream is missing");
}

/// libtest's two threads, and those of ours that the server needs.
#[cfg(target_os = "linux")]
#[isolated_nats(process)]
async fn no_other_test_is_in_the_process() {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().map(|entry| entry.unwrap().path().join("comm"));
    let names: Vec<String> = tasks.filter_map(|path| std::fs::read_to_string(path).ok()).collect();
    assert_eq!(names.iter().filter(|name| !name.starts_with("isolated-nats")).count(), 2, "{names:?}");
}

#[cfg(target_os = "linux")]
#[rstest]
#[case::first(1)]
#[case::second(2)]
#[isolated_nats::test(process)]
async fn a_case_is_found(#[ignore] name: TestName, #[case] case: u32, #[values("a b", "c")] text: &str) {
    let case = if case == 1 { "case_1_first::" } else { "case_2_second::" };
    assert!(
        name.as_str().contains(case) && std::env::args().any(|argument| argument == name.as_str()),
        "{text}"
    );
}

mod module {
    mod within {
        use isolated_nats::isolated_nats;

        #[isolated_nats(process)]
        async fn is_found() {
            let first = std::env::args().nth(1);
            // Or as nextest starts it.
            assert!(first.is_some_and(|name| name == "alone::module::within::is_found" || name == "--exact"));
        }
    }
}

// ---- victims: run by the tests below, in a process of their own and a further one ----

#[isolated_nats(process)]
#[ignore = "a victim"]
async fn passes(nats: ExternalNats) {
    println!("to one, CHILD {} {}", id(), nats.pid());
    eprintln!("to the other");
    print!("without an end");
}

#[isolated_nats(process)]
#[ignore = "a victim"]
async fn panics() {
    println!("before");
    panic!("the order\nis missing");
}

#[isolated_nats(process)]
#[ignore = "a victim"]
async fn returns_an_error(_nats: ExternalNats) -> Result<(), String> {
    Err("the order is missing".into())
}

#[isolated_nats(process)]
#[should_panic]
#[ignore = "a victim"]
async fn expects_a_panic_and_returns() {}

#[isolated_nats(process)]
#[should_panic(expected = "the stream")]
#[ignore = "a victim"]
async fn expects_another_panic() {
    panic!("the bucket is missing");
}

#[isolated_nats(process)]
#[ignore = "a victim"]
async fn ends_its_process() {
    println!("before");
    match std::env::var("VICTIM").unwrap().as_str() {
        "abort" => std::process::abort(),
        code => std::process::exit(code.parse().unwrap()),
    }
}

#[isolated_nats(process)]
#[should_panic]
#[ignore = "a victim"]
async fn expects_a_panic_and_ends_its_process() {
    std::process::exit(0);
}

#[isolated_nats(process, timeout = "100ms")]
#[ignore = "a victim"]
async fn waits_too_long() {
    std::future::pending::<()>().await;
}

#[isolated_nats(process, timeout = "100ms")]
#[ignore = "a victim"]
async fn blocks_its_thread(nats: ExternalNats) {
    println!("CHILD {} {}", id(), nats.pid());
    loop {
        std::thread::park();
    }
}

#[isolated_nats(process)]
#[ignore = "a victim"]
async fn waits_for_ever(nats: ExternalNats) {
    println!("READY {} {}", id(), nats.pid());
    std::future::pending::<()>().await;
}

#[isolated_nats(process)]
#[ignore = "a victim"]
#[expect(clippy::zombie_processes, reason = "what a test does that should not")]
async fn leaves_a_process_with_its_output() {
    let child = Command::new("sleep").arg("600").spawn().unwrap();
    println!("CHILD {} {}", id(), child.id());
}

#[test]
#[ignore = "a victim"]
fn cannot_be_run_again() {
    std::fs::remove_file(std::env::current_exe().unwrap()).unwrap();
    passes();
}

#[test]
#[ignore = "a victim"]
fn calls_one_that_is_alone() {
    std::thread::Builder::new().name("of mine".into()).spawn(passes).unwrap().join().unwrap();
}

/// Each waits for the other.
mod pair {
    use super::*;

    async fn meet(mine: &str, other: &str) {
        let directory = std::path::PathBuf::from(std::env::var_os("VICTIM").unwrap());
        std::fs::write(directory.join(mine), "").unwrap();
        let path = directory.join(other);
        eventually("the other is there", LONG, async || path.try_exists().map(|is| is.then_some(())))
            .await
            .unwrap();
    }

    #[isolated_nats(process)]
    #[ignore = "a victim"]
    async fn one() {
        meet("one", "two").await;
    }

    #[isolated_nats(process)]
    #[ignore = "a victim"]
    async fn two() {
        meet("two", "one").await;
    }
}

fn run(test: &str, variables: &[(&str, &str)]) -> (bool, String) {
    let root = Scratch::new(test);
    Victim::run(&format!("alone::{test}"), root.path(), variables)
}

/// The two process ids that a victim says.
fn pids(text: &str) -> (u32, u32) {
    let (_, rest) = text.split_once("CHILD ").unwrap_or_else(|| panic!("no pids in {text}"));
    let mut numbers = rest.split_whitespace().map(|number| number.parse().unwrap());
    (numbers.next().unwrap(), numbers.next().unwrap())
}

/// Runs a victim as `cargo test` does, without `--nocapture`.
fn captured(test: &str, filter: &[&str]) -> (bool, String) {
    let root = Scratch::new(test);
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(filter).arg(format!("alone::{test}"));
    command.env("ISOLATED_NATS_DIR", root.path()).env("RUST_BACKTRACE", "0");
    command.env_remove("NEXTEST_EXECUTION_MODE").env_remove("ISOLATED_NATS_KEEP");
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    (output.status.success(), text.into_owned())
}

#[test]
fn a_test_runs_in_another_process_and_prints_what_it_prints_in_order() {
    let root = Scratch::new("passes");
    let victim = Victim::command("alone::passes", root.path()).spawn().unwrap();
    let parent = victim.id();
    let output = victim.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (child, server) = pids(&text);
    assert!(output.status.success() && child != parent, "{text}");
    let (_, rest) = text.split_once(&format!("to one, CHILD {child} {server}\n")).unwrap();
    assert!(rest.starts_with("to the other\nwithout an end\nok\n"), "{text}");
    assert_eq!(text.matches("running 1 test").count(), 1, "{text}");
    assert_eq!(text.matches("test result").count(), 1, "{text}");
    assert!(is_gone(child) && is_gone(server));
    assert_eq!(root.servers(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn the_output_is_shown_when_the_test_fails_and_not_otherwise() {
    let (passed, text) = captured("passes", &["--exact", "--ignored"]);
    assert!(passed && text.contains("1 passed") && !text.contains("CHILD"), "{text}");

    let (passed, text) = captured("panics", &["--exact", "--ignored"]);
    assert!(!passed && text.contains("---- alone::panics stdout ----\nbefore\n"), "{text}");
    assert_eq!(text.matches("test result").count(), 1, "{text}");

    let (passed, text) = captured("passes", &["--exact"]);
    assert!(passed && text.contains("1 ignored"), "{text}");
}

#[test]
fn a_failure_is_said_with_its_message_and_its_evidence() {
    let (passed, text) = run("panics", &[]);
    assert!(!passed && text.contains("is missing\nnote:"), "{text}");
    let said = "test `alone::panics` failed in a process of its own (pid ";
    assert!(text.contains(said) && text.contains("): the order\n"), "{text}");

    let (passed, text) = run("returns_an_error", &[]);
    let said = "test `alone::returns_an_error` failed in a process of its own (pid ";
    assert!(!passed && text.contains(said) && text.contains("): \"the order is missing\"\n"), "{text}");
    assert!(text.contains("(kept)\n  reopen "), "{text}");
}

#[test]
fn a_panic_that_does_not_come_or_is_another_fails_the_test() {
    for (test, said) in [
        ("expects_a_panic_and_returns", "): test did not panic as expected at "),
        ("expects_another_panic", "): the bucket is missing\n"),
        ("expects_a_panic_and_ends_its_process", ") ended with exit status: 0 (does something"),
    ] {
        let (passed, text) = run(test, &[]);
        assert!(!passed && text.contains(said), "{test}: {text}");
        assert!(text.contains(&format!("isolated-nats: test `alone::{test}` ")), "{text}");
        assert!(text.contains("note: test did not panic as expected at tests/"), "{text}");
    }
}

#[test]
fn a_process_that_ends_before_its_test_fails_it() {
    for (how, status) in [
        ("0", "exit status: 0"),
        ("3", "exit status: 3"),
        ("101", "exit status: 101"),
        ("abort", "signal: 6 (SIGABRT)"),
    ] {
        let (passed, text) = run("ends_its_process", &[("VICTIM", how)]);
        let said = "test `alone::ends_its_process` was not over when its own process (pid ";
        assert!(!passed && text.contains("before\n") && text.contains(said), "{how}: {text}");
        assert!(text.contains(&format!(") ended with {status}")), "{how}: {text}");
    }
}

#[test]
fn a_time_limit_holds_in_the_child_and_ends_one_that_blocks() {
    let (passed, text) = run("waits_too_long", &[]);
    assert!(
        !passed && text.contains("): test `alone::waits_too_long` did not end within its 100.0ms"),
        "{text}"
    );

    let (passed, text) = run("blocks_its_thread", &[("ISOLATED_NATS_TIME_FACTOR", "0.1")]);
    assert!(
        !passed && text.contains("test `alone::blocks_its_thread` did not end within 10.0ms, and its"),
        "{text}"
    );
    assert!(text.contains("but blocks its thread"), "the child says it too: {text}");
    let (child, _server) = pids(&text);
    assert!(is_gone(child));
}

#[test]
fn what_a_test_leaves_running_does_not_hold_it_up() {
    let (passed, text) = run("leaves_a_process_with_its_output", &[]);
    let (_, left) = pids(&text);
    let left = rustix::process::Pid::from_raw(left.try_into().unwrap()).unwrap();
    rustix::process::kill_process(left, rustix::process::Signal::KILL).unwrap();
    assert!(passed, "{text}");
}

#[tokio::test]
async fn neither_child_nor_server_outlives_a_parent_that_is_killed() {
    for lifeline in ["death-signal", "watcher"] {
        let root = Scratch::new(lifeline);
        let mut command = Victim::command("alone::waits_for_ever", root.path());
        command.env("ISOLATED_NATS_LIFELINE", lifeline);
        let (mut victim, ready) = Victim::start(command);
        let pids: Vec<u32> = ready.split(' ').map(|pid| pid.parse().unwrap()).collect();
        assert!(pids.len() == 2 && !pids.contains(&victim.0.id()));
        assert!(pids.iter().all(|pid| !is_gone(*pid)), "{pids:?}");
        victim.0.kill().unwrap();
        victim.0.wait().unwrap();
        for pid in pids {
            wait_gone(pid, LONG).await;
        }
    }
}

/// Killed at any moment of a child's start; a process is found by the directory of its program.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_sudden_end_at_any_moment_leaves_no_child() {
    let (root, program) = Scratch::with_this_program("sudden");
    let like = Victim::command("alone::waits_for_ever", root.path());
    for round in 0..30_u32 {
        let mut command = Command::new(&program);
        command
            .args(like.get_args())
            .env("ISOLATED_NATS_DIR", root.path())
            .env_remove("NEXTEST_EXECUTION_MODE");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut victim = Victim(command.spawn().unwrap());
        // A moment within the first 40 ms; 7 919 is prime, so that they spread.
        let moment = std::time::Instant::now() + Duration::from_micros(u64::from(round * 7919 % 40_000));
        while std::time::Instant::now() < moment {
            std::thread::yield_now();
        }
        victim.0.kill().unwrap();
        victim.0.wait().unwrap();
    }
    let path = root.path().to_str().unwrap();
    eventually("no process is left", LONG, async || match crate::support::processes_with(path).as_slice() {
        [] => Ok(()),
        left => Err(format!("{left:?}")),
    })
    .await
    .unwrap();
}

#[test]
fn two_run_at_once() {
    let root = Scratch::new("pair");
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["alone::pair::", "--include-ignored", "--test-threads=2"]);
    command.env("ISOLATED_NATS_DIR", root.path()).env("VICTIM", root.path());
    command.env_remove("NEXTEST_EXECUTION_MODE");
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("2 passed"), "{text}");
}

#[test]
fn a_skipped_test_says_so_past_the_capture() {
    let root = Scratch::new("skipped");
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "alone::a_certain_panic_is_expected"]).env("ISOLATED_NATS_DIR", root.path());
    command.env_remove("NEXTEST_EXECUTION_MODE").env_remove("ISOLATED_NATS_URL");
    command.envs([
        ("ISOLATED_NATS_SOURCES", "path"),
        ("PATH", "/nowhere"),
        ("ISOLATED_NATS_MISSING", "skip"),
    ]);
    let output = command.env_remove("ISOLATED_NATS_SERVER").output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    assert!(
        text.starts_with("isolated-nats: test `alone::a_certain_panic_is_expected` is skipped ("),
        "{text}"
    );
}

#[test]
fn a_program_may_be_anywhere_but_must_be_there() {
    let (root, program) = Scratch::with_this_program("link");
    let run = |test: &str| {
        let like = Victim::command(test, root.path());
        let mut command = Command::new(&program);
        command
            .args(like.get_args())
            .env("ISOLATED_NATS_DIR", root.path())
            .env_remove("NEXTEST_EXECUTION_MODE");
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        (output.status.success(), text.into_owned())
    };
    let (passed, text) = run("alone::passes");
    assert!(passed && pids(&text).0 != 0, "{text}");

    let (passed, text) = run("alone::cannot_be_run_again");
    let said = "test `alone::passes` has no process of its own: `";
    assert!(
        !passed && text.contains(said) && text.contains("cannot be executed (was it built anew"),
        "{text}"
    );
}

/// libtest finds a test by its name, which the thread has.
#[test]
fn a_test_called_on_another_thread_says_what_is_wrong() {
    let (passed, text) = run("calls_one_that_is_alone", &[]);
    let said = "test `alone::passes` was not the one test that ran in a process of its own (pid ";
    assert!(!passed && text.contains(said), "{text}");
}
