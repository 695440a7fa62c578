//! What is sent: a sequence for each publisher, and what became of each message.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytes::Bytes;

use super::super::stamp::Stamp;
use super::sequences::Sequences;
use crate::memory;

/// What is known of the messages of one publisher.
#[derive(Debug)]
pub(super) struct Published {
    pub(super) number: u32,
    pub(super) subject: String,
    /// How many messages were stamped, so that sequences are below it.
    pub(super) stamped: AtomicU64,
    pub(super) sent: AtomicU64,
    pub(super) confirmed: AtomicU64,
    /// Messages below it are lost when they have not arrived; from it on they are under way.
    pub(super) settled: AtomicU64,
    /// The messages that must arrive.
    required: Mutex<Sequences>,
}

impl Published {
    pub(super) fn new(number: u32, subject: String) -> Self {
        let [stamped, sent, confirmed, settled] = [const { AtomicU64::new(0) }; 4];
        Self { number, subject, stamped, sent, confirmed, settled, required: Mutex::default() }
    }

    pub(super) fn required(&self) -> MutexGuard<'_, Sequences> {
        self.required.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Stamps the messages of one worker to one subject; see [`Verifier::publisher`](super::Verifier::publisher).
#[derive(Debug)]
pub struct Publisher {
    verifier: u32,
    acknowledged: bool,
    published: Arc<Published>,
    next: u64,
}

impl Publisher {
    pub(super) fn new(verifier: u32, acknowledged: bool, published: Arc<Published>) -> Self {
        Self { verifier, acknowledged, published, next: 0 }
    }

    /// Returns the subject, as it was given.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.published.subject
    }

    /// Returns the message to send, which is 32 bytes longer than the payload, and what to tell about its fate. Its delivery is
    /// timed from now on.
    #[must_use = "the message is to be sent, and the receipt to be told about it"]
    pub fn stamp(&mut self, payload: &[u8]) -> (Bytes, Receipt) {
        self.stamp_due(payload, Instant::now())
    }

    /// The same for a message that was due at `intended`, which is what its delivery is timed from:
    /// [`OperationContext::intended_start`](crate::OperationContext::intended_start).
    #[must_use = "the message is to be sent, and the receipt to be told about it"]
    pub fn stamp_due(&mut self, payload: &[u8], intended: Instant) -> (Bytes, Receipt) {
        let sequence = self.next;
        self.next += 1;
        self.published.stamped.store(self.next, Ordering::Release);
        let stamp = Stamp { verifier: self.verifier, publisher: self.published.number, sequence, intended };
        let receipt = Receipt {
            published: Arc::clone(&self.published),
            sequence,
            acknowledged: self.acknowledged,
            sent: false,
        };
        (stamp.write(payload), receipt)
    }
}

/// What is to be told about one message; dropped without a word, nobody knows whether it was sent.
#[derive(Debug)]
#[must_use = "tell it whether the message was sent, or the message counts as unconfirmed"]
pub struct Receipt {
    published: Arc<Published>,
    sequence: u64,
    acknowledged: bool,
    sent: bool,
}

impl Receipt {
    /// Says that the message was sent: that publishing it returned `Ok`. With [`Verifier::new`](super::Verifier::new) it must
    /// then arrive; with [`Verifier::acknowledged`](super::Verifier::acknowledged) only once it is [confirmed](Self::confirm).
    pub fn sent(&mut self) {
        self.count_sent();
    }

    /// Says that the server has acknowledged the message, and so that it was sent: it must arrive.
    pub fn confirm(mut self) {
        self.count_sent();
        self.published.confirmed.fetch_add(1, Ordering::Relaxed);
        if self.acknowledged {
            self.require();
        }
    }

    /// Says that sending it failed, or that the answer did not come. It may arrive all the same, and is missed by nobody.
    pub fn failed(self) {}

    fn count_sent(&mut self) {
        if std::mem::replace(&mut self.sent, true) {
            return;
        }
        self.published.sent.fetch_add(1, Ordering::Relaxed);
        if !self.acknowledged {
            self.require();
        }
    }

    fn require(&self) {
        let _ours = memory::ours();
        self.published.required().insert(self.sequence);
    }
}
