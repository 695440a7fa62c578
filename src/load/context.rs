//! What an operation is told.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::engine::Seat;
use super::random::mix;
use super::stamp;

/// What one operation is told: its number, its worker, its payload.
pub struct OperationContext {
    seat: Arc<Seat>,
    sequence: u64,
    /// In nanoseconds of the run's clock.
    due: u64,
}

impl OperationContext {
    #[inline]
    pub(super) fn new(seat: Arc<Seat>) -> Self {
        let (sequence, due) = (seat.sequence(), seat.due());
        Self { seat, sequence, due }
    }

    /// Returns the number of this operation in the run: those of the schedule are numbered from 0, those of the warm-up from
    /// 2^60, and phases of a closed loop that end by time take 2^40 numbers each.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Returns the number of the worker that does it, from 0; a worker does one operation at a time.
    #[must_use]
    pub fn worker(&self) -> usize {
        self.seat.worker
    }

    /// Returns the payload: random bytes, of a size drawn from the builder's range; which ones depends on the seed and the
    /// number alone.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        self.seat.pool.slice(self.seat.pool.place(self.sequence))
    }

    /// Returns the payload without copying or counting it: a slice of a buffer that the process keeps.
    #[must_use]
    pub fn payload_bytes(&self) -> Bytes {
        self.seat.pool.bytes(self.seat.pool.place(self.sequence))
    }

    /// Returns the payload after a [`Stamp`](super::Stamp) of 32 bytes, with which a service tells how long the message was under way.
    #[must_use]
    pub fn stamped_payload(&self) -> Bytes {
        stamp::write(self.intended_start(), self.sequence, self.payload())
    }

    /// Returns when the operation was due; in a closed loop, when it was started.
    #[must_use]
    pub fn intended_start(&self) -> Instant {
        self.seat.epoch + Duration::from_nanos(self.due)
    }

    /// Returns a random number that depends on the seed and the operation's number alone.
    #[must_use]
    pub fn random(&self) -> u64 {
        mix(self.seat.pool.seed ^ 0x7a7a, self.sequence)
    }

    /// Adds to the items that the report has for this operation, such as the messages of a batch; those of operations that
    /// fail count as well.
    pub fn add_items(&self, items: u64) {
        self.seat.add_items(items);
    }

    /// Adds to the bytes that the report has for this operation; as [`add_items`](Self::add_items).
    pub fn add_bytes(&self, bytes: u64) {
        self.seat.add_bytes(bytes);
    }
}

impl fmt::Debug for OperationContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OperationContext")
            .field("sequence", &self.sequence)
            .field("worker", &self.seat.worker)
            .finish_non_exhaustive()
    }
}
