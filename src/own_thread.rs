//! Blocking work for async callers, on a thread of ours: no blocking pool of a runtime that a test may have paused,
//! counted, or dropped.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use tokio::sync::oneshot;

use crate::memory;

/// Runs blocking work on a thread made for it, and completes with its result; a panic of the work goes on in the caller.
///
/// The work goes on when the future is dropped, and its result is dropped where it ends. Events are recorded where the
/// caller's would be.
pub(crate) async fn on_own_thread<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    let result = start(name, work);
    match result.await {
        Ok(Ok(value)) => value,
        Ok(Err(panic)) => resume_unwind(panic),
        Err(_) => unreachable!("the thread sends a result whatever the work does"),
    }
}

type Answer<T> = std::thread::Result<T>;

fn start<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> oneshot::Receiver<Answer<T>> {
    let _ours = memory::ours(); // the thread's, too
    let (sender, result) = oneshot::channel();
    let subscriber = tracing::dispatcher::get_default(Clone::clone);
    std::thread::Builder::new()
        .name(name.into())
        .spawn(move || {
            let result =
                tracing::dispatcher::with_default(&subscriber, || catch_unwind(AssertUnwindSafe(work)));
            drop(sender.send(result)); // nobody may be waiting any more
        })
        .expect("a thread can be started");
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_of_the_work_is_the_callers() {
        let work = tokio::spawn(on_own_thread("test", || panic!("the work failed")));
        let panic = work.await.unwrap_err().into_panic();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"the work failed"));
    }
}
