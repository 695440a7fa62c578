//! Which messages were lost, came twice, or out of order.
//!
//! It knows nothing of NATS: publishers stamp what they send, receivers read the stamps of what they get.

mod growing;
mod publisher;
mod receiver;
mod sequences;
mod settle;
mod table;
mod verification;

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::memory;
use growing::Growing;
use publisher::Published;
pub use publisher::{Publisher, Receipt};
use receiver::Received;
pub use receiver::{Receiver, Reception, ReceptionKind};
pub use verification::{DeliveryCounts, ReceiverFigures, SubjectDelivery, Verification};

/// Finds messages that were lost, came twice, or out of order.
///
/// Each sender takes a [`Publisher`] of its own, each consumer that should get every message a [`Receiver`]. Clones are the same
/// verifier. It takes memory for gaps, not for messages: about a bit for each message between two that were lost, and 36 KiB for
/// the latencies of each receiver, none of it the test's in a [`MemoryProbe`](crate::MemoryProbe).
///
/// ```
/// # use isolated_nats::load::Verifier;
/// let verifier = Verifier::new();
/// let mut publisher = verifier.publisher("orders");
/// let consumer = verifier.receiver("billing");
///
/// let (first, mut receipt) = publisher.stamp(b"one"); // a message is what goes over the wire
/// receipt.sent();
/// let (_second, mut receipt) = publisher.stamp(b"two");
/// receipt.sent();
/// consumer.received(&first);
///
/// assert_eq!(consumer.payload(&first), "one");
/// assert_eq!(verifier.verification().in_flight(), 1); // lost only once `settled` has given up on it
/// ```
#[derive(Clone)]
pub struct Verifier {
    shared: Arc<Shared>,
}

struct Shared {
    /// From 1, in this process.
    number: u32,
    /// Whether a message must arrive only once it was confirmed.
    acknowledged: bool,
    publishers: Growing<Arc<Published>>,
    publisher_count: AtomicU32,
    receivers: Mutex<Vec<Arc<Received>>>,
    /// Every reception, of whatever kind; to see that nothing arrives any more.
    receptions: AtomicU64,
    /// Whether anybody waits for one.
    waiting: AtomicBool,
    arrived: Notify,
}

impl Verifier {
    /// Whether a message must arrive only once it was confirmed.
    pub(super) fn is_acknowledged(&self) -> bool {
        self.shared.acknowledged
    }

    /// Makes a verifier for messages that must arrive once they were sent, as core NATS has it while nothing breaks:
    /// [`Receipt::sent`] makes a message count.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "there are two kinds, and none is the default")]
    pub fn new() -> Self {
        Self::make(false)
    }

    /// Makes a verifier for messages that must arrive once they were acknowledged, as `JetStream` promises:
    /// [`Receipt::confirm`] makes a message count. One that was sent but never acknowledged may have arrived or not.
    #[must_use]
    pub fn acknowledged() -> Self {
        Self::make(true)
    }

    fn make(acknowledged: bool) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let _ours = memory::ours();
        let shared = Shared {
            number: NUMBER.fetch_add(1, Ordering::Relaxed),
            acknowledged,
            publishers: Growing::new(),
            publisher_count: AtomicU32::new(0),
            receivers: Mutex::default(),
            receptions: AtomicU64::new(0),
            waiting: AtomicBool::new(false),
            arrived: Notify::new(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Returns a new publisher to `subject`, with a sequence of its own.
    ///
    /// NATS keeps the order of one connection's messages to one subject. So take one for each worker and subject: what is then
    /// found out of order really is.
    #[must_use]
    pub fn publisher(&self, subject: impl Into<String>) -> Publisher {
        let _ours = memory::ours();
        let number = self.shared.publisher_count.fetch_add(1, Ordering::Relaxed);
        let published = Arc::new(Published::new(number, subject.into()));
        self.shared.publishers.get_or_make(number, || Arc::clone(&published));
        Publisher::new(self.shared.number, self.shared.acknowledged, published)
    }

    /// Returns the receiver of this name, made now if there is none: it should get every message of every publisher.
    ///
    /// Consumers that share the work, such as a queue group, share one receiver. A consumer that is restarted goes on with the
    /// receiver that it had.
    #[must_use]
    pub fn receiver(&self, name: impl Into<String>) -> Receiver {
        self.receiver_with(name.into(), None)
    }

    /// Returns the receiver of this name, made now if there is none: it should get every message to these subjects and no other;
    /// any other counts as foreign.
    #[must_use]
    pub fn receiver_of<S: Into<String>>(
        &self,
        name: impl Into<String>,
        subjects: impl IntoIterator<Item = S>,
    ) -> Receiver {
        self.receiver_with(name.into(), Some(subjects.into_iter().map(Into::into).collect()))
    }

    fn receiver_with(&self, name: String, subjects: Option<Vec<String>>) -> Receiver {
        let _ours = memory::ours();
        let mut receivers = self.shared.receivers();
        let known = receivers.iter().find(|receiver| receiver.name == name).cloned();
        let received = known.unwrap_or_else(|| {
            let received = Arc::new(Received::new(name, subjects));
            receivers.push(Arc::clone(&received));
            received
        });
        drop(receivers);
        Receiver { verifier: self.clone(), received }
    }
}

impl Shared {
    fn receivers(&self) -> MutexGuard<'_, Vec<Arc<Received>>> {
        self.receivers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All publishers so far, in the order in which they were made.
    fn publishers(&self) -> impl Iterator<Item = &Arc<Published>> {
        // One that is being made at this moment may not be there yet.
        (0..self.publisher_count.load(Ordering::Acquire)).filter_map(|number| self.publishers.get(number))
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("acknowledged", &self.shared.acknowledged)
            .field("publishers", &self.shared.publisher_count)
            .field("receptions", &self.shared.receptions)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
