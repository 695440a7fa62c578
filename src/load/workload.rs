//! What is run: a closure, or a type with a state for each worker.

use std::future::Future;
use std::sync::Arc;

use super::context::OperationContext;
use super::error::OperationError;

/// An operation with a state of its own for each worker: a connection, a subscription, a generator of keys.
///
/// Each worker calls [`set_up`](Self::set_up) before the run starts, [`run`](Self::run) for each of its operations, one at a
/// time, and [`tear_down`](Self::tear_down) when it ends or leaves. When `run` is cut short, by the operation's time
/// limit or an injected cancellation, its future is dropped and the state goes on to the next; after a panic the state is lost, and
/// the worker is set up again.
pub trait Workload: Send + Sync + 'static {
    /// What a worker keeps from operation to operation.
    type State: Send;

    /// Makes the state of worker number `worker`, counted from 0.
    ///
    /// # Errors
    ///
    /// Counted, by kind; the worker then takes no part, and the run goes on while there is another one.
    fn set_up(&self, worker: usize) -> impl Future<Output = Result<Self::State, OperationError>> + Send;

    /// Does one operation; it is timed from its first poll to its last.
    ///
    /// # Errors
    ///
    /// Counted, by kind: texts that differ in their digits alone are of one kind.
    fn run(
        &self,
        state: &mut Self::State,
        context: OperationContext,
    ) -> impl Future<Output = Result<(), OperationError>> + Send;

    /// Ends what the state holds; dropping it is the default.
    fn tear_down(&self, state: Self::State) -> impl Future<Output = ()> + Send {
        async { drop(state) }
    }
}

/// A closure as a workload without a state.
pub(super) struct Closure<F>(pub(super) F);

impl<F, Fut> Workload for Closure<F>
where
    F: Fn(OperationContext) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), OperationError>> + Send + 'static,
{
    type State = ();

    async fn set_up(&self, _worker: usize) -> Result<(), OperationError> {
        Ok(())
    }

    fn run(
        &self,
        _state: &mut (),
        context: OperationContext,
    ) -> impl Future<Output = Result<(), OperationError>> + Send {
        (self.0)(context)
    }
}

/// A closure and what all its calls share.
pub(super) struct Shared<S, F>(pub(super) Arc<S>, pub(super) F);

impl<S, F, Fut> Workload for Shared<S, F>
where
    S: Send + Sync + 'static,
    F: Fn(Arc<S>, OperationContext) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), OperationError>> + Send + 'static,
{
    type State = ();

    async fn set_up(&self, _worker: usize) -> Result<(), OperationError> {
        Ok(())
    }

    fn run(
        &self,
        _state: &mut (),
        context: OperationContext,
    ) -> impl Future<Output = Result<(), OperationError>> + Send {
        (self.1)(Arc::clone(&self.0), context)
    }
}
