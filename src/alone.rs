//! A process of one test's own: whether this is one, and making one by running the test again in a child process.
//!
//! The child is this program with arguments that name the one test, so that libtest runs it as ever: fixtures of rstest,
//! `#[should_panic]` and `Result` need nothing of their own here. What it prints comes through one pipe, in the order in
//! which it was printed, and is printed again in the parent, where libtest shows or hides it as it would the test's own.
//! The child puts marks into its output, which tell the test's own from libtest's ([`output`]):
//!
//! ```text
//! libtest's first lines, `begin`, (`body`), what the test prints, `end`, libtest's last lines
//! ```
//!
//! The child is tied to this process as a server is, before it becomes the program: it cannot outlive it.

mod child;
mod failure;
mod output;
mod parent;

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::time::Duration;

pub(crate) use child::{Told, aloud, body_begins};
pub(crate) use failure::Failure;
use parent::Order;

/// Why this process is one test's own, or as good as that for some purposes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alone {
    /// nextest makes a process for each test.
    Nextest,
    /// It was made by [`run_again`].
    Child,
    /// There is no libtest, which never runs a test on the main thread.
    Program,
    /// The tests come one after the other: nothing runs beside this one, but earlier ones have left their traces.
    Serial,
}

impl Alone {
    /// Whether no other test was or will be in this process.
    pub(crate) fn is_for_good(self) -> bool {
        self != Self::Serial
    }
}

impl fmt::Display for Alone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nextest => "nextest gives each test a process of its own",
            Self::Child => "the test has a process of its own",
            Self::Program => "the program has no other test",
            Self::Serial => "the tests run one after the other",
        })
    }
}

/// Says why nothing else runs in this process, if so; to be asked on the test's own thread.
pub(crate) fn alone() -> Option<Alone> {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let variable = |name: &str| std::env::var_os(name);
    if child::is_child() {
        Some(Alone::Child)
    } else if is_nextest(&arguments, variable("NEXTEST_EXECUTION_MODE").as_deref()) {
        Some(Alone::Nextest)
    } else if std::thread::current().name() == Some("main") {
        Some(Alone::Program)
    } else {
        is_serial(&arguments, variable("RUST_TEST_THREADS").as_deref()).then_some(Alone::Serial)
    }
}

/// The variable alone is not enough: a program that a test starts inherits it.
fn is_nextest(arguments: &[OsString], mode: Option<&OsStr>) -> bool {
    mode == Some(OsStr::new("process-per-test")) && arguments.iter().any(|argument| argument == "--exact")
}

/// libtest's own rule: the argument, in either form, wins over the variable.
fn is_serial(arguments: &[OsString], variable: Option<&OsStr>) -> bool {
    let argument = arguments.iter().enumerate().find_map(|(index, argument)| {
        let rest = argument.to_str()?.strip_prefix("--test-threads")?;
        if rest.is_empty() { arguments.get(index + 1)?.to_str() } else { rest.strip_prefix('=') }
    });
    argument.or(variable.and_then(OsStr::to_str)) == Some("1")
}

/// Runs this test in a process of its own, to its end; `name` is what the runner calls it, if the thread does not say.
pub(crate) fn run_again(name: &str, timeout: Option<Duration>) -> Result<(), Failure> {
    with_name(name, |name| parent::run(&Order { test: name, timeout, variables: &[], quiet: false }))
}

/// The same for what the test does besides: with further variables, and without printing what it prints.
pub(crate) fn run_quietly(
    name: &str,
    timeout: Option<Duration>,
    variables: &[(&str, &OsStr)],
) -> Result<(), Failure> {
    with_name(name, |name| parent::run(&Order { test: name, timeout, variables, quiet: true }))
}

fn with_name<T>(name: &str, run: impl FnOnce(&str) -> T) -> T {
    let thread = std::thread::current();
    run(thread.name().filter(|name| *name != "main").unwrap_or(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn os(arguments: &[&str]) -> Vec<OsString> {
        arguments.iter().map(OsString::from).collect()
    }

    #[test]
    fn tests_are_serial_by_an_argument_or_a_variable() {
        let is =
            |arguments: &[&str], variable: Option<&str>| is_serial(&os(arguments), variable.map(OsStr::new));
        assert!(is(&["--test-threads=1"], None) && is(&["a", "--test-threads", "1", "b"], None));
        assert!(is(&[], Some("1")) && is(&["--test-threads=1"], Some("8")));
        assert!(!is(&[], None) && !is(&[], Some("2")) && !is(&["1"], None));
        assert!(!is(&["--test-threads=2"], Some("1")) && !is(&["--test-threads", "10"], None));
    }

    #[test]
    fn nextest_is_told_from_what_one_of_its_tests_starts() {
        let mode = Some(OsStr::new("process-per-test"));
        assert!(is_nextest(&os(&["--exact", "a::b", "--nocapture"]), mode));
        assert!(!is_nextest(&os(&["a::b"]), mode) && !is_nextest(&os(&["--exact", "a::b"]), None));
    }
}
