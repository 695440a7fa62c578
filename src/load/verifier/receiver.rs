//! What arrives: which message it is, and how long it took.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;

use super::super::histogram::{Recording, nanos};
use super::super::stamp::Stamp;
use super::growing::Growing;
use super::publisher::Published;
use super::sequences::Sequences;
use super::{Shared, Verifier};
use crate::memory;

/// What one receiver has got.
pub(super) struct Received {
    pub(super) name: String,
    /// `None` for every subject.
    subjects: Option<Vec<String>>,
    /// By the publisher's number.
    streams: Growing<Mutex<Seen>>,
    pub(super) foreign: AtomicU64,
    pub(super) delivery: Recording,
}

/// What was got from one publisher.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) received: Sequences,
    /// One past the highest sequence.
    end: u64,
    pub(super) duplicates: u64,
    pub(super) reordered: u64,
}

impl Seen {
    fn add(&mut self, sequence: u64) -> ReceptionKind {
        if !self.received.insert(sequence) {
            self.duplicates += 1;
            return ReceptionKind::Duplicate;
        }
        if sequence < self.end {
            self.reordered += 1;
            return ReceptionKind::Late;
        }
        self.end = sequence + 1;
        ReceptionKind::Expected
    }
}

impl Received {
    pub(super) fn new(name: String, subjects: Option<Vec<String>>) -> Self {
        let (foreign, delivery) = (AtomicU64::new(0), Recording::new());
        Self { name, subjects, streams: Growing::new(), foreign, delivery }
    }

    /// Whether the messages of a publisher are for this receiver.
    pub(super) fn expects(&self, published: &Published) -> bool {
        self.subjects.as_ref().is_none_or(|subjects| subjects.contains(&published.subject))
    }

    /// What was got from a publisher so far.
    pub(super) fn seen(&self, publisher: u32) -> MutexGuard<'_, Seen> {
        self.streams.get_or_make(publisher, Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Notes what one consumer gets; see [`Verifier::receiver`]. Clones are the same receiver, for consumers that share the work.
#[derive(Clone)]
pub struct Receiver {
    pub(super) verifier: Verifier,
    pub(super) received: Arc<Received>,
}

/// What a message was found to be when it arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reception {
    /// What it was.
    pub kind: ReceptionKind,
    /// From its intended start to now; `None` for a foreign message. Source: `Instant`, the system's monotonic clock.
    pub latency: Option<Duration>,
}

/// What kind of message arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReceptionKind {
    /// For the first time, and after no later one of its publisher. Some before it may be missing.
    Expected,
    /// For the first time, but after a later one of its publisher: reordered.
    Late,
    /// Again.
    Duplicate,
    /// Without a stamp of this verifier, with one that its publisher has not written yet, or to a subject that is not this
    /// receiver's.
    Foreign,
}

impl Receiver {
    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.received.name
    }

    /// Notes that a message has arrived, and says what it was. Call it for each message, whole as it came.
    ///
    /// Latencies are recorded of messages that come for the first time. It costs one lock, of the publisher's messages to this
    /// receiver.
    pub fn received(&self, message: &[u8]) -> Reception {
        let _ours = memory::ours();
        let shared = &self.verifier.shared;
        let reception = self.note(shared, message);
        shared.receptions.fetch_add(1, Ordering::SeqCst);
        if shared.waiting.load(Ordering::SeqCst) {
            shared.arrived.notify_waiters();
        }
        reception
    }

    fn note(&self, shared: &Shared, message: &[u8]) -> Reception {
        let known = Stamp::read(message).filter(|stamp| {
            stamp.verifier == shared.number
                && shared.publishers.get(stamp.publisher).is_some_and(|published| {
                    // Also what keeps a damaged number from being noted far ahead of any other.
                    stamp.sequence < published.stamped.load(Ordering::Acquire)
                        && self.received.expects(published)
                })
        });
        let Some(stamp) = known else {
            self.received.foreign.fetch_add(1, Ordering::Relaxed);
            return Reception { kind: ReceptionKind::Foreign, latency: None };
        };
        let latency = stamp.age();
        let kind = self.received.seen(stamp.publisher).add(stamp.sequence);
        if kind != ReceptionKind::Duplicate {
            self.received.delivery.add_shared(nanos(latency));
        }
        Reception { kind, latency: Some(latency) }
    }

    /// Returns the payload of a message, without its stamp and without copying it; all of a message that has none.
    #[must_use]
    pub fn payload(&self, message: &Bytes) -> Bytes {
        Stamp::payload(message)
    }

    /// Returns how many messages have arrived for the first time, from all publishers together.
    #[must_use]
    pub fn count(&self) -> u64 {
        let publishers = self.verifier.shared.publishers();
        publishers.map(|published| self.received.seen(published.number).received.count()).sum()
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").field("name", &self.received.name).finish_non_exhaustive()
    }
}
