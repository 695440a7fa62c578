//! Bursts: how many of each were served, and when the last of them was.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::record::End;
use crate::load::figures::BurstFigures;

#[derive(Debug)]
struct Burst {
    /// The number of its first arrival in the run.
    first: u64,
    size: u64,
    /// In nanoseconds from the start of the schedule.
    at: u64,
    well: AtomicU64,
    otherwise: AtomicU64,
    /// From its start until its last operation so far ended, in nanoseconds.
    longest: AtomicU64,
}

#[derive(Debug, Default)]
pub(super) struct Bursts(Vec<Burst>);

impl Bursts {
    /// Adds a burst; in the order of their numbers.
    pub(super) fn add(&mut self, first: u64, size: u64, at: u64) {
        let [well, otherwise, longest] = [const { AtomicU64::new(0) }; 3];
        self.0.push(Burst { first, size, at, well, otherwise, longest });
    }

    #[inline]
    pub(super) fn record(&self, sequence: u64, intended: Option<u64>, end: u64, how: End) {
        let (Some(intended), false) = (intended, self.0.is_empty()) else { return };
        let after = self.0.partition_point(|burst| burst.first <= sequence);
        let Some(burst) = after.checked_sub(1).map(|at| &self.0[at]) else { return };
        if sequence - burst.first < burst.size {
            let count = if how == End::Well { &burst.well } else { &burst.otherwise };
            count.fetch_add(1, Relaxed);
            burst.longest.fetch_max(end.saturating_sub(intended), Relaxed);
        }
    }

    pub(super) fn figures(&self) -> Vec<BurstFigures> {
        self.0.iter().map(Burst::figures).collect()
    }
}

impl Burst {
    fn figures(&self) -> BurstFigures {
        let succeeded = self.well.load(Relaxed);
        let ended = succeeded + self.otherwise.load(Relaxed);
        let drained = (ended == self.size).then(|| Duration::from_nanos(self.longest.load(Relaxed)));
        BurstFigures {
            at: Duration::from_nanos(self.at),
            size: self.size,
            succeeded,
            failed: self.size.saturating_sub(succeeded),
            drained,
        }
    }
}
