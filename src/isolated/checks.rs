//! What a test is judged by when its body has ended: what it left behind, and its ceilings.

use tokio::runtime::{Builder, Runtime};

use super::ceilings::Measured;
use super::{End, Flavor, Outcome, Test};
use crate::leak::{self, RuntimeThreads, WholeTest};
use crate::memory::MemoryReport;

/// The runtime of a test, whose threads are counted.
#[derive(Debug)]
pub(super) struct TestRuntime {
    pub(super) runtime: Runtime,
    threads: RuntimeThreads,
}

impl TestRuntime {
    pub(super) fn build(test: &Test) -> std::io::Result<Self> {
        let mut builder = match test.flavor {
            Flavor::CurrentThread => Builder::new_current_thread(),
            Flavor::MultiThread { worker_threads } => {
                let mut builder = Builder::new_multi_thread();
                if let Some(count) = worker_threads {
                    builder.worker_threads(count);
                }
                builder
            }
        };
        let threads = RuntimeThreads::count(&mut builder);
        let runtime = builder.enable_all().start_paused(test.start_paused).build()?;
        Ok(Self { runtime, threads })
    }
}

/// What is watched from before the arguments of a test are made.
#[derive(Debug)]
pub(super) struct Checks {
    measured: Option<Measured>,
    whole: Option<WholeTest>,
}

impl Checks {
    /// Begins to watch; an error says why the test cannot be measured.
    pub(super) fn start(test: &Test, name: &str, runtime: &Runtime) -> Result<Self, String> {
        let measured = Measured::start(test, runtime)?;
        let whole = WholeTest::start(name, runtime.handle(), test.tasks, test.allow_tasks);
        if let Some(whole) = &whole {
            runtime.block_on(whole.begin());
        }
        Ok(Self { measured, whole })
    }

    /// Looks at what the test took and left, ends its runtime, and says how the test ended in view of all that, and what it took
    /// of memory, where that was measured.
    ///
    /// To be called when the body's locals and arguments have been dropped.
    pub(super) fn judge<R: Outcome>(
        self,
        test: &Test,
        name: &str,
        TestRuntime { runtime, threads }: TestRuntime,
        end: End<R>,
    ) -> (End<R>, Option<MemoryReport>) {
        // A paused clock stands still without our help: the look yields, and never lets the runtime wait.
        let left = self.whole.and_then(|whole| match end {
            End::Returned(_) | End::Panicked(_) => Some(runtime.block_on(whole.look())),
            // A body that was cut off, or never began, had no occasion to clean up.
            End::TimedOut(_) | End::NoArguments(_) | End::Judged(_) => {
                whole.dismiss();
                None
            }
        });
        let passed = end.failure(test, name).is_none();
        let measured = self.measured.filter(|_| passed);
        let (memory, above) = match measured.map(|measured| measured.check(test, name, &runtime)) {
            Some(Ok(memory)) => (Some(memory), None),
            Some(Err(above)) => (None, Some(above)),
            None => (None, None),
        };
        let threads = threads.end(|limit| runtime.shutdown_timeout(limit));
        // A panic that is expected is the pass, and no second one must hide it.
        let may_fail = passed && matches!(end, End::Returned(_));
        let left = left.map(|left| leak::with_threads(left, threads, test.allow_tasks));
        let left = left.and_then(|left| leak::weigh(left, test.tasks, may_fail));
        let above = above.map(|why| format!("test `{name}` is above its ceiling: {why}"));
        let end = match (above, left) {
            (None, None) => end,
            (Some(above), None) => End::Judged(above),
            (None, Some(left)) => End::Judged(left.to_string()),
            (Some(above), Some(left)) => End::Judged(format!("{above}\n{left}")),
        };
        (end, memory)
    }
}
