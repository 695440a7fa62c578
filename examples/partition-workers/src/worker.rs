//! One worker: its states, and its handle.
//!
//! It has a task that serves ([`serve`]), one that is heard ([`heart`]), and a third while it leads ([`crate::leader`]): a handler
//! that takes its time holds up none but the first.

mod heart;
mod serve;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use self::serve::{Server, Told};
use crate::bucket::Bucket;
use crate::config::is_name;
use crate::{Error, Handler, Holdings, Partition};

/// What a worker is at.
///
/// ```text
/// Starting ──▶ Electing ──▶ Scaling ⇄ Stable
///    ▲            ▲            │         │
///    │            └────────────┴─────────┤ no leader is heard
///    └───────────────────────────────────┘ it was taken for dead, and joins anew
///          each ──▶ Stopping
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// It is not a member yet, or no longer.
    Starting,
    /// It is a member, and nobody leads.
    Electing,
    /// Partitions change hands.
    Scaling,
    /// Every partition has its owner.
    Stable,
    /// It was told to stop, and lets go of what it has.
    Stopping,
}

/// A running worker.
///
/// Dropped, it stops like one that crashes: its handler hears nothing, and the others wait for its lease to run out. Prefer
/// [`stop`](Self::stop).
#[derive(Debug)]
#[must_use = "dropped, a worker stops as if it had crashed"]
pub struct Worker {
    id: String,
    holdings: Holdings,
    state: watch::Receiver<State>,
    leads: watch::Receiver<bool>,
    stop: watch::Sender<bool>,
    task: Option<JoinHandle<Result<(), Error>>>,
}

impl Worker {
    pub(crate) async fn start(bucket: Arc<Bucket>, id: String, handler: impl Handler) -> Result<Self, Error> {
        if !is_name(&id) {
            return Err(Error::InvalidName { name: id });
        }
        let membership = heart::join(&bucket, &id).await?;
        let holdings = Holdings::none();
        let (state, states) = watch::channel(State::Starting);
        let (leads, is_leading) = watch::channel(false);
        let (stop, is_stopped) = watch::channel(false);
        let told = Told { state, leads, holdings: holdings.clone() };
        let server = Server::new(bucket, id.clone(), Arc::new(handler), told, is_stopped);
        let task = tokio::spawn(server.run(membership));
        Ok(Self { id, holdings, state: states, leads: is_leading, stop, task: Some(task) })
    }

    /// Returns its name.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns what it is at.
    #[must_use]
    pub fn state(&self) -> State {
        *self.state.borrow()
    }

    /// Returns what it is at, now and later; intermediate states may be missed.
    #[must_use]
    pub fn states(&self) -> watch::Receiver<State> {
        self.state.clone()
    }

    /// Whether it leads the group, as far as it knows.
    #[must_use]
    pub fn is_leader(&self) -> bool {
        *self.leads.borrow()
    }

    /// Returns a handle to what it owns.
    #[must_use]
    pub fn holdings(&self) -> Holdings {
        self.holdings.clone()
    }

    /// Returns the partitions it owns, ascending; none once its lease has run out.
    #[must_use]
    pub fn owned(&self) -> Vec<Partition> {
        self.holdings.owned()
    }

    /// Stops it: its handler lets go of all it has, its leadership ends, and it leaves the group, which need not wait for its lease.
    ///
    /// It waits for the handler however long that takes, and then for the server, no longer than two leases. Dropped before it is done,
    /// it ends like a worker that is dropped.
    ///
    /// # Errors
    ///
    /// [`HandlerPanicked`](Error::HandlerPanicked); [`Read`](Error::Read), [`Write`](Error::Write) or
    /// [`NotHeard`](Error::NotHeard) if the server could not be told within a lease: then the others wait for it to run out. It has
    /// stopped in any case.
    pub async fn stop(mut self) -> Result<(), Error> {
        self.stop.send_replace(true);
        let Some(task) = &mut self.task else { return Ok(()) };
        let ended = task.await;
        self.task = None;
        ended.unwrap_or_else(|_| Err(Error::HandlerPanicked { id: self.id.clone() }))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
            self.holdings.end();
        }
    }
}

/// A moment that does not come in any program's life.
const NEVER: Duration = Duration::from_secs(60 * 60 * 24 * 365);
