//! A histogram of nanoseconds in fixed memory: whole nanoseconds up to 255, from there 128 buckets for each doubling, so that
//! a value read back is at most 0.4 % away from the one recorded.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Buckets for each doubling.
const PER_OCTAVE: u64 = 128;
const OCTAVE_BITS: u32 = PER_OCTAVE.trailing_zeros();
/// Below this, each value has a bucket of its own.
const EXACT: u64 = PER_OCTAVE * 2;
/// Values from 2^42 ns (73 minutes) share the last bucket; the exact maximum is kept apart.
const TOP_BITS: u32 = 42;
#[expect(clippy::cast_possible_truncation, reason = "some thousands")]
const BUCKETS: usize = (EXACT + (TOP_BITS - OCTAVE_BITS - 1) as u64 * PER_OCTAVE) as usize + 1;

/// In which bucket a value is.
#[inline]
fn bucket_of(nanos: u64) -> usize {
    if nanos < EXACT {
        return usize::try_from(nanos).unwrap_or_default();
    }
    let octave = nanos.ilog2() - OCTAVE_BITS;
    let within = (nanos >> octave) - PER_OCTAVE;
    usize::try_from(u64::from(octave + 1) * PER_OCTAVE + within)
        .map_or(BUCKETS - 1, |bucket| bucket.min(BUCKETS - 1))
}

/// The values that a bucket holds, from the least to one above the largest.
pub(super) fn bounds(bucket: usize) -> (u64, u64) {
    let bucket = bucket as u64;
    if bucket < EXACT {
        return (bucket, bucket + 1);
    }
    let octave = bucket / PER_OCTAVE - 1;
    let low = (PER_OCTAVE + bucket % PER_OCTAVE) << octave;
    (low, low + (1 << octave))
}

#[inline]
pub(super) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Counts while a run is under way. [`add`](Self::add) is for one thread at a time and costs plain loads and stores;
/// [`add_shared`](Self::add_shared) is for any. Both may be read at any time.
#[derive(Debug)]
pub(super) struct Recording {
    buckets: Box<[AtomicU64]>,
    sum: AtomicU64,
    /// The bits of an `f64`: squares of nanoseconds outgrow 64 bits.
    squares: AtomicU64,
    min: AtomicU64,
    max: AtomicU64,
}

impl Recording {
    pub(super) fn new() -> Self {
        let buckets = std::iter::repeat_with(AtomicU64::default).take(BUCKETS).collect();
        let [sum, squares, max] = [const { AtomicU64::new(0) }; 3];
        Self { buckets, sum, squares, min: AtomicU64::new(u64::MAX), max }
    }

    /// What one of them takes, in bytes.
    pub(super) const BYTES: u64 = (BUCKETS * size_of::<AtomicU64>() + size_of::<Self>()) as u64;

    /// Records a value; by no other thread at the same time.
    #[inline]
    pub(super) fn add(&self, nanos: u64) {
        let plus = |cell: &AtomicU64, more: u64| cell.store(cell.load(Relaxed).wrapping_add(more), Relaxed);
        plus(&self.buckets[bucket_of(nanos)], 1);
        plus(&self.sum, nanos);
        let squares = f64::from_bits(self.squares.load(Relaxed)) + square(nanos);
        self.squares.store(squares.to_bits(), Relaxed);
        if nanos < self.min.load(Relaxed) {
            self.min.store(nanos, Relaxed);
        }
        if nanos > self.max.load(Relaxed) {
            self.max.store(nanos, Relaxed);
        }
    }

    /// Records a value, at several times the cost, from any number of threads.
    pub(super) fn add_shared(&self, nanos: u64) {
        self.buckets[bucket_of(nanos)].fetch_add(1, Relaxed);
        self.sum.fetch_add(nanos, Relaxed);
        let more = |bits| Some((f64::from_bits(bits) + square(nanos)).to_bits());
        let _ = self.squares.fetch_update(Relaxed, Relaxed, more); // never refused
        self.min.fetch_min(nanos, Relaxed);
        self.max.fetch_max(nanos, Relaxed);
    }

