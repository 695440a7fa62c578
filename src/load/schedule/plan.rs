//! Open phases in one piece, and when each of their operations is due.

use std::sync::Arc;
use std::time::Duration;

use super::curve::{self, Part};
use super::phase::{Phase, Slope};
use crate::load::random::{Random, mix};

/// No rate is higher, per second.
pub(super) const HIGHEST_RATE: f64 = 1e9;

/// Open phases, one right after the other.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plan {
    phases: Arc<[Phase]>,
    pieces: Arc<[Piece]>,
    count: u64,
    /// Nanoseconds.
    length: u64,
}

/// One burst of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Burst {
    /// The number of its first arrival within the plan, from 0.
    pub(crate) first: u64,
    pub(crate) size: u64,
    /// Nanoseconds from the plan's start.
    pub(crate) at: u64,
}

/// What is computed by one formula; times in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Piece {
    start: u64,
    length: u64,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Curve(Part),
    Bursts {
        size: u64,
        every: u64,
        bursts: u64,
    },
    /// Nanoseconds from one arrival to the next, on average.
    Poisson {
        mean: f64,
        seed: u64,
    },
}

impl Plan {
    /// The plan of phases that are open, and checked.
    pub(super) fn of(phases: &[Phase]) -> Self {
        let pieces: Arc<[Piece]> = pieces(phases).into();
        let length = pieces.last().map_or(0, |piece| piece.start + piece.length);
        let count = pieces.iter().map(Piece::count).sum();
        Self { phases: phases.into(), pieces, count, length }
    }

    /// Intended starts in nanoseconds from the plan's start, never falling.
    pub(crate) fn arrivals(&self) -> Arrivals {
        Arrivals::new(Arc::clone(&self.pieces))
    }

    /// How many there will be, exactly.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    pub(crate) fn duration(&self) -> Duration {
        Duration::from_nanos(self.length)
    }

    /// The bursts, in order; empty without a phase of bursts.
    pub(crate) fn bursts(&self) -> Vec<Burst> {
        let mut found = Vec::new();
        let mut first = 0;
        for piece in &*self.pieces {
            if let Kind::Bursts { size, every, bursts } = piece.kind {
                let burst =
                    |place| Burst { first: first + place * size, size, at: piece.start + place * every };
                found.extend((0..bursts).map(burst));
            }
            first += piece.count();
        }
        found
    }

    /// A plan that warms up for this one: at the rate with which it begins, for `duration`. That is the mean rate of bursts and of a
    /// ramp from 0, and the first one above 0 of stairs and spikes; a Poisson phase has other arrivals of its rate. It has none where
    /// the rate comes to less than one in that time.
    pub(crate) fn warm_up(&self, duration: Duration) -> Self {
        let steady = |rate: f64| Phase::Steady { rate: rate.min(HIGHEST_RATE), duration };
        let phase = self.phases.iter().find_map(|phase| match *phase {
            #[expect(clippy::cast_precision_loss, reason = "a mean needs no more than 53 bits")]
            Phase::Burst { size, every, .. } => Some(steady(size as f64 / every.as_secs_f64())),
            Phase::Poisson { rate, seed, .. } => Some(Phase::Poisson { rate, duration, seed: mix(seed, 0) }),
            _ => phase.slopes()?.iter().find_map(first_rate).map(steady),
        });
        Self::of(phase.as_slice())
    }
}

/// The rate with which a slope begins, or its mean where that is 0; `None` where all of it is.
fn first_rate(slope: &Slope) -> Option<f64> {
    let rates = [slope.from, f64::midpoint(slope.from, slope.to)];
    rates.into_iter().find(|rate| *rate > 0.0 && !slope.duration.is_zero())
}

