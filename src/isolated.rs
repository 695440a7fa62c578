//! The runtime half of the attribute: start the server, run the body, judge it, and leave evidence or nothing.
//!
//! The order of a test's end is fixed: the body's future is dropped, and with it its arguments in reverse order; then
//! comes the place for checks, while the runtime and the server still live; then the runtime ends, then the server.

mod body;
mod ceilings;
mod checks;
mod rounds;

use std::any::Any;
use std::fmt;
use std::panic::resume_unwind;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::alone::{self, Alone, Told};
use crate::environment;
use crate::evidence;
use crate::fixture::{FromTestError, TestContext};
use crate::leak::TaskPolicy;
use crate::panic::message;
use crate::process;
use crate::server::{ExternalNats, Scope, StartError, StartErrorKind};
use body::{HeldClock, run_body};
use checks::{Checks, TestRuntime};
use rounds::{Round, Rounds};

/// What the attribute knows of a test; written by its expansion.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "for the expansion alone; the options are documented on the attribute")]
pub struct Test {
    pub name: &'static str,
    pub jetstream: bool,
    pub config_file: Option<&'static str>,
    pub version: Option<&'static str>,
    pub flavor: Flavor,
    pub start_paused: bool,
    pub timeout: Option<Duration>,
    pub process: bool,
    pub max_peak_heap: Option<u64>,
    pub max_live_heap_growth: Option<u64>,
    pub max_rss_growth: Option<u64>,
    pub tasks: TaskPolicy,
    pub allow_tasks: usize,
    pub baseline: Option<&'static str>,
    pub rounds: usize,
    pub should_panic: ShouldPanic,
}

/// The runtime of a test.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "as above")]
pub enum Flavor {
    CurrentThread,
    MultiThread { worker_threads: Option<usize> },
}

/// Whether the runner expects a panic, and with what in its message.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "as above")]
pub enum ShouldPanic {
    No,
    Yes,
    With(&'static str),
}

/// What a test may return.
#[diagnostic::on_unimplemented(
    message = "a test cannot return `{Self}`",
    note = "it returns nothing, or a `Result` whose error is `Debug`"
)]
pub trait Outcome {
    /// The value of a test that passes without having run.
    fn passed() -> Self;
    /// What is wrong; `None` when the test passed.
    fn failure(&self) -> Option<String>;
}

impl Outcome for () {
    fn passed() -> Self {}

    fn failure(&self) -> Option<String> {
        None
    }
}

impl Outcome for ExitCode {
    fn passed() -> Self {
        Self::SUCCESS
    }

    fn failure(&self) -> Option<String> {
        (*self != Self::SUCCESS).then(|| format!("{self:?}"))
    }
}

impl<T: Outcome, E: fmt::Debug> Outcome for Result<T, E> {
    fn passed() -> Self {
        Ok(T::passed())
    }

    fn failure(&self) -> Option<String> {
        match self {
            Ok(value) => value.failure(),
            Err(error) => Some(format!("{error:?}")),
        }
    }
}

/// How a body ended.
enum End<R> {
    Returned(R),
    NoArguments(FromTestError),
    TimedOut(Duration),
    Panicked(Box<dyn Any + Send>),
    /// The body ended as it should; what it took is above a ceiling of the attribute, or it left something behind.
    Judged(String),
}

/// Runs a test; called by the attribute's expansion.
///
/// # Panics
///
/// When the body panics, when the server or an argument cannot be made, and when the time is over; but never in a test
/// that is expected to panic for another reason than the panic expected, or it would pass for the wrong reason.
#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "it is what the expansion writes")]
pub fn run<R: Outcome>(test: Test, body: impl AsyncFn(&TestContext) -> Result<R, FromTestError>) -> R {
    let name = runner_name(test.name);
    if test.process && !alone::alone().is_some_and(Alone::is_for_good) {
        return run_again(&test, name);
    }
    let _told = Told::begin();
    ceilings::prepare(&test);
    let mut rounds = match Rounds::of(&test) {
        Ok(rounds) => rounds,
        Err(why) => return fail(&test, &format!("test `{name}` cannot be compared: {why}")),
    };
    loop {
        let ran = match once(&test, name, &body) {
            Ok(ran) => ran,
            Err(ended) => return ended,
        };
        let Ran { end, server, scope, round } = ran;
        let passed = end.failure(&test, name).is_none();
        if let Some(rounds) = rounds.as_ref().filter(|_| !passed) {
            rounds.say_which(name);
        }
        match rounds.as_mut().filter(|_| passed) {
            None => return conclude(&test, name, server, scope, end),
            Some(rounds) => {
                rounds.take(round, &server);
                if rounds.are_over() {
                    let end = rounds.judge().map_or_else(End::Judged, |()| end);
                    return conclude(&test, name, server, scope, end);
                }
            }
        }
        drop(server);
        scope.give(None);
    }
}

