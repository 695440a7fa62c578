//! The programs that have one allocator each, one after the other in each round.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Instant;

use isolated_nats_benches::Error;
use isolated_nats_benches::apart::{self, numbers};
use isolated_nats_benches::pairs::Cell;
use isolated_nats_benches::random::Random;

use crate::arguments::Arguments;

pub(crate) const FLAVORS: [&str; 2] = ["current_thread", "multi_thread"];
const DOCUMENTS: usize = 1500;
const UNOPTIMISED_DOCUMENTS: usize = 200;
/// So many times fewer for the one that is that much slower, in every so many rounds.
const FEWER: usize = 30;
const EVERY: usize = 5;

/// A program, and the guard that is asked of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    program: &'static str,
    guard: &'static str,
}

const fn entry(name: &'static str, program: &'static str, guard: &'static str) -> Entry {
    Entry { name, program, guard }
}

/// All of them; the first is what the others are compared with.
pub(crate) const ENTRIES: [Entry; 10] = [
    entry("System", "allocator-system", "-"),
    entry("isolated-nats, probe alive", "allocator-isolated-nats", "probe"),
    entry("isolated-nats, no probe alive", "allocator-isolated-nats", "-"),
    entry("stats_alloc 0.1.10", "allocator-stats-alloc", "-"),
    entry("peak_alloc 0.3.0", "allocator-peak-alloc", "-"),
    entry("tracking-allocator 0.4.0", "allocator-tracking-allocator", "-"),
    entry("divan 0.1.21", "allocator-divan", "-"),
    entry("alloc_tracker 0.7.13", "allocator-alloc-tracker", "-"),
    entry(COUNTER.0, COUNTER.1, "-"),
    entry("dhat 0.3.3", SLOW, "-"),
];
const COUNTER: (&str, &str) = ("allocation-counter 0.8.1", "allocator-allocation-counter");
const SLOW: &str = "allocator-dhat";

/// The programs, built.
#[derive(Clone, Debug)]
pub(crate) struct Programs(apart::Programs);

/// The numbers a program prints, by entry and flavor, and by round.
pub(crate) type Workloads = BTreeMap<(usize, usize), BTreeMap<usize, Vec<f64>>>;

pub(crate) fn build(unoptimised: bool) -> Result<Programs, Error> {
    let programs: Vec<&str> = ENTRIES.iter().map(|entry| entry.program).collect();
    Ok(Programs(apart::Programs::build(&programs, unoptimised)?))
}

impl Programs {
    /// The ratios of allocation-counter to `System`, by cell, from the process that it has to itself.
    pub(crate) fn pairs(&self, arguments: &Arguments) -> Result<BTreeMap<Cell, Vec<f64>>, Error> {
        let rounds = (arguments.pair_rounds / 4).to_string();
        let (seconds, seed) = (arguments.pairs_longest.as_secs_f64() / 5.0, arguments.seed.to_string());
        let text = self.0.run(COUNTER.1, &["pairs", &rounds, &seconds.to_string(), &seed])?;
        let cells = Cell::all();
        let mut ratios: BTreeMap<Cell, Vec<f64>> = BTreeMap::new();
        for line in text.lines() {
            let (number, ratio) = line.split_once(' ').ok_or_else(|| format!("`{line}` is no answer"))?;
            let cell = cells.get(usize::from_str(number)?).ok_or("there is no such cell")?;
            ratios.entry(*cell).or_default().push(ratio.parse()?);
        }
        Ok(ratios)
    }

    pub(crate) fn workloads(&self, arguments: &Arguments, random: &mut Random) -> Result<Workloads, Error> {
        let started = Instant::now();
        let documents = if arguments.unoptimised { UNOPTIMISED_DOCUMENTS } else { DOCUMENTS };
        let mut measured = Workloads::new();
        for round in 0..arguments.workload_rounds {
            if started.elapsed() > arguments.workloads_longest {
                break;
            }
            for (flavor, name) in FLAVORS.into_iter().enumerate() {
                let mut turn: Vec<usize> = (0..ENTRIES.len()).collect();
                random.shuffle(&mut turn);
                for number in turn {
                    let entry = ENTRIES[number];
                    let slow = entry.program == SLOW;
                    if slow && !round.is_multiple_of(EVERY) {
                        continue;
                    }
                    let documents = if slow { documents / FEWER } else { documents }.to_string();
                    let text = self.0.run(entry.program, &["workload", name, &documents, entry.guard])?;
                    measured.entry((number, flavor)).or_default().insert(round, numbers(&text)?);
                }
            }
        }
        Ok(measured)
    }

    /// What each program says of a zeroed and of a growing vector, once in each round.
    pub(crate) fn behaviours(&self, arguments: &Arguments) -> Result<Vec<Vec<Vec<f64>>>, Error> {
        let mut measured = vec![Vec::new(); ENTRIES.len()];
        for _ in 0..arguments.behaviour_rounds {
            for (entry, measured) in ENTRIES.iter().zip(&mut measured) {
                measured.push(numbers(&self.0.run(entry.program, &["behaviour", entry.guard])?)?);
            }
        }
        Ok(measured)
    }
}
