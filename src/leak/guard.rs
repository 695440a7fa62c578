//! `LeakGuard`: from a baseline to a verdict.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::{AbortHandle, JoinHandle};

use super::builder::{LeakGuardBuilder, Settings};
use super::finding::NotChecked;
use super::judge::Judge;
use super::process::ProcessBaseline;
use super::report::LeakReport;
use super::server::ServerBaseline;
use super::settle;
use super::stuck::Stuck;
use super::tasks::TaskBaseline;
use super::waits::{self, Waits};
use crate::evidence;
use crate::poll::Deadline;

/// How often it is looked whether a task of ours has had its turn; on a runtime that is shut down it never has.
const MOST_TURNS: u32 = 100;

/// Finds what is left behind between its start and its verdict: tasks, threads, descriptors, child processes, and what was
/// made on a server.
///
/// Use [`leak_checked`] where a body can be wrapped: it drops the body's locals before it looks. A guard looks when it is asked,
/// and what is still in scope then counts:
///
/// ```
/// use isolated_nats::LeakGuard;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let guard = LeakGuard::new();
/// let worker = tokio::spawn(async { /* ... */ });
/// worker.await.unwrap();
/// guard.verify().await;
/// # }
/// ```
///
/// `#[isolated_nats]` checks the tasks of each of its tests without a guard.
///
/// # What is checked
///
/// - **Tasks** of the runtime in which the guard was started, and of a `LocalSet` on it, spawned since and not ended; closures of
///   `spawn_blocking` that have not returned; panics of tasks whose `JoinHandle` nobody held, and which nothing in the task caught.
///   The count is tokio's (`RuntimeMetrics::num_alive_tasks`). With the [`TrackingAllocator`](crate::TrackingAllocator) in the
///   test crate, each is shown with the line that spawned it and the user's own lines above that; local and blocking tasks, and
///   certainty about panics, need it too. Names and lines take debug information, as a test's profile has it, or `debug =
///   "line-tables-only"` in any other. Two guards at a time in one runtime see each other's tasks. A panic is not seen where the
///   program sets another panic hook afterwards without calling ours, nor where its handle was dropped only later.
/// - **Threads, descriptors, child processes**, where the process is the test's own: under nextest, with
///   `#[isolated_nats(process)]`, in [`run_alone`](LeakGuardBuilder::run_alone), in a program without libtest, and with
///   `--test-threads=1`. Elsewhere the report says "not checked: shared process". Source: Linux `/proc`.
/// - **On a server** given to [`LeakGuardBuilder::server`]: connections, subscriptions, streams, buckets, durable consumers.
///   Source: the server's monitoring port.
///
/// What ends by itself has 2 s (tasks), 5 s (blocking closures, the server) and 500 ms (threads, descriptors, children) for that,
/// multiplied by [`time_factor`](crate::time_factor). A check that passes takes a millisecond or so; where something in memory is in
/// doubt after 20 ms, names have to be looked up, which may take a second, once in a program. The wait yields and blocks, and never
/// parks the runtime, so that a paused clock does not move.
///
/// A guard that is dropped without a verdict prints that, past the runner's capture, and what is left at that moment; it never
/// panics. Where tasks have threads of their own it gives them 100 ms; while the test panics it does not wait.
#[derive(Debug)]
#[must_use = "nothing is checked until `verify().await`; bind it to a name"]
pub struct LeakGuard {
    pub(super) test: String,
    pub(super) settings: Settings,
    pub(super) tasks: Result<TaskBaseline, NotChecked>,
    /// `None` where it is not asked for.
    pub(super) process: Option<Result<ProcessBaseline, NotChecked>>,
    pub(super) server: Option<Result<ServerBaseline, NotChecked>>,
    pub(super) background: Mutex<Vec<AbortHandle>>,
    pub(super) is_judged: bool,
}

impl LeakGuard {
    /// Starts a guard with the defaults, in the runtime in which it is called.
    #[expect(clippy::new_without_default, reason = "what begins to watch should say so")]
    pub fn new() -> Self {
        Self::builder().start()
    }

    /// Returns a builder, to ask for a server, allowances and limits.
    pub fn builder() -> LeakGuardBuilder {
        LeakGuardBuilder::default()
    }

    /// Says that a task, spawned since the guard's start, is meant to run on: it is not counted while it runs.
    pub fn background<T>(&self, task: &JoinHandle<T>) {
        self.background_task(task.abort_handle());
    }

    /// The same by an `AbortHandle`, as `JoinSet::spawn` returns it.
    pub fn background_task(&self, task: AbortHandle) {
        self.lock_background().push(task);
    }

    /// Waits until the task of ours has ended by which the guard learned to read the runtime's memory.
    pub(super) async fn let_begin(&self) {
        if let Ok(tasks) = &self.tasks {
            let mut turns = 0;
            settle::settle(|| {
                turns += 1;
                tasks.has_begun() || turns > MOST_TURNS
            })
            .await;
        }
    }

    /// Waits until what ends by itself has ended, and panics with the report if something is left.
    ///
    /// # Panics
    ///
    /// When something is left behind.
    ///
    /// # Cancel safety
    ///
    /// A guard whose verdict is not awaited to its end has given none, and says so.
    #[track_caller]
    pub fn verify(self) -> impl Future<Output = ()> {
        let caller = Location::caller();
        async move {
            if let Err(report) = self.check().await {
                panic!("{report}\n(verified at {caller})");
            }
        }
    }