/// A test that has run once.
struct Ran<R> {
    end: End<R>,
    server: ExternalNats,
    scope: Scope,
    round: Round,
}

/// Runs the test once, on a server and a runtime of its own; the error is how a test ends that could not begin.
#[track_caller]
fn once<R: Outcome>(
    test: &Test,
    name: &'static str,
    body: &impl AsyncFn(&TestContext) -> Result<R, FromTestError>,
) -> Result<Ran<R>, R> {
    let scope = Scope::enter();
    let server = match start(test, name) {
        Ok(server) => server,
        Err(error) if error.kind() == StartErrorKind::NoBinary && skips_without_server() => {
            let why =
                format!("isolated-nats: test `{name}` is skipped (ISOLATED_NATS_MISSING=skip): {error:?}\n");
            evidence::print_uncaptured(&why);
            return Err(pass(test, "skipped"));
        }
        Err(error) => return Err(fail(test, &format!("test `{name}` has no server: {error:?}"))),
    };
    let runtime = match TestRuntime::build(test) {
        Ok(runtime) => runtime,
        Err(error) => return Err(fail(test, &format!("test `{name}` has no runtime: {error}"))),
    };
    let checks = match Checks::start(test, name, &runtime.runtime) {
        Ok(checks) => checks,
        Err(why) => return Err(fail(test, &format!("test `{name}` cannot be measured: {why}"))),
    };
    let context = TestContext::new(name.to_owned(), server.clone());
    alone::body_begins();
    let (started, cpu) = (Instant::now(), process::thread_time());
    let end = run_body(test, &runtime.runtime, &context, body);
    let took = started.elapsed();
    // All of a runtime of one thread runs on this one, but for blocking work.
    let is_one = matches!(test.flavor, Flavor::CurrentThread);
    let cpu =
        cpu.zip(process::thread_time()).filter(|_| is_one).map(|(before, now)| now.saturating_sub(before));
    drop(context);
    // The body's locals and arguments have been dropped; what is checked now may need the runtime and the server.
    let workers = runtime.runtime.metrics().num_workers();
    let (end, memory) = checks.judge(test, name, runtime, end);
    Ok(Ran { end, server, scope, round: Round { took, cpu, memory, workers } })
}

/// Judges how the body ended, leaves the evidence of a failure, and hands the end on to the runner.
#[track_caller]
fn conclude<R: Outcome>(test: &Test, name: &str, server: ExternalNats, scope: Scope, end: End<R>) -> R {
    // Ceilings and leaks are about the test's own process: what the server has written does not explain them.
    let failure = end.failure(test, name).filter(|_| !matches!(end, End::Judged(_)));
    if let Some(what) = &failure {
        server.test_failed(what);
    }
    drop(server);
    scope.give(failure.as_deref());
    match end {
        End::Returned(value) => value,
        End::Panicked(panic) => resume_unwind(panic),
        End::Judged(why) => fail(test, &why),
        End::NoArguments(error) => fail(test, &format!("test `{name}` did not begin: {error:?}")),
        End::TimedOut(limit) => {
            let hint = if test.start_paused {
                "its clock is paused, and stands still until `tokio::time::advance` moves it: did it sleep?"
            } else {
                "raise `timeout`, or set ISOLATED_NATS_TIME_FACTOR"
            };
            fail(test, &format!("test `{name}` did not end within its {limit:.1?} ({hint})"))
        }
    }
}

