//! Which workers wait for an arrival: a bit for each, set and cleared without a lock.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst};

/// Whom to wake first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// The one with the lowest number: what is in use stays in the cache.
    Lowest,
    /// One after the other: each has a state of its own, such as a connection, which is there to be used.
    Round,
}

#[derive(Debug)]
pub(super) struct Idle {
    words: Box<[AtomicU64]>,
    order: Order,
    /// With which word, or in turn which worker, to begin.
    turn: AtomicUsize,
}

impl Idle {
    pub(super) fn new(workers: usize, order: Order) -> Self {
        let words = std::iter::repeat_with(AtomicU64::default).take(workers.div_ceil(64)).collect();
        Self { words, order, turn: AtomicUsize::new(0) }
    }

    /// Says that a worker is about to wait. It must look for work once more after that.
    pub(super) fn add(&self, worker: usize) {
        self.words[worker / 64].fetch_or(1 << (worker % 64), SeqCst);
    }

    /// Says that a worker has found work by itself.
    pub(super) fn remove(&self, worker: usize) {
        self.words[worker / 64].fetch_and(!(1 << (worker % 64)), SeqCst);
    }

    /// Takes one that waits, if there is one.
    pub(super) fn take(&self) -> Option<usize> {
        let from = if self.order == Order::Round { self.turn.load(Relaxed) } else { 0 };
        let found = self.take_from(from)?;
        if self.order == Order::Round {
            self.turn.store(found + 1, Relaxed);
        }
        Some(found)
    }

    fn take_from(&self, first: usize) -> Option<usize> {
        let words = self.words.len();
        let start = first / 64 % words.max(1);
        // The word of the start is looked at twice: from its bit on, and at the end as a whole.
        (0..=words).find_map(|step| {
            let word = (start + step) % words;
            let mask = if step == 0 { u64::MAX << (first % 64) } else { u64::MAX };
            self.take_of(word, mask)
        })
    }

    fn take_of(&self, word: usize, mask: u64) -> Option<usize> {
        let mut seen = self.words[word].load(SeqCst);
        while seen & mask != 0 {
            let bit = (seen & mask).trailing_zeros();
            seen = self.words[word].fetch_and(!(1 << bit), SeqCst);
            if seen & (1 << bit) != 0 {
                return usize::try_from(bit).ok().map(|bit| word * 64 + bit);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_is_taken_first() {
        let idle = Idle::new(130, Order::Lowest);
        [129, 3, 64].into_iter().for_each(|worker| idle.add(worker));
        assert_eq!(std::iter::from_fn(|| idle.take()).collect::<Vec<_>>(), [3, 64, 129]);
    }

    #[test]
    fn in_turn_each_is_taken_once_a_round() {
        let idle = Idle::new(70, Order::Round);
        (0..70).for_each(|worker| idle.add(worker));
        for round in 0..3 {
            let taken: Vec<_> = (0..70)
                .map(|_| {
                    let worker = idle.take().unwrap();
                    idle.add(worker);
                    worker
                })
                .collect();
            assert_eq!(taken, (0..70).collect::<Vec<_>>(), "{round}");
        }
    }

    #[test]
    fn one_that_left_is_not_taken() {
        let idle = Idle::new(1, Order::Round);
        idle.add(0);
        idle.remove(0);
        assert_eq!(idle.take(), None);
    }

    #[test]
    fn each_is_taken_once_by_many_threads() {
        let idle = Idle::new(1000, Order::Lowest);
        (0..1000).for_each(|worker| idle.add(worker));
        let taken = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..4).map(|_| scope.spawn(|| std::iter::from_fn(|| idle.take()).count())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>()
        });
        assert_eq!(taken, 1000);
    }
}
