//! How a test ends that leaks: by hand, by its own panic, without a verdict. The victims run in processes of their own.

use std::future::pending;

use isolated_nats::leak_checked;

use crate::support::guard;
use crate::victim::{Scratch, Victim};

const LEAKS: u32 = line!() + 5;

#[tokio::test]
#[ignore = "a victim"]
async fn leaks() {
    leak_checked(async { drop(tokio::spawn(pending::<()>())) }).await;
}

const LEAKS_AND_PANICS: u32 = line!() + 6;

#[tokio::test]
#[ignore = "a victim"]
async fn leaks_and_panics() {
    leak_checked(async {
        tokio::spawn(pending::<()>());
        panic!("the body's own words");
    })
    .await;
}

const VERIFIES: u32 = line!() + 6;

#[tokio::test]
#[ignore = "a victim"]
async fn verifies() {
    let guard = guard();
    tokio::spawn(pending::<()>());
    guard.verify().await;
}

#[tokio::test]
#[ignore = "a victim"]
async fn panics_before_its_verdict() {
    let guard = guard();
    tokio::spawn(pending::<()>());
    assert_eq!(1, 2, "the test's own words");
    guard.verify().await;
}

const FORGETS: u32 = line!() + 6;

#[tokio::test]
#[ignore = "a victim"]
async fn forgets_the_verdict() {
    let _guard = guard();
    tokio::spawn(pending::<()>());
}

/// A line of this file as it is shown.
fn at(line: u32) -> String {
    format!("tests/leak/seeded/bodies.rs:{line}")
}

/// Runs a victim, and returns whether it passed and what it printed.
fn run(victim: &str) -> (bool, String) {
    let root = Scratch::new(victim);
    Victim::run(&format!("seeded::bodies::{victim}"), root.path(), &[])
}

#[test]
fn a_leak_fails_the_test() {
    let (passed, text) = run("leaks");
    assert!(!passed && text.contains(&at(LEAKS)) && text.contains("1 task"), "{text}");
    assert!(text.contains("seeded::bodies::leaks"), "{text}");
}

/// What the body says is what the test fails with; what it leaves is printed besides.
#[test]
fn the_bodys_own_panic_wins() {
    let (passed, text) = run("leaks_and_panics");
    assert!(!passed && text.contains(&format!("panicked at {}", at(LEAKS_AND_PANICS + 1))), "{text}");
    assert!(text.contains("the body's own words") && text.contains(&at(LEAKS_AND_PANICS)), "{text}");
    assert_eq!(text.matches("panicked at").count(), 1, "{text}");
}

/// With the line that asked for it.
#[test]
fn a_verdict_panics_with_the_report() {
    let (passed, text) = run("verifies");
    assert!(!passed && text.contains(&at(VERIFIES)), "{text}");
    assert!(text.contains(&format!("verified at {}", at(VERIFIES + 1))), "{text}");
}

#[test]
fn a_panic_before_the_verdict_is_left_alone() {
    let (passed, text) = run("panics_before_its_verdict");
    assert!(!passed && text.contains("the test's own words"), "{text}");
    assert_eq!(text.matches("panicked at").count(), 1, "{text}");
}

/// It says so, and the test passes all the same.
#[test]
fn a_guard_without_a_verdict_says_so() {
    let (passed, text) = run("forgets_the_verdict");
    assert!(passed && text.contains("without a verdict (await `verify()`)"), "{text}");
    assert!(text.contains("left behind 1 task\n") && text.contains(&at(FORGETS)), "{text}");
}
