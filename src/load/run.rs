//! A run under way.

use std::fmt;
use std::sync::Arc;

use super::engine::{Running, Shared, snapshot};
use super::error::LoadError;
use super::report::LoadReport;
use super::snapshot::LoadSnapshot;

/// A run under way, made by [`LoadGeneratorBuilder::start`](super::LoadGeneratorBuilder::start). Dropped, it is ended without a report: its
/// tasks are told to end, and end when the runtime next runs them.
#[derive(Debug)]
#[must_use = "a run that is dropped is ended: bind it to a name, and `finish` it"]
pub struct LoadRun {
    running: Running,
}

/// Looks at a run and ends it, from anywhere.
#[derive(Clone)]
pub struct LoadHandle {
    shared: Arc<Shared>,
}

impl LoadRun {
    pub(super) fn new(running: Running) -> Self {
        Self { running }
    }

    /// Returns a handle, with which others can look at the run and end it.
    #[must_use]
    pub fn handle(&self) -> LoadHandle {
        LoadHandle { shared: Arc::clone(&self.running.shared) }
    }

    /// Returns what the run has done so far.
    #[must_use]
    pub fn snapshot(&self) -> LoadSnapshot {
        snapshot(&self.running.shared)
    }

    /// Waits for the end of the run.
    ///
    /// # Errors
    ///
    /// [`LoadErrorKind::NoRuntime`](super::LoadErrorKind::NoRuntime) when the runtime was shut down meanwhile.
    ///
    /// # Panics
    ///
    /// Goes on with a panic of the generator itself; those of operations are counted.
    pub async fn finish(mut self) -> Result<LoadReport, LoadError> {
        match (&mut self.running.driver).await {
            Ok(report) => Ok(report),
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(LoadError::new(
                    super::LoadErrorKind::NoRuntime,
                    "the runtime was shut down during the run (keep it until `finish` returns)",
                )),
            },
        }
    }
}

impl Drop for LoadRun {
    fn drop(&mut self) {
        self.running.driver.abort();
    }
}

impl LoadHandle {
    /// Returns what the run has done so far; after its end, what it did.
    #[must_use]
    pub fn snapshot(&self) -> LoadSnapshot {
        snapshot(&self.shared)
    }

    /// Ends the run as if its schedule were over: what is in flight may still end.
    pub fn stop(&self) {
        self.shared.stop_because("by its handle");
    }
}

impl fmt::Debug for LoadHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadHandle").finish_non_exhaustive()
    }
}
