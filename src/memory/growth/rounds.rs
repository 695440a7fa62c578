//! Runs the rounds, and reads the live heap after each.

use std::time::Duration;

use tokio::runtime::{Handle, RuntimeMetrics};

use super::{GrowthError, GrowthReport};
use crate::memory::allocator::{self, Domain, Watch};
use crate::memory::installed::{self, NoHeap};
use crate::memory::probe::{MemoryProbe, own_test};
use crate::poll::{Deadline, block_for};

/// After a round, the runtime's other tasks have this many turns, so that those which only have to be dropped are.
const TURNS: usize = 16;
/// How long a round's tasks may take to end.
const TASKS_LIMIT: Duration = Duration::from_millis(50);
/// So many rounds may leave tasks behind; further ones are not waited for.
const LATE_ROUNDS: usize = 3;
const LOOK: Duration = Duration::from_micros(200);

/// The live heap of the test, after each round so far.
struct Rounds {
    watch: Watch,
    live: Vec<i64>,
}

impl Rounds {
    fn new(rounds: usize) -> Result<Self, GrowthError> {
        if rounds < GrowthReport::MIN_ROUNDS {
            return Err(GrowthError::too_few_rounds(rounds));
        }
        let not_measured = |why: NoHeap| GrowthError::not_measured(rounds, why.to_string());
        installed::inheritance().map_err(not_measured)?;
        let watch = Watch::open(own_test()).ok_or_else(|| not_measured(NoHeap::TooManyProbes))?;
        let _ours = allocator::enter(Domain::ours());
        Ok(Self { watch, live: Vec::with_capacity(rounds) })
    }

    fn note(&mut self) {
        self.live.push(self.watch.growth());
    }

    fn report(self) -> Result<GrowthReport, GrowthError> {
        let _ours = allocator::enter(Domain::ours());
        GrowthReport::of_live_bytes(&self.live)
    }
}

/// The tasks of the runtime that the rounds are run in.
struct Tasks {
    runtime: Option<RuntimeMetrics>,
    at_start: usize,
    late_rounds: usize,
}

impl Tasks {
    fn now() -> Self {
        let runtime = Handle::try_current().ok().map(|runtime| runtime.metrics());
        let at_start = runtime.as_ref().map_or(0, RuntimeMetrics::num_alive_tasks);
        Self { runtime, at_start, late_rounds: 0 }
    }

    fn are_left(&self) -> bool {
        self.runtime.as_ref().is_some_and(|runtime| runtime.num_alive_tasks() > self.at_start)
    }

    /// Gives tasks that only have to be polled once more their turn, and waits for those that a round has started.
    async fn settle(&mut self) {
        let deadline = Deadline::after(TASKS_LIMIT);
        loop {
            for _ in 0..TURNS {
                tokio::task::yield_now().await;
            }
            if self.late_rounds == LATE_ROUNDS || !self.are_left() {
                return;
            }
            if deadline.is_over() {
                self.late_rounds += 1;
                return;
            }
            block_for(LOOK);
        }
    }
}

impl MemoryProbe {
    /// Runs the same work many times, one round after the other, and reports what each round leaves on the heap.
    ///
    /// 30 rounds find a leak of 1 KiB, 100 one of 32 bytes, 600 one of 2, when rounds differ by 200 bytes otherwise
    /// (`cargo run --release --manifest-path benches/Cargo.toml --bin growth`). No warm-up is needed, the first fifth is left
    /// out; but what fills up slowly, such as a cache, should be full before.
    ///
    /// After a round, the tasks it has started have 50 ms to end; when three rounds have left tasks behind, no further one is
    /// waited for, and what tasks hold counts as growth.
    ///
    /// # Errors
    ///
    /// [`TooFewRounds`](super::GrowthErrorKind::TooFewRounds) below [`GrowthReport::MIN_ROUNDS`], before anything is run;
    /// [`NotMeasured`](super::GrowthErrorKind::NotMeasured) without the tracking allocator.
    ///
    /// # Examples
    ///
    /// ```
    /// use isolated_nats::{MemoryProbe, TrackingAllocator};
    ///
    /// #[global_allocator]
    /// static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), isolated_nats::GrowthError> {
    /// let report = MemoryProbe::growth(100, async || drop(vec![0_u8; 1000])).await?;
    /// report.assert_at_most(0.0);
    /// # Ok(()) }
    /// ```
    pub async fn growth<T>(
        rounds: usize,
        mut round: impl AsyncFnMut() -> T,
    ) -> Result<GrowthReport, GrowthError> {
        let mut state = Rounds::new(rounds)?;
        let mut tasks = Tasks::now();
        for _ in 0..rounds {
            drop(round().await);
            tasks.settle().await;
            state.note();
        }
        state.report()
    }

    /// The same for work without a runtime.
    ///
    /// # Errors
    ///
    /// As of [`growth`](Self::growth).
    pub fn growth_blocking<T>(
        rounds: usize,
        mut round: impl FnMut() -> T,
    ) -> Result<GrowthReport, GrowthError> {
        let mut state = Rounds::new(rounds)?;
        for _ in 0..rounds {
            drop(round());
            state.note();
        }
        state.report()
    }
}
