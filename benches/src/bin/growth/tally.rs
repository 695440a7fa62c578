//! How often each judge said what.

use isolated_nats::{GrowthReport, GrowthVerdict};
use isolated_nats_benches::Error;
use isolated_nats_benches::random::Random;
use isolated_nats_benches::stats::wilson;

use crate::judges::Judge;
use crate::series::{Leak, Shape, draw};

/// A cell: series of one kind, judged against one ceiling.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    pub(crate) shape: Shape,
    pub(crate) leak: Leak,
    pub(crate) bytes_per_round: f64,
    pub(crate) rounds: usize,
    pub(crate) ceiling: f64,
}

/// The answers to a cell.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    trials: usize,
    fail: usize,
    pass: usize,
    least_squares: usize,
    last_less_first: usize,
}

impl Tally {
    pub(crate) fn of(cell: Cell, trials: usize, seed: u64) -> Result<Self, Error> {
        let mut random = Random::new(seed);
        let mut tally = Self { trials, ..Self::default() };
        for _ in 0..trials {
            let live = draw(cell.shape, cell.leak, cell.bytes_per_round, cell.rounds, &mut random);
            match Judge::Crate.judge(&live, cell.ceiling)? {
                GrowthVerdict::Fail => tally.fail += 1,
                GrowthVerdict::Pass => tally.pass += 1,
                _ => {}
            }
            tally.least_squares += fails(Judge::LeastSquares, &live, cell.ceiling)?;
            tally.last_less_first += fails(Judge::LastLessFirst, &live, cell.ceiling)?;
        }
        Ok(tally)
    }

    /// The columns: fail with its interval, pass, inconclusive, and the fails of the two others.
    pub(crate) fn columns(&self) -> [String; 6] {
        let share = |hits: usize| format!("{:.1}", 100.0 * hits as f64 / self.trials as f64);
        let (low, high) = wilson(self.fail, self.trials);
        [
            share(self.fail),
            format!("{:.1}-{:.1}", 100.0 * low, 100.0 * high),
            share(self.pass),
            share(self.trials - self.fail - self.pass),
            share(self.least_squares),
            share(self.last_less_first),
        ]
    }
}

fn fails(judge: Judge, live: &[i64], ceiling: f64) -> Result<usize, Error> {
    Ok(usize::from(judge.judge(live, ceiling)? == GrowthVerdict::Fail))
}

/// How many series were inconclusive with a number of rounds that would tell, how many of these were no longer so in a
/// new series with that number, and the median of that number.
pub(crate) fn resolved(cell: Cell, trials: usize, seed: u64) -> Result<(usize, usize, Option<usize>), Error> {
    let mut random = Random::new(seed);
    let (mut asked, mut resolved) = (Vec::new(), 0);
    for _ in 0..trials {
        let live = draw(cell.shape, cell.leak, cell.bytes_per_round, cell.rounds, &mut random);
        let Err(error) = GrowthReport::of_live_bytes(&live)?.check_at_most(cell.ceiling) else { continue };
        let Some(rounds) = error.rounds_to_tell() else { continue };
        let again = draw(cell.shape, cell.leak, cell.bytes_per_round, rounds, &mut random);
        let told = Judge::Crate.judge(&again, cell.ceiling)? != GrowthVerdict::Inconclusive;
        resolved += usize::from(told);
        asked.push(rounds);
    }
    asked.sort_unstable();
    Ok((asked.len(), resolved, asked.get(asked.len() / 2).copied()))
}
