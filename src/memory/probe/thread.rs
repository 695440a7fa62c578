//! The thread that takes samples.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use super::shared::Shared;
use crate::memory::allocator::{self, Domain};
use crate::poll::scaled;

/// How long the thread may take to end: a gauge that waits for the test itself would hold it up for ever.
const END_LIMIT: Duration = Duration::from_secs(5);

/// The thread that takes the samples; dropping this ends it.
#[derive(Debug)]
pub(super) struct Sampler {
    /// Dropped to end the thread.
    end: Option<Sender<()>>,
    /// Disconnected when it has ended.
    ended: Receiver<()>,
}

impl Sampler {
    /// `None` when the thread cannot be started: the figures then come from the limits of the phases.
    pub(super) fn start(shared: &Arc<Shared>, interval: Duration) -> Option<Self> {
        let (end, ending) = mpsc::channel();
        let (has_ended, ended) = mpsc::channel();
        let shared = Arc::clone(shared);
        let run = move || {
            let _ours = allocator::enter(Domain::ours());
            sample(&shared, &ending, interval);
            drop((shared, has_ended));
        };
        std::thread::Builder::new().name("isolated-nats sampler".into()).spawn(run).ok()?;
        Some(Self { end: Some(end), ended })
    }
}

fn sample(shared: &Shared, ending: &Receiver<()>, interval: Duration) {
    let mut next = Instant::now() + interval;
    while ending.recv_timeout(next.saturating_duration_since(Instant::now()))
        == Err(RecvTimeoutError::Timeout)
    {
        shared.sample();
        // After a pause of the machine, samples are taken up again, not made up for.
        next = (next + interval).max(Instant::now());
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.end = None;
        // Either it has ended, or it is left behind with its gauge.
        let _ = self.ended.recv_timeout(scaled(END_LIMIT));
    }
}
