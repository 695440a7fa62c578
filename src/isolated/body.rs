//! The body of a test: run within its time, on a clock that stands still where it is paused.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::mpsc;
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

use super::{End, Outcome, Test, runner_name};
use crate::evidence;
use crate::fixture::{FromTestError, TestContext};
use crate::memory;
use crate::poll::{delay, scaled};

/// How long after its time a test may take to notice that it is over, before it is said that it blocks its thread.
const NOTICE_LIMIT: Duration = Duration::from_secs(2);

pub(super) fn run_body<R: Outcome>(
    test: &Test,
    runtime: &Runtime,
    context: &TestContext,
    body: &impl AsyncFn(&TestContext) -> Result<R, FromTestError>,
) -> End<R> {
    let _still = test.start_paused.then(|| HeldClock::new(runtime));
    let limit = test.timeout.map(scaled);
    let started = Instant::now();
    let _watch = limit.and_then(|limit| watch(test.name, limit));
    let ended = catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(async {
            let mut body = pin!(body(context));
            let mut over = pin!(delay(limit.unwrap_or(Duration::MAX)));
            std::future::poll_fn(|cx| match body.as_mut().poll(cx) {
                Poll::Ready(result) => Poll::Ready(Some(result)),
                Poll::Pending => over.as_mut().poll(cx).map(|()| None),
            })
            .await
        })
    }));
    let took = started.elapsed();
    match ended {
        // A body that blocks its thread is looked at only when it has returned: late is late all the same.
        Ok(Some(_)) if limit.is_some_and(|limit| took > limit) => End::TimedOut(limit.unwrap_or_default()),
        Ok(Some(Ok(value))) => End::Returned(value),
        Ok(Some(Err(error))) => End::NoArguments(error),
        Ok(None) => End::TimedOut(limit.unwrap_or_default()),
        Err(panic) => End::Panicked(panic),
    }
}

/// Keeps a paused clock still while the runtime waits for its sockets: tokio moves it on only when nothing at all is
/// under way, and a blocking task is. Without it, every timeout in the test would fire before a real server answers.
pub(super) struct HeldClock {
    _release: mpsc::Sender<()>,
}

impl HeldClock {
    pub(super) fn new(runtime: &Runtime) -> Self {
        let _ours = memory::ours(); // the thread's, too, if one is made for it
        let (release, released) = mpsc::channel::<()>();
        runtime.spawn_blocking(move || released.recv()); // until the sender is dropped
        Self { _release: release }
    }
}

/// Says so when a body that blocks its thread cannot be ended by its time limit; dropping the sender calls it off.
fn watch(name: &'static str, limit: Duration) -> Option<mpsc::Sender<()>> {
    let _ours = memory::ours(); // the thread's, too
    let (done, is_done) = mpsc::channel();
    let watcher = move || {
        let wait = limit.saturating_add(scaled(NOTICE_LIMIT));
        if is_done.recv_timeout(wait) == Err(mpsc::RecvTimeoutError::Timeout) {
            let name = runner_name(name);
            evidence::print_uncaptured(&format!(
                "isolated-nats: test `{name}` is past its time limit of {limit:.1?}, but blocks its thread and cannot be \
                 ended (use `.await`, or `spawn_blocking`)\n"
            ));
        }
    };
    std::thread::Builder::new().name("isolated-nats timeout".into()).spawn(watcher).is_ok().then_some(done)
}
