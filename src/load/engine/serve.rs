//! One operation of one worker: from turn to turn, with its state.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::kinds::WARM_UP;
use super::record::End;
use super::seat::Seat;
use super::shared::{Injected, Shared};
use crate::load::context::OperationContext;
use crate::load::error::{OperationError, chain};
use crate::load::workload::Workload;
use crate::memory;

/// Serves turns until there are no more.
pub(super) type Serving = Pin<Box<dyn Future<Output = ()> + Send>>;
type Preparing = Pin<Box<dyn Future<Output = Result<Serving, OperationError>> + Send>>;

/// A workload whose types are forgotten.
pub(in crate::load) trait Operation: Send + Sync {
    /// Sets up the state of a worker.
    fn prepare(self: Arc<Self>, place: Place) -> Preparing;
    /// Whether its workers have a state, and each should be used.
    fn has_state(&self) -> bool;
}

/// So many operations that never wait are done before others may run; twice as many as tokio's budget for a task, so that
/// operations which use it up give way by themselves first.
const MOST_IN_A_ROW: u32 = 256;

/// Where an operation is done.
#[derive(Clone)]
pub(in crate::load) struct Place {
    pub(super) shared: Arc<Shared>,
    pub(super) seat: Arc<Seat>,
    pub(super) operation: usize,
    pub(super) turns: Turns,
}

/// Where the turns come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turns {
    /// There is one operation: from the source.
    Direct,
    /// From the worker, which chooses the operation; each as long as the seat says that it is under way.
    Relayed,
}

impl<W: Workload> Operation for W {
    fn prepare(self: Arc<Self>, place: Place) -> Preparing {
        let _ours = memory::ours();
        Box::pin(async move {
            let state = self.set_up(place.seat.worker).await?;
            let _ours = memory::ours();
            let shared = Arc::clone(&place.shared);
            let serving = serve(self, state, place);
            shared.bytes.fetch_add(size_of_val(&serving) as u64, Relaxed);
            Ok(Box::pin(serving) as Serving)
        })
    }

    fn has_state(&self) -> bool {
        size_of::<W::State>() > 0
    }
}

async fn serve<W: Workload>(workload: Arc<W>, mut state: W::State, place: Place) {
    let mut limit = place.shared.limit.map(Limit::new);
    let mut in_a_row = 0;
    loop {
        let how = match place.next(&mut in_a_row).await {
            Step::Over => break,
            Step::Fail => End::Injected,
            step => {
                let run = pin!(workload.run(&mut state, place.context()));
                place.run_once(run, step == Step::Cancel, limit.as_mut(), &mut in_a_row).await
            }
        };
        let think = place.finish(how);
        if !think.is_zero() {
            place.shared.source.pause_after(&place.seat, think).await;
        }
    }
    workload.tear_down(state).await;
}

/// What to do next. Which operation it is, and when it began, is in the seat: what is small travels in registers. A
/// publish takes some 300 ns (`benches/`, `--bin load`), beside which that shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Run,
    /// To be dropped where it first waits.
    Cancel,
    /// Not to be run.
    Fail,
    /// To tear down.
    Over,
}

impl Place {
    async fn next(&self, in_a_row: &mut u32) -> Step {
        // What never waits must let others run now and then. Not by tokio's budget: operations that use it themselves would
        // then give way twice as often as without us.
        *in_a_row += 1;
        if *in_a_row > MOST_IN_A_ROW {
            *in_a_row = 0;
            tokio::task::yield_now().await;
        }
        poll_fn(|_| self.poll_next()).await
    }

