//! The 32 bytes before a payload that say whose message it is, which one, and when it was due.
//!
//! | bytes | what |
//! | --- | --- |
//! | 0..2 | `iL` |
//! | 2..8 | a random number of this process: times of another one mean nothing here |
//! | 8..12 | the verifier, from 1; 0 for a stamp without one |
//! | 12..16 | the publisher among those of its verifier |
//! | 16..24 | the sequence |
//! | 24..32 | the intended start, in nanoseconds (signed) from an instant that the process has chosen |
//!
//! All numbers are little-endian.

use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::memory;

const MAGIC: [u8; 2] = *b"iL";

/// What a stamped payload says about itself: which message it is, and when it was due.
///
/// The generator writes it before the payload, so that whoever receives the message in the same process can tell how long it was
/// under way: [`ServiceContext::received`](super::ServiceContext::received) and [`Receiver`](super::Receiver) read it by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The verifier's number, from 1; 0 without one.
    pub(super) verifier: u32,
    pub(super) publisher: u32,
    pub(super) sequence: u64,
    pub(super) intended: Instant,
}

impl Stamp {
    /// How many bytes a stamp takes before the payload.
    pub const BYTES: usize = 32;

    /// Returns the stamp that a message begins with; `None` without one, and when another process wrote it.
    #[must_use]
    pub fn read(message: &[u8]) -> Option<Self> {
        let header = message.first_chunk::<{ Self::BYTES }>()?;
        if header[..2] != MAGIC || header[2..8] != process_number()[..] {
            return None;
        }
        let number = |at: usize| Some(u32::from_le_bytes(header.get(at..at + 4)?.try_into().ok()?));
        let long = |at: usize| Some(u64::from_le_bytes(header.get(at..at + 8)?.try_into().ok()?));
        Some(Self {
            verifier: number(8)?,
            publisher: number(12)?,
            sequence: long(16)?,
            intended: instant(long(24)?.cast_signed())?,
        })
    }

    /// Returns what follows the stamp, without copying it; all of a message without one.
    #[must_use]
    pub fn payload(message: &Bytes) -> Bytes {
        if Self::read(message).is_some() { message.slice(Self::BYTES..) } else { message.clone() }
    }

    /// Returns the number that the message was given: the operation's, or the publisher's own when a verifier stamped it.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Returns when the message was due.
    #[must_use]
    pub fn intended_start(&self) -> Instant {
        self.intended
    }

    /// Returns the time from the intended start until now; zero for one that is not due yet.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.intended.elapsed()
    }

    /// Returns a message: this stamp, and the payload behind it. What it allocates is not the test's in a
    /// [`MemoryProbe`](crate::MemoryProbe).
    pub(super) fn write(&self, payload: &[u8]) -> Bytes {
        let _ours = memory::ours();
        let mut message = Vec::with_capacity(Self::BYTES + payload.len());
        message.extend_from_slice(&MAGIC);
        message.extend_from_slice(process_number());
        message.extend_from_slice(&self.verifier.to_le_bytes());
        message.extend_from_slice(&self.publisher.to_le_bytes());
        message.extend_from_slice(&self.sequence.to_le_bytes());
        message.extend_from_slice(&nanos(self.intended).to_le_bytes());
        message.extend_from_slice(payload);
        message.into()
    }
}

/// Returns a stamped message that belongs to no verifier.
pub(super) fn write(intended: Instant, sequence: u64, payload: &[u8]) -> Bytes {
    Stamp { verifier: 0, publisher: 0, sequence, intended }.write(payload)
}

/// What tells stamps of this process from those of any other.
fn process_number() -> &'static [u8; 6] {
    static NUMBER: OnceLock<[u8; 6]> = OnceLock::new();
    NUMBER.get_or_init(|| {
        // Its keys are random for each process.
        let [a, b, c, d, e, f, ..] = RandomState::new().hash_one(std::process::id()).to_le_bytes();
        [a, b, c, d, e, f]
    })
}

fn epoch() -> Instant {
    static EPOCH: OnceLock<Instant> = OnceLock::new();
    *EPOCH.get_or_init(Instant::now)
}

/// From the epoch; negative before it. 292 years are the limit.
fn nanos(at: Instant) -> i64 {
    let (since, before) = (at.checked_duration_since(epoch()), epoch().saturating_duration_since(at));
    let whole = |duration: Duration| i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
    since.map_or_else(|| -whole(before), whole)
}

fn instant(nanos: i64) -> Option<Instant> {
    let distance = Duration::from_nanos(nanos.unsigned_abs());
    if nanos < 0 { epoch().checked_sub(distance) } else { epoch().checked_add(distance) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_back() {
        let early = epoch().checked_sub(Duration::from_millis(5)).unwrap();
        for intended in [Instant::now(), early, epoch()] {
            let message = write(intended, u64::MAX, b"payload");
            let stamp = Stamp::read(&message).unwrap();
            assert_eq!((stamp.sequence(), stamp.intended_start()), (u64::MAX, intended));
            assert_eq!((stamp.verifier, stamp.publisher), (0, 0));
            assert_eq!(Stamp::payload(&message), "payload");
            assert_eq!(message.len(), Stamp::BYTES + 7);
        }
    }

    #[test]
    fn what_this_process_did_not_stamp_has_no_stamp() {
        let message = write(Instant::now(), 1, b"");
        assert!(Stamp::read(&message).is_some());
        assert_eq!(Stamp::read(&message[..31]), None);
        for at in 0..8 {
            let mut other = message.to_vec();
            other[at] ^= 1;
            assert_eq!(Stamp::read(&other), None, "{at}");
            assert_eq!(Stamp::payload(&other.clone().into()), other);
        }
        assert_eq!(Stamp::read(b""), None);
        assert_eq!(Stamp::read(&[0; 64]), None);
    }

    #[test]
    fn no_time_at_all_makes_it_panic() {
        let mut message = write(Instant::now(), 1, b"").to_vec();
        for bytes in [[0xff; 8], [0; 8], i64::MIN.to_le_bytes(), i64::MAX.to_le_bytes()] {
            message[24..32].copy_from_slice(&bytes);
            if let Some(stamp) = Stamp::read(&message) {
                assert!(stamp.age() >= Duration::ZERO);
            }
        }
    }
}