    /// How many values were recorded so far.
    pub(super) fn count(&self) -> u64 {
        self.buckets.iter().map(|bucket| bucket.load(Relaxed)).sum()
    }

    /// Adds what was recorded so far to `counts`; values being recorded at this moment may be in it in part.
    pub(super) fn add_to(&self, counts: &mut Counts) {
        for (bucket, count) in self.buckets.iter().zip(&mut counts.buckets) {
            *count += bucket.load(Relaxed);
        }
        counts.sum += u128::from(self.sum.load(Relaxed));
        counts.squares += f64::from_bits(self.squares.load(Relaxed));
        counts.min = counts.min.min(self.min.load(Relaxed));
        counts.max = counts.max.max(self.max.load(Relaxed));
    }
}

#[expect(clippy::cast_precision_loss, reason = "53 bits are more than a deviation needs")]
#[inline]
fn square(nanos: u64) -> f64 {
    (nanos as f64) * (nanos as f64)
}

/// What was recorded up to one moment.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Counts {
    pub(super) buckets: Vec<u64>,
    pub(super) sum: u128,
    pub(super) squares: f64,
    pub(super) min: u64,
    pub(super) max: u64,
}

impl Counts {
    pub(super) fn new() -> Self {
        Self { buckets: vec![0; BUCKETS], sum: 0, squares: 0.0, min: u64::MAX, max: 0 }
    }

    pub(super) fn total(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// What was recorded since `before`, as exactly as buckets tell: minimum and maximum are the bounds of theirs.
    pub(super) fn since(&self, before: &Self) -> Self {
        let buckets: Vec<_> =
            self.buckets.iter().zip(&before.buckets).map(|(now, then)| now.saturating_sub(*then)).collect();
        let used = || buckets.iter().enumerate().filter(|(_, count)| **count > 0).map(|(bucket, _)| bucket);
        let min = used().next().map_or(u64::MAX, |bucket| bounds(bucket).0.max(self.min));
        let max = used().next_back().map_or(0, |bucket| (bounds(bucket).1 - 1).min(self.max));
        let (sum, squares) = (self.sum.saturating_sub(before.sum), self.squares - before.squares);
        Self { buckets, sum, squares, min, max }
    }

    /// Sets everything back to nothing, without giving up its memory.
    pub(super) fn clear(&mut self) {
        self.buckets.fill(0);
        (self.sum, self.squares, self.min, self.max) = (0, 0.0, u64::MAX, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_is_within_its_bucket_and_buckets_meet() {
        for bucket in 0..BUCKETS - 1 {
            let (low, high) = bounds(bucket);
            assert_eq!((bucket_of(low), bucket_of(high - 1)), (bucket, bucket), "{bucket}");
            assert_eq!(bounds(bucket + 1).0, high, "{bucket}");
        }
    }

    #[test]
    fn a_bucket_is_at_most_one_part_in_128_wide() {
        for bucket in usize::try_from(EXACT).unwrap()..BUCKETS {
            let (low, high) = bounds(bucket);
            assert!((high - low) * 128 <= low, "{bucket}: {low}..{high}");
        }
    }

    #[test]
    fn values_beyond_the_top_are_in_the_last_bucket() {
        assert_eq!(bucket_of(1 << TOP_BITS), BUCKETS - 1);
        assert_eq!(bucket_of(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn both_ways_of_recording_say_the_same() {
        let (alone, shared) = (Recording::new(), Recording::new());
        for value in [0, 1, 255, 256, 1_000_003, 1 << 41, u64::from(u32::MAX)] {
            alone.add(value);
            shared.add_shared(value);
        }
        let [mut a, mut b] = [Counts::new(), Counts::new()];
        alone.add_to(&mut a);
        shared.add_to(&mut b);
        assert_eq!(a, b);
        assert_eq!((a.total(), a.min, a.max), (7, 0, 1 << 41));
    }
}