    // The generic function around these is compiled in the user's crate: each call from there is a call.
    fn poll_next(&self) -> Poll<Step> {
        if self.turns == Turns::Direct {
            match std::task::ready!(self.shared.source.poll_turn(&self.seat)) {
                Some(turn) => self.seat.begin(self.operation, turn),
                None => return Poll::Ready(Step::Over),
            }
        } else {
            match self.seat.running() {
                Some(operation) if operation == self.operation => {}
                Some(LEAVING) => return Poll::Ready(Step::Over),
                _ => return Poll::Pending,
            }
        }
        let step = match self.shared.injected(&self.seat) {
            Injected::No => Step::Run,
            Injected::Failure => Step::Fail,
            Injected::Cancellation => Step::Cancel,
        };
        let now = self.shared.now();
        self.seat.start.store(now, Relaxed);
        self.seat.polled.store(now, Relaxed);
        Poll::Ready(step)
    }

    #[inline]
    fn context(&self) -> OperationContext {
        OperationContext::new(Arc::clone(&self.seat))
    }

    /// Records an operation that has ended; returns how long to pause after it.
    fn finish(&self, how: End) -> Duration {
        let end = self.shared.now();
        self.polled_until(end);
        self.shared.record(&self.seat, self.operation, self.seat.turn(), end, how);
        self.seat.end();
        if self.turns == Turns::Direct { self.shared.source.think() } else { Duration::ZERO }
    }

    /// A poll of the operation under way ends.
    #[inline]
    fn polled_until(&self, end: u64) {
        self.shared.recorder.polled(self.operation, end.saturating_sub(self.seat.polled.load(Relaxed)));
    }

    fn started(&self) -> Instant {
        self.shared.epoch + Duration::from_nanos(self.seat.start.load(Relaxed))
    }

    async fn run_once<F>(
        &self,
        mut run: Pin<&mut F>,
        cancel: bool,
        mut limit: Option<&mut Limit>,
        in_a_row: &mut u32,
    ) -> End
    where
        F: Future<Output = Result<(), OperationError>>,
    {
        let mut waited = false;
        poll_fn(|context| {
            if waited {
                self.seat.polled.store(self.shared.now(), Relaxed);
            }
            if let Poll::Ready(result) = run.as_mut().poll(context) {
                return Poll::Ready(self.ended(result));
            }
            self.polled_until(self.shared.now());
            if !waited {
                waited = true;
                *in_a_row = 0;
                self.shared.source.help();
                if cancel {
                    return Poll::Ready(End::Injected);
                }
            }
            let over =
                limit.as_mut().and_then(|limit| limit.is_over(self.started(), context).then_some(limit));
            match over {
                Some(limit) => {
                    let text = format!("timed out after {}", memory::text::duration(limit.limit));
                    self.shared.kinds.count(self.place(), &text);
                    Poll::Ready(End::TimedOut)
                }
                None => Poll::Pending,
            }
        })
        .await
    }

    /// Where its errors are counted: those of the warm-up apart.
    fn place(&self) -> usize {
        if self.seat.turn().warm_up { WARM_UP } else { self.operation }
    }

    fn ended(&self, result: Result<(), OperationError>) -> End {
        match result {
            Ok(()) => End::Well,
            Err(error) => {
                self.shared.kinds.count(self.place(), &chain(error.as_ref()));
                End::Failed
            }
        }
    }
}

/// What the seat says is under way when its operations have to tear down.
pub(super) const LEAVING: usize = u32::MAX as usize - 2;

/// The time limit of one operation after the other, by one timer that is moved only when it has fired.
struct Limit {
    limit: Duration,
    timer: Option<Pin<Box<tokio::time::Sleep>>>,
}

impl Limit {
    fn new(limit: Duration) -> Self {
        Self { limit, timer: None }
    }

    /// Whether the operation begun at `start` has taken too long; if not, the task is woken when it may have.
    fn is_over(&mut self, start: Instant, context: &mut Context<'_>) -> bool {
        let deadline = tokio::time::Instant::from_std(start + self.limit);
        let timer = self.timer.get_or_insert_with(|| {
            let _ours = memory::ours();
            Box::pin(tokio::time::sleep_until(deadline))
        });
        while timer.as_mut().poll(context).is_ready() {
            if start.elapsed() >= self.limit {
                return true;
            }
            timer.as_mut().reset(deadline);
        }
        false
    }
}
