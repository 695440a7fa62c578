//! Look-alikes of tokio's runtimes and their builder.

use std::future::Future;
use std::io;

use crate::isolated::Outcome;
use crate::leak::RuntimeThreads;

#[doc(hidden)]
pub use tokio::runtime::LocalOptions;
#[cfg(tokio_unstable)]
#[doc(hidden)]
pub use tokio::runtime::UnhandledPanic;

/// Builds a runtime for one test.
#[derive(Debug)]
pub struct Builder(tokio::runtime::Builder);

#[doc(hidden)]
impl Builder {
    #[must_use]
    pub fn new_current_thread() -> Self {
        Self(tokio::runtime::Builder::new_current_thread())
    }

    #[must_use]
    pub fn new_multi_thread() -> Self {
        Self(tokio::runtime::Builder::new_multi_thread())
    }

    pub fn worker_threads(&mut self, count: usize) -> &mut Self {
        self.0.worker_threads(count);
        self
    }

    pub fn start_paused(&mut self, paused: bool) -> &mut Self {
        self.0.start_paused(paused);
        self
    }

    pub fn name(&mut self, name: impl Into<String>) -> &mut Self {
        self.0.name(name);
        self
    }

    #[cfg(tokio_unstable)]
    pub fn unhandled_panic(&mut self, behavior: UnhandledPanic) -> &mut Self {
        self.0.unhandled_panic(behavior);
        self
    }

    pub fn enable_all(&mut self) -> &mut Self {
        self.0.enable_all();
        self
    }

    pub fn build(&mut self) -> io::Result<Runtime> {
        let threads = RuntimeThreads::count(&mut self.0);
        Ok(Runtime { runtime: self.0.build()?, threads })
    }

    pub fn build_local(&mut self, options: LocalOptions) -> io::Result<LocalRuntime> {
        let threads = RuntimeThreads::count(&mut self.0);
        Ok(LocalRuntime { runtime: self.0.build_local(options)?, threads })
    }
}

/// The runtime of one test.
#[derive(Debug)]
pub struct Runtime {
    runtime: tokio::runtime::Runtime,
    threads: RuntimeThreads,
}

/// The runtime of one test, for tasks that are not `Send`.
#[derive(Debug)]
pub struct LocalRuntime {
    runtime: tokio::runtime::LocalRuntime,
    threads: RuntimeThreads,
}

#[doc(hidden)]
impl Runtime {
    #[track_caller]
    pub fn block_on<F>(self, body: F) -> F::Output
    where
        F: Future,
        F::Output: Outcome,
    {
        super::run(self.runtime, &self.threads, body)
    }
}

#[doc(hidden)]
impl LocalRuntime {
    #[track_caller]
    pub fn block_on<F>(self, body: F) -> F::Output
    where
        F: Future,
        F::Output: Outcome,
    {
        super::run(self.runtime, &self.threads, body)
    }
}