    /// The same, with the report as a value.
    ///
    /// # Errors
    ///
    /// The report, when something is left behind.
    pub async fn check(self) -> Result<(), LeakReport> {
        let report = self.report().await;
        if report.is_clean() {
            report.print_remarks();
            return Ok(());
        }
        Err(report)
    }

    /// The same, with the report whatever was found: it also says what is no leak, what was not checked, and which allowances
    /// were of no use.
    pub async fn report(mut self) -> LeakReport {
        let mut judge = Judge::of(&self);
        let has_more = self.tasks.as_ref().is_ok_and(TaskBaseline::has_more);
        let stuck = has_more.then(|| Stuck::watch(&self.test));
        settle::settle(|| judge.is_over()).await;
        drop(stuck);
        let waits = match judge.runtime() {
            Some(runtime) => waits::waits(&runtime).await,
            None => Waits::new(),
        };
        let report = judge.report(&waits);
        self.is_judged = true;
        report
    }

    pub(super) fn lock_background(&self) -> std::sync::MutexGuard<'_, Vec<AbortHandle>> {
        self.background.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for LeakGuard {
    fn drop(&mut self) {
        if self.is_judged {
            return;
        }
        let panics = std::thread::panicking();
        let why = if panics { "by a panic" } else { "without a verdict (await `verify()`)" };
        // Where tasks have threads of their own, they may end while this one waits.
        let has_threads = Handle::try_current()
            .map_or(true, |runtime| runtime.runtime_flavor() == RuntimeFlavor::MultiThread);
        let can_settle = !panics && has_threads && tokio::runtime::worker_index().is_none();
        let mut judge = Judge::of(self);
        if can_settle {
            let limit = Deadline::after(DROP_LIMIT);
            settle::settle_blocking(|| judge.is_over() || limit.is_over());
        }
        let report = judge.report(&Waits::new());
        let text = if report.is_clean() {
            format!("isolated-nats: the LeakGuard of test `{}` was dropped {why}\n", self.test)
        } else {
            let note = if can_settle { "" } else { NOT_SETTLED };
            format!(
                "isolated-nats: the LeakGuard of test `{}` was dropped {why}; at that moment:\n{report}\n{note}",
                self.test
            )
        };
        if panics { evidence::print(&text) } else { evidence::print_uncaptured(&text) }
    }
}

/// How long a guard that is dropped without a verdict waits.
const DROP_LIMIT: Duration = Duration::from_millis(100);
const NOT_SETTLED: &str =
    "  (nothing could end while the guard was dropped: some of it may be about to; `leak_checked` waits)\n";

impl LeakGuardBuilder {
    /// Runs the body, drops its locals, waits until what ends by itself has ended, and returns what the body returned, which is
    /// still alive while it looks.
    ///
    /// A body that panics, or returns an `Err`, does so here too: what it left is then printed, and hides neither.
    ///
    /// # Panics
    ///
    /// When something is left behind, and when the body panics.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the body, and gives no verdict.
    #[track_caller]
    pub fn run<T>(self, body: impl Future<Output = T>) -> impl Future<Output = T> {
        let caller = Location::caller();
        async move {
            let guard = self.start_flushed().await;
            let ended = caught(body).await;
            let report = guard.report().await;
            match ended {
                Err(panic) => {
                    evidence::print(&report.after_failure("panicked"));
                    resume_unwind(panic)
                }
                Ok(value) if is_err(&value) => {
                    evidence::print(&report.after_failure("returned an error"));
                    value
                }
                Ok(_) if !report.is_clean() => panic!("{report}\n(checked at {caller})"),
                Ok(value) => {
                    report.print_remarks();
                    value
                }
            }
        }
    }
}

/// Runs the body, drops its locals, waits until what ends by itself has ended, and checks that nothing is left: the form to use
/// by hand.
///
/// It is [`LeakGuardBuilder::run`] with the defaults.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let sum = isolated_nats::leak_checked(async {
///     let worker = tokio::spawn(async { 2 + 3 });
///     worker.await.unwrap()
/// })
/// .await;
/// assert_eq!(sum, 5);
/// # }
/// ```
///
/// # Panics
///
/// When something is left behind, and when the body panics.
#[track_caller]
pub fn leak_checked<T>(body: impl Future<Output = T>) -> impl Future<Output = T> {
    LeakGuard::builder().run(body)
}

/// Runs a future to its end or its panic, and drops it.
async fn caught<T>(body: impl Future<Output = T>) -> Result<T, Box<dyn Any + Send>> {
    let mut body = pin!(body);
    std::future::poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| body.as_mut().poll(cx))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
        Err(panic) => Poll::Ready(Err(panic)),
    })
    .await
}

/// Whether a value is an `Err`, whatever it is an error of: of a type that is a `Result`, the second variant.
fn is_err<T>(value: &T) -> bool {
    let variant = format!("{:?}", std::mem::discriminant(value));
    let err = format!("{:?}", std::mem::discriminant(&Err::<(), ()>(())));
    std::any::type_name::<T>().starts_with("core::result::Result<") && variant == err
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_from_all_else() {
        assert!(is_err(&Err::<u8, String>("broken".into())) && is_err(&Err::<(), ()>(())));
        assert!(!is_err(&Ok::<u8, String>(1)) && !is_err(&()) && !is_err(&Some(1)) && !is_err(&None::<u8>));
    }
}