impl<R: Outcome> End<R> {
    /// What the evidence of a failure is headed with; `None` when the test passed.
    fn failure(&self, test: &Test, name: &str) -> Option<String> {
        let what = match self {
            Self::Returned(value) => match value.failure() {
                Some(error) => format!("returned an error: {error}"),
                None if test.should_panic.is_expected() => "did not panic as expected".into(),
                None => return None,
            },
            Self::Panicked(panic) if test.should_panic.matches(&**panic) => return None,
            Self::Panicked(_) => "panicked".into(),
            Self::NoArguments(_) => "did not begin".into(),
            Self::TimedOut(_) => "timed out".into(),
            Self::Judged(_) => "is above its ceiling, or left something behind".into(),
        };
        Some(format!("test `{name}` {what}"))
    }
}

/// Runs the test in a process of its own, and passes on what came of it.
#[track_caller]
fn run_again<R: Outcome>(test: &Test, name: &str) -> R {
    match alone::run_again(name, test.timeout) {
        Ok(()) => pass(test, "passed in a process of its own"),
        Err(failure) => fail(test, &format!("test `{name}` {failure:?}")),
    }
}

/// Passes the test without running it here: where a panic is expected, by one, that nobody need see.
fn pass<R: Outcome>(test: &Test, how: &str) -> R {
    match test.should_panic {
        ShouldPanic::No => R::passed(),
        ShouldPanic::Yes => resume_unwind(Box::new(how.to_owned())),
        ShouldPanic::With(text) => resume_unwind(Box::new(format!("{how}, as if: {text}"))),
    }
}

/// Fails the test: by a panic, or, where a panic would pass for the one that is expected, by saying so and returning.
#[track_caller]
fn fail<R: Outcome>(test: &Test, what: &str) -> R {
    if test.should_panic.is_expected() {
        evidence::print(&format!("isolated-nats: {what}\n"));
        return R::passed();
    }
    panic!("{what}")
}

impl ShouldPanic {
    fn is_expected(self) -> bool {
        !matches!(self, Self::No)
    }

    /// Whether this is the panic that the runner expects, by the runner's own rule.
    fn matches(self, panic: &(dyn Any + Send)) -> bool {
        match self {
            Self::No => false,
            Self::Yes => true,
            Self::With(text) => message(panic).is_some_and(|message| message.contains(text)),
        }
    }
}

/// A test's name as its runner shows it: without the name of the crate.
fn runner_name(path: &'static str) -> &'static str {
    path.split_once("::").map_or(path, |(_, name)| name)
}

/// Whether `ISOLATED_NATS_MISSING=skip` asks to skip tests where no server can be found; they fail by default.
fn skips_without_server() -> bool {
    environment::is("ISOLATED_NATS_MISSING", "skip")
}

fn start(test: &Test, name: &str) -> Result<ExternalNats, StartError> {
    let mut builder = ExternalNats::builder().name(name);
    if test.jetstream {
        builder = builder.jetstream();
    }
    if let Some(version) = test.version {
        builder = builder.version(version);
    }
    if let Some(path) = test.config_file {
        builder = builder.config_file(path);
    }
    builder.start_blocking()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expected_panic_is_recognised_as_the_runner_does() {
        let text: Box<dyn Any + Send> = Box::new("the stream is missing");
        let string: Box<dyn Any + Send> = Box::new(String::from("the stream is missing"));
        let other: Box<dyn Any + Send> = Box::new(5);
        for panic in [&text, &string] {
            assert!(ShouldPanic::With("stream").matches(&**panic) && ShouldPanic::Yes.matches(&**panic));
            assert!(!ShouldPanic::With("bucket").matches(&**panic) && !ShouldPanic::No.matches(&**panic));
        }
        assert!(ShouldPanic::Yes.matches(&*other) && !ShouldPanic::With("").matches(&*other));
    }

    #[test]
    fn a_result_passes_only_when_it_is_ok_all_the_way() {
        assert_eq!(Ok::<_, String>(()).failure(), None);
        assert_eq!(Err::<(), _>("broken").failure().as_deref(), Some("\"broken\""));
        assert!(Ok::<_, String>(ExitCode::FAILURE).failure().is_some());
        assert_eq!(Result::<Result<(), u8>, u8>::passed(), Ok(Ok(())));
    }

    #[test]
    fn the_name_is_the_runners() {
        assert_eq!(runner_name("my_crate::orders::are_kept"), "orders::are_kept");
        assert_eq!(runner_name("alone"), "alone");
    }
}
