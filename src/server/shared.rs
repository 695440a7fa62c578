//! One server for all callers of a process.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use tokio::sync::Mutex;

use super::{ExternalNats, Inner, StartError};

/// Held weakly: a `static` is never dropped, and the server must end when nobody uses it.
static SHARED: Mutex<Weak<Inner>> = Mutex::const_new(Weak::new());

/// Callers wait for the one that starts it; a server that was shut down, or has died, is replaced by a new one.
pub(super) async fn shared() -> Result<ExternalNats, StartError> {
    let mut shared = SHARED.lock().await;
    if let Some(inner) = shared.upgrade() {
        let nats = ExternalNats { inner };
        if nats.is_running() {
            return Ok(nats);
        }
    }
    let nats = ExternalNats::builder().name("shared").jetstream().start().await?;
    nats.inner.shared.store(true, Ordering::Relaxed);
    *shared = Arc::downgrade(&nats.inner);
    Ok(nats)
}
