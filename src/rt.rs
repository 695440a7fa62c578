//! The check of tasks for plain `#[tokio::test]`, by one argument: `#[tokio::test(crate = "isolated_nats::rt")]`.
//!
//! A test that passes must leave no task behind; it fails with a report otherwise, as with `#[isolated_nats]`, whose
//! documentation says what is looked at, and when. All other arguments of `#[tokio::test]` are as ever: `flavor`,
//! `worker_threads`, `start_paused`, `name`. So are the clock, and how the runtime is built.
//!
//! # Examples
//!
//! ```
//! #[tokio::test(crate = "isolated_nats::rt")]
//! async fn the_worker_is_waited_for() -> Result<(), tokio::task::JoinError> {
//!     let worker = tokio::spawn(async { 6 * 7 });
//!     assert_eq!(worker.await?, 42); // without it, and with a worker that goes on: "1 task"
//!     Ok(())
//! }
//! # // What the attribute writes, since no test is run here.
//! # fn main() -> Result<(), tokio::task::JoinError> {
//! #     use isolated_nats::rt::runtime::Builder;
//! #     Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! #         assert_eq!(tokio::spawn(async { 6 * 7 }).await?, 42);
//! #         Ok(())
//! #     })
//! # }
//! ```
//!
//! - A test that fails by a panic or an `Err` fails with that, and what it left is printed beside it. A test returns nothing,
//!   an `ExitCode` or a `Result` whose error is `Debug`.
//! - With `#[should_panic]` a leak is a panic like any other: give it `expected = ".."`.
//! - At the end the runtime is given 5 s for work that blocks, where tokio waits for ever; what goes on is a leak.
//! - The report has the lines that spawned the tasks when the test crate has the tracking allocator
//!   ([`TrackingAllocator`](crate::TrackingAllocator)).
//! - There are no allowances here. [`LeakGuard`](crate::LeakGuard) has them, and `#[isolated_nats]` has options.
//!
//! What is here has the names that the expansion of `#[tokio::test]` uses, and is meant for nothing else; it is not meant for
//! `#[tokio::main]` either.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;
use std::time::Duration;

use tokio::runtime::Handle;

use crate::isolated::Outcome;
use crate::leak::{self, RuntimeThreads, TaskPolicy, WholeTest};

#[doc(hidden)]
pub use tokio::pin;

pub mod runtime;

/// What both kinds of tokio's runtimes have.
trait Runs {
    fn handle(&self) -> &Handle;
    fn block_on<F: Future>(&self, future: F) -> F::Output;
    fn shutdown_timeout(self, limit: Duration);
}

macro_rules! runs {
    ($($runtime:ty),*) => { $(
        impl Runs for $runtime {
            fn handle(&self) -> &Handle {
                self.handle()
            }

            fn block_on<F: Future>(&self, future: F) -> F::Output {
                self.block_on(future)
            }

            fn shutdown_timeout(self, limit: Duration) {
                self.shutdown_timeout(limit);
            }
        }
    )* };
}
runs!(tokio::runtime::Runtime, tokio::runtime::LocalRuntime);

/// Runs a test's body, looks at what it left, and ends the runtime.
#[track_caller]
fn run<F>(runtime: impl Runs, threads: &RuntimeThreads, body: F) -> F::Output
where
    F: Future,
    F::Output: Outcome,
{
    let thread = thread::current();
    let test = thread.name().unwrap_or("main");
    let whole = WholeTest::start(test, runtime.handle(), TaskPolicy::Deny, 0);
    if let Some(whole) = &whole {
        runtime.block_on(whole.begin());
    }
    let ended = catch_unwind(AssertUnwindSafe(|| runtime.block_on(body)));
    let passed = ended.as_ref().is_ok_and(|value| value.failure().is_none());
    let left = whole.map(|whole| runtime.block_on(whole.look()));
    let threads = threads.end(|limit| runtime.shutdown_timeout(limit));
    let left =
        left.and_then(|left| leak::weigh(leak::with_threads(left, threads, 0), TaskPolicy::Deny, passed));
    match (ended, left) {
        (Err(panic), _) => resume_unwind(panic),
        (Ok(_), Some(left)) => panic!("{left}"),
        (Ok(value), None) => value,
    }
}
