//! A handler without any work, so that what is measured is the library.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use partition_workers::{Grant, Handler, Partition};
use tokio::sync::watch;

/// Makes handlers that count together, and that all wait while the gate is closed.
#[derive(Debug)]
pub struct Handlers {
    gate: watch::Sender<bool>,
    let_go: Arc<AtomicUsize>,
}

impl Handlers {
    /// The gate is closed.
    pub fn new() -> Self {
        Self { gate: watch::Sender::new(false), let_go: Arc::default() }
    }

    pub fn make(&self) -> impl Handler + use<> {
        Counting { gate: self.gate.subscribe(), let_go: Arc::clone(&self.let_go) }
    }

    pub fn open_gate(&self) {
        self.gate.send_replace(true);
    }

    /// How many partitions were taken from workers so far.
    pub fn let_go(&self) -> usize {
        self.let_go.load(Ordering::Relaxed)
    }
}

struct Counting {
    gate: watch::Receiver<bool>,
    let_go: Arc<AtomicUsize>,
}

impl Counting {
    async fn pass(&self) {
        // An error is the end of the test, which waits for nobody.
        let _ = self.gate.clone().wait_for(|open| *open).await;
    }
}

impl Handler for Counting {
    async fn assigned(&self, _grant: Grant) {
        self.pass().await;
    }

    async fn revoked(&self, partitions: &[Partition]) {
        self.pass().await;
        self.let_go.fetch_add(partitions.len(), Ordering::Relaxed);
    }
}
