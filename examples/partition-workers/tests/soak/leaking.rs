//! An application that leaks, to see whether the soak test finds that.

use std::sync::{Arc, Mutex, PoisonError};

use partition_workers::{Grant, Handler, Partition};
use tokio::task::JoinSet;

/// The tasks that are left behind; they end with the last clone.
#[derive(Clone, Debug, Default)]
pub struct Leaked(Arc<Mutex<JoinSet<()>>>);

/// A handler that leaves a task with 16 KiB behind each time it is assigned partitions.
#[derive(Debug)]
pub struct Leaking<H> {
    pub handler: H,
    pub leaked: Leaked,
}

impl<H: Handler> Handler for Leaking<H> {
    async fn assigned(&self, grant: Grant) {
        let kept = vec![0_u8; 16 * 1024];
        self.leaked.0.lock().unwrap_or_else(PoisonError::into_inner).spawn(async move {
            std::future::pending::<()>().await;
            drop(kept);
        });
        self.handler.assigned(grant).await;
    }

    async fn revoked(&self, partitions: &[Partition]) {
        self.handler.revoked(partitions).await;
    }
}