fn pieces(phases: &[Phase]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut add = |length, kind| {
        pieces.push(Piece { start, length, kind });
        start += length;
    };
    for run in phases.chunk_by(|one, next| one.slopes().is_some() && next.slopes().is_some()) {
        match run[0] {
            Phase::Burst { size, every, bursts } => {
                let every = nanoseconds(every);
                add(every * bursts, Kind::Bursts { size, every, bursts });
            }
            Phase::Poisson { rate, duration, seed } => {
                add(nanoseconds(duration), Kind::Poisson { mean: 1e9 / rate, seed });
            }
            _ => {
                let slopes: Vec<Slope> = run.iter().filter_map(Phase::slopes).flatten().collect();
                for (slope, part) in slopes.iter().zip(curve::parts(&slopes)) {
                    add(nanoseconds(slope.duration), Kind::Curve(part));
                }
            }
        }
    }
    pieces
}

/// Of at most a day.
fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

impl Piece {
    fn count(&self) -> u64 {
        match self.kind {
            Kind::Curve(part) => part.count,
            Kind::Bursts { size, bursts, .. } => size * bursts,
            Kind::Poisson { mean, seed } => Gaps::new(mean, seed, self.length).map(|_| 1).sum(),
        }
    }
}

/// Intended starts in nanoseconds from the plan's start, never falling. Nothing is stored of them.
#[derive(Clone, Debug)]
pub(crate) struct Arrivals {
    pieces: Arc<[Piece]>,
    /// The number of the piece after the one that is gone through.
    next: usize,
    start: u64,
    within: Within,
}

/// How far the present piece is gone through.
#[derive(Clone, Debug)]
enum Within {
    Curve { part: Part, place: u64, last: u64 },
    Burst { size: u64, every: u64, bursts: u64, at: u64, left: u64 },
    Poisson(Gaps),
}

impl Arrivals {
    /// Those of phases that are open, and checked.
    pub(super) fn of(phases: &[Phase]) -> Self {
        Self::new(pieces(phases).into())
    }

    fn new(pieces: Arc<[Piece]>) -> Self {
        // A burst of nothing: the first piece is taken up at the first call.
        let within = Within::Burst { size: 0, every: 0, bursts: 0, at: 0, left: 0 };
        Self { pieces, next: 0, start: 0, within }
    }

    #[cold]
    fn next_piece(&mut self) -> Option<()> {
        let piece = self.pieces.get(self.next)?;
        self.next += 1;
        self.start = piece.start;
        self.within = match piece.kind {
            Kind::Curve(part) => Within::Curve { part, place: 0, last: piece.length.saturating_sub(1) },
            Kind::Bursts { size, every, bursts } => {
                Within::Burst { size, every, bursts: bursts.saturating_sub(1), at: 0, left: size }
            }
            Kind::Poisson { mean, seed } => Within::Poisson(Gaps::new(mean, seed, piece.length)),
        };
        Some(())
    }
}

impl Iterator for Arrivals {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        loop {
            if let Some(due) = self.within.next() {
                return Some(self.start + due);
            }
            self.next_piece()?;
        }
    }
}

impl Within {
    /// Nanoseconds from the piece's start.
    fn next(&mut self) -> Option<u64> {
        match self {
            Self::Curve { part, place, last } => {
                let due = (*place < part.count).then(|| part.due(*place))?;
                *place += 1;
                Some(due.min(*last)) // which rounding may have passed
            }
            Self::Burst { size, every, bursts, at, left } => {
                if *left == 0 {
                    *bursts = bursts.checked_sub(1)?;
                    *at += *every;
                    *left = *size;
                }
                *left -= 1;
                Some(*at)
            }
            Self::Poisson(gaps) => gaps.next(),
        }
    }
}

/// Arrivals whose distances are exponential: a Poisson process.
#[derive(Clone, Debug)]
struct Gaps {
    random: Random,
    mean: f64,
    /// Of the last arrival. A sum, because the gaps are what is random; at the end of a day it is rounded to 1/64 ns.
    at: f64,
    length: u64,
}

impl Gaps {
    fn new(mean: f64, seed: u64, length: u64) -> Self {
        Self { random: Random::new(seed), mean, at: 0.0, length }
    }
}

impl Iterator for Gaps {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        // From above 0 to 1, so that the logarithm is finite.
        let unit = 1.0 - self.random.unit();
        self.at -= unit.ln() * self.mean;
        let due = crate::memory::text::whole(self.at);
        (due < self.length).then_some(due)
    }
}
