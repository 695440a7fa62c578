//! A worker in a runtime of its own, that can be frozen.

use std::sync::mpsc as blocking;
use std::thread;

use partition_workers::{Handler, Holdings, Partition, Worker};
use tokio::runtime;
use tokio::sync::{mpsc, oneshot};

use crate::support::{Failure, Seat};

/// A worker with a thread, a runtime and a connection of its own, as in another process. Frozen, all of it stands still, as in a long
/// pause of its machine: it sends nothing, reads nothing, and no timer ends.
pub struct Elsewhere {
    pub worker: Worker,
    freezes: mpsc::UnboundedSender<Freeze>,
}

/// Keeps a worker frozen until it is thawed, or this is dropped.
#[must_use = "dropped, the worker goes on"]
pub struct Frozen {
    go_on: blocking::Sender<()>,
    woken: oneshot::Receiver<Vec<Partition>>,
}

struct Freeze {
    holdings: Holdings,
    stands_still: oneshot::Sender<()>,
    go_on: blocking::Receiver<()>,
    woken: oneshot::Sender<Vec<Partition>>,
}

impl Elsewhere {
    pub async fn start(seat: Seat, id: &str, handler: impl Handler) -> Result<Self, Failure> {
        let id = id.to_owned();
        let (started, worker) = oneshot::channel();
        let (freezes, incoming) = mpsc::unbounded_channel();
        thread::Builder::new().name(id.clone()).spawn(move || {
            let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let worker = match seat.open().await {
                    Ok(manager) => manager.start_worker(id, handler).await,
                    Err(error) => Err(error),
                };
                let _ = started.send(worker); // refused when the test has ended
                freeze_when_told(incoming).await;
            });
        })?;
        Ok(Self { worker: worker.await??, freezes })
    }

    /// Returns when it stands still.
    pub async fn freeze(&self) -> Result<Frozen, Failure> {
        let (stands_still, still) = oneshot::channel();
        let (go_on, told) = blocking::channel();
        let (woken, after) = oneshot::channel();
        let freeze = Freeze { holdings: self.worker.holdings(), stands_still, go_on: told, woken };
        self.freezes.send(freeze).map_err(|_| "its runtime has ended")?;
        still.await?;
        Ok(Frozen { go_on, woken: after })
    }
}

impl Frozen {
    /// Lets it go on, and returns what it thought to own at once, before it has heard or done anything.
    pub async fn thaw(self) -> Result<Vec<Partition>, Failure> {
        drop(self.go_on);
        Ok(self.woken.await?)
    }
}

/// Keeps the runtime running until the sender is dropped.
async fn freeze_when_told(mut freezes: mpsc::UnboundedReceiver<Freeze>) {
    while let Some(freeze) = freezes.recv().await {
        let _ = freeze.stands_still.send(());
        // Blocks the one thread of the runtime; an error says that the test has ended.
        let _ = freeze.go_on.recv();
        let _ = freeze.woken.send(freeze.holdings.owned());
    }
}
