//! A worker: a task that does one operation at a time, from its set-up to its end.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::sync::Semaphore;

use super::kinds::WARM_UP;
use super::mixture::Named;
use super::record::End;
use super::seat::{Seat, Turn};
use super::serve::{LEAVING, Place, Serving, Turns};
use super::shared::Shared;
use crate::load::error::{OperationError, chain};
use crate::load::histogram::nanos;
use crate::panic::message;

/// A worker's task needs all of this.
pub(super) struct Worker {
    shared: Arc<Shared>,
    seat: Arc<Seat>,
    operations: Arc<[Named]>,
    servings: Vec<Option<Serving>>,
}

/// What is known when a worker has been set up for the first time, or could not be.
pub(super) type Ready = Result<(), OperationError>;

impl Worker {
    pub(super) fn new(shared: &Arc<Shared>, seat: &Arc<Seat>, operations: &Arc<[Named]>) -> Self {
        let (shared, seat, operations) = (Arc::clone(shared), Arc::clone(seat), Arc::clone(operations));
        let servings = operations.iter().map(|_| None).collect();
        Self { shared, seat, operations, servings }
    }

    /// Sets up, says so, works, and tears down.
    pub(super) async fn work(mut self, gate: Arc<Semaphore>, ready: impl FnOnce(Ready) + Send) {
        poll_fn(|context| {
            self.seat.waker.get_or_init(|| context.waker().clone());
            Poll::Ready(())
        })
        .await;
        let first = self.set_up(&gate).await;
        let failed = first.is_err();
        ready(first);
        if failed {
            return;
        }
        loop {
            let rest = self.turns().await;
            // A panic is no end, and no leaving of its own: its state is lost. But it may be one of the tear-down.
            if rest == Rest::Over || self.shared.source.is_over() {
                break;
            }
            self.shared.source.help(); // its next turn may be some time away
            let leaves = self.seat.leave.swap(false, Relaxed);
            self.shared.left.fetch_add(u64::from(leaves), Relaxed);
            if self.set_up(&gate).await.is_err() {
                break;
            }
            self.shared.joined.fetch_add(u64::from(leaves), Relaxed);
        }
        self.seat.ready.store(false, Relaxed);
    }

    /// Prepares every operation that has no state yet.
    async fn set_up(&mut self, gate: &Semaphore) -> Ready {
        let _permit = gate.acquire().await;
        let start = Instant::now();
        let turns = if self.operations.len() == 1 { Turns::Direct } else { Turns::Relayed };
        for at in 0..self.operations.len() {
            if self.servings[at].is_some() {
                continue;
            }
            let place = Place {
                shared: Arc::clone(&self.shared),
                seat: Arc::clone(&self.seat),
                operation: at,
                turns,
            };
            let mut preparing = Arc::clone(&self.operations[at].operation).prepare(place);
            let prepared = poll_fn(|context| caught(|| preparing.as_mut().poll(context))).await;
            match prepared.unwrap_or_else(|panic| Err(panic.into())) {
                Ok(serving) => self.servings[at] = Some(serving),
                Err(error) => return Err(self.not_set_up(at, error)),
            }
        }
        self.shared.set_up.add_shared(nanos(start.elapsed()));
        self.seat.ready.store(true, Relaxed);
        Ok(())
    }

    fn not_set_up(&self, operation: usize, error: OperationError) -> OperationError {
        self.shared.not_set_up.fetch_add(1, Relaxed);
        self.shared.kinds.count(operation, &format!("set-up: {}", chain(error.as_ref())));
        error
    }

    async fn turns(&mut self) -> Rest {
        if self.operations.len() == 1 {
            return poll_fn(|context| self.poll_operation(0, context)).await;
        }
        loop {
            tokio::task::coop::consume_budget().await;
            let turn = poll_fn(|_| self.shared.source.poll_turn(&self.seat)).await;
            let Some(turn) = turn else { return self.tear_down().await };
            let operation = self.shared.mixture.operation(turn.sequence);
            self.seat.begin(operation, turn);
            let rest = poll_fn(|context| match self.poll_operation(operation, context) {
                Poll::Ready(rest) => Poll::Ready(Some(rest)),
                Poll::Pending if self.seat.running().is_none() => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            });
            if let Some(rest) = rest.await {
                return rest;
            }
            let think = self.shared.source.think();
            if !think.is_zero() {
                self.shared.source.pause_after(&self.seat, think).await;
            }
        }
    }

    /// Ends every operation of a mix.
    async fn tear_down(&mut self) -> Rest {
        let turn = Turn { sequence: 0, intended: None, warm_up: true };
        self.seat.begin(LEAVING, turn);
        for at in 0..self.servings.len() {
            poll_fn(|context| self.poll_operation(at, context)).await;
        }
        self.seat.end();
        self.rest()
    }

    fn rest(&self) -> Rest {
        if self.seat.leave.load(Relaxed) { Rest::Leave } else { Rest::Over }
    }

    /// Ready when the operation has torn down, or its state is lost.
    fn poll_operation(&mut self, at: usize, context: &mut Context<'_>) -> Poll<Rest> {
        let Some(serving) = &mut self.servings[at] else { return Poll::Ready(self.rest()) };
        match caught(|| serving.as_mut().poll(context)) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(())) => {
                self.servings[at] = None;
                Poll::Ready(self.rest())
            }
            Poll::Ready(Err(panic)) => {
                self.panicked(at, &panic);
                drop(catch_unwind(AssertUnwindSafe(|| self.servings[at] = None)));
                Poll::Ready(Rest::Panicked)
            }
        }
    }

    /// Counts the operation that a panic has ended.
    fn panicked(&self, at: usize, panic: &str) {
        let place = if self.seat.turn().warm_up { WARM_UP } else { at };
        self.shared.kinds.count(place, panic);
        if self.seat.running() == Some(at) {
            let end = self.shared.now();
            self.shared.record(&self.seat, at, self.seat.turn(), end, End::Failed);
            self.seat.end();
        }
    }
}

/// Why a worker does not work at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rest {
    Over,
    Leave,
    Panicked,
}

/// Polls, and makes a panic an outcome.
pub(super) fn caught<T>(poll: impl FnOnce() -> Poll<T>) -> Poll<Result<T, String>> {
    match catch_unwind(AssertUnwindSafe(poll)) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
        Err(panic) => {
            Poll::Ready(Err(format!("panicked: {}", message(panic.as_ref()).unwrap_or("without a text"))))
        }
    }
}
