//! The tasks of a whole test, by the attribute and by `rt`.

use tokio::runtime::Handle;

use super::guard::LeakGuard;
use super::report::LeakReport;

/// What becomes of a test that leaves tasks behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "for the expansion alone; the option is documented on the attribute")]
pub enum TaskPolicy {
    Deny,
    Warn,
    Off,
}

/// A test whose tasks are watched.
#[derive(Debug)]
pub(crate) struct WholeTest {
    guard: LeakGuard,
}

impl WholeTest {
    /// Begins to watch, before the test's arguments are made; `None` when it is off.
    pub(crate) fn start(
        test: &str,
        runtime: &Handle,
        policy: TaskPolicy,
        allow_tasks: usize,
    ) -> Option<Self> {
        let guard = || LeakGuard::builder().allow_tasks(allow_tasks).start_on(test, runtime);
        (policy != TaskPolicy::Off).then(|| Self { guard: guard() })
    }

    /// To be run in the runtime before anything of the test is.
    pub(crate) async fn begin(&self) {
        self.guard.let_begin().await;
    }

    /// Waits and looks, in the runtime, when the body's locals and arguments have been dropped.
    pub(crate) async fn look(self) -> LeakReport {
        self.guard.report().await
    }

    /// Says nothing of a test that had no occasion to clean up.
    pub(crate) fn dismiss(mut self) {
        self.guard.is_judged = true;
    }
}
