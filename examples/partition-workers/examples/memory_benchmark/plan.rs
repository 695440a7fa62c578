//! What is measured, in which order, and how long it will take.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::arguments::{Arguments, REPEATS_TO_SAVE};
use super::cell::Cell;
use super::order::{Job, Order};
use super::progress::text;

const REPEATS: usize = 5;
const QUICK_REPEATS: usize = 3;
const LOAD: Duration = Duration::from_secs(2);
const QUICK_LOAD: Duration = Duration::from_millis(400);
/// The leak check has as many workers as this, or as near as there are.
const LEAK_WORKERS: u32 = 10;

/// A run of the benchmark.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) cells: Vec<Cell>,
    pub(crate) repeats: usize,
    pub(crate) load: Duration,
    pub(crate) quick: bool,
    pub(crate) seed: u64,
    more_memory: u32,
    leak: usize,
    seeks_leaks: bool,
}

impl Plan {
    pub(crate) fn of(arguments: &Arguments) -> Self {
        let repeats = match arguments {
            Arguments { quick: true, .. } => QUICK_REPEATS,
            Arguments { save: Some(_), .. } => REPEATS_TO_SAVE,
            _ => REPEATS,
        };
        Self {
            cells: arguments.cells(),
            repeats: arguments.repeats.unwrap_or(repeats),
            load: arguments.load.unwrap_or(if arguments.quick { QUICK_LOAD } else { LOAD }),
            quick: arguments.quick,
            seed: arguments.seed.unwrap_or_else(any_seed),
            more_memory: arguments.more_memory,
            leak: arguments.leak,
            seeks_leaks: !arguments.no_leak_check,
        }
    }

    /// What the children have to do, one after the other: each repeat has an order of its own, so that what drifts on the machine
    /// meets all cells alike.
    pub(crate) fn orders(&self) -> Vec<Order> {
        let mut random = Random(self.seed);
        let mut orders = Vec::new();
        for _ in 0..self.repeats {
            let mut cells = self.cells.clone();
            random.shuffle(&mut cells);
            orders.extend(cells.into_iter().map(|cell| self.order(cell, Job::Measure, random.next())));
        }
        orders
    }

    /// The check for leaks: of one cell, since each costs seconds; `None` where the user leaves it out.
    pub(crate) fn leak_check(&self) -> Option<Order> {
        let far = |cell: &&Cell| (cell.workers.abs_diff(LEAK_WORKERS), cell.partitions);
        // OK because there is always a cell.
        let cell = self.cells.iter().min_by_key(far).expect("there are cells");
        self.seeks_leaks.then(|| self.order(*cell, Job::SeekLeaks, self.seed))
    }

    fn order(&self, cell: Cell, job: Job, seed: u64) -> Order {
        Order { job, cell, load: self.load, seed, more_memory: self.more_memory, leak: self.leak }
    }

    /// What is to come, before it begins.
    pub(crate) fn announcement(&self) -> String {
        let many = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
        let (cells, repeats) = (many(self.cells.len(), "configuration"), many(self.repeats, "repeat"));
        format!("{cells}, {repeats}, seed {}: about {}", self.seed, text(self.expected()))
    }

    /// About how long it takes on a machine that does nothing else.
    pub(crate) fn expected(&self) -> Duration {
        self.orders().iter().chain(&self.leak_check()).map(Order::expected).sum()
    }
}

/// From the clock: a run is another each time, and its seed is printed.
fn any_seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Random(now.as_secs() ^ u64::from(now.subsec_nanos()) << 32).next() % 1_000_000
}

/// `SplitMix64` (Steele, Lea and Flood, 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Fisher and Yates.
    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = usize::try_from(self.next() % (last as u64 + 1)).unwrap_or(0);
            items.swap(last, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(arguments: Arguments) -> Plan {
        Plan::of(&arguments)
    }

    #[test]
    fn each_repeat_has_every_cell_in_an_order_of_its_own() {
        let plan = plan(Arguments { seed: Some(7), ..Arguments::default() });
        let orders: Vec<Cell> = plan.orders().iter().map(|order| order.cell).collect();
        let repeats: Vec<_> = orders.chunks(plan.cells.len()).collect();
        assert_eq!(repeats.len(), REPEATS);
        for repeat in &repeats {
            let mut sorted = repeat.to_vec();
            sorted.sort();
            assert_eq!(sorted, plan.cells);
        }
        assert!(repeats.iter().any(|repeat| *repeat != repeats[0]), "{repeats:?}");
    }

    #[test]
    fn a_seed_repeats_a_run() {
        let with = |seed| plan(Arguments { seed: Some(seed), ..Arguments::default() }).orders();
        assert_eq!(with(7), with(7));
        assert_ne!(with(7), with(8));
    }

    /// By the reference implementation: `prng.vigna.org/splitmix64.c` with the state 1234567.
    #[test]
    fn random_numbers_are_those_of_splitmix64() {
        let mut random = Random(1_234_567);
        assert_eq!([random.next(), random.next()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
    }

    #[test]
    fn a_run_to_be_saved_has_enough_repeats() {
        assert_eq!(
            plan(Arguments { save: Some("a".into()), ..Arguments::default() }).repeats,
            REPEATS_TO_SAVE
        );
        assert_eq!(plan(Arguments { quick: true, ..Arguments::default() }).repeats, QUICK_REPEATS);
    }

    #[test]
    fn leaks_are_sought_with_about_ten_workers() {
        let of = |only: &[&str]| {
            let only = only.iter().map(|cell| cell.parse().unwrap()).collect();
            plan(Arguments { only, ..Arguments::default() }).leak_check().unwrap().cell.to_string()
        };
        assert_eq!(of(&[]), "10w-100p");
        assert_eq!(of(&["1w-10p"]), "1w-10p");
        assert_eq!(of(&["1w-10p", "50w-10p", "8w-20p"]), "8w-20p");
    }
}
