//! The tables, and the budgets beside what was measured.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use isolated_nats_benches::pairs::{Cell, Pairs, Shape, Subject};
use isolated_nats_benches::random::Random;
use isolated_nats_benches::stats::{Estimate, Verdict, median};
use isolated_nats_benches::table::Table;

use crate::programs::{ENTRIES, FLAVORS, Workloads};
use crate::subjects::{NO_PROBE, PROBE, SYSTEM};

/// Who, at how many threads, and how many times `System` at most: 64 B, tight.
const PAIR_BUDGETS: [(usize, usize, f64); 4] =
    [(PROBE, 1, 1.5), (PROBE, 2, 2.0), (NO_PROBE, 1, 1.15), (NO_PROBE, 2, 1.3)];
const WORKLOAD_BUDGET: f64 = 1.15;

pub(crate) const NOTES: &str = "\
Ratios: the median of the ratios to System within each round, with its 95 % bootstrap interval; a verdict needs the whole
interval on one side of the budget.
Pairs: every allocator is called by the same `&dyn GlobalAlloc`, which is not inlined and costs all alike; the loop is not
subtracted. tight: allocate, write the first byte, free, one block. ring: one of 1024, 256 or 4 live blocks at random is
freed and allocated anew, first byte written. Whoever writes more than one byte sees lower ratios: written is tight with
one byte in each cache line. 2T: two threads of one test at a time; slices in which they did not run side by side do not
count. A sample is the median of five slices of some 40 µs.
allocation-counter declares #[global_allocator] itself and has no type to make: it is measured in a process of its own,
beside a System there, and by the one more call that `std::alloc::alloc` is. dhat makes a hundredth of the pairs.
What peers do for it: stats_alloc counts, for the process, without a peak; peak_alloc live and peak of the process;
tracking-allocator hands each event to the user's code, here live and peak of one group; divan and allocation-counter
count for the calling thread only, alloc_tracker for each thread, with a peak of that thread; dhat keeps the stack of each block.
Workload: 16 tokio tasks make JSON documents and send them to one that parses them and keeps 512; whole programs in release
mode, one allocator each, the median of five batches after one for nothing.
Behaviour: resident is what a vector of zeroes that nobody has read adds; most is the high-water mark of a growing vector,
whose last byte does not fit in 128 MiB: 256 MiB are resident where it is copied.
";

pub(crate) fn pairs(
    subjects: &[Subject],
    measured: &Pairs,
    apart: &BTreeMap<Cell, Vec<f64>>,
    random: &mut Random,
) -> String {
    let mut text = String::new();
    let (rounds, lost, of) = (measured.rounds, measured.apart, measured.slices_at_two);
    let _ = writeln!(text, "pairs: {rounds} rounds; {lost} of {of} slices at two threads did not count\n");
    for bytes in [64, 4 << 10, 1 << 20] {
        let cells: Vec<Cell> = Cell::all().into_iter().filter(|cell| cell.bytes == bytes).collect();
        let names: Vec<String> =
            std::iter::once(String::new()).chain(cells.iter().map(Cell::to_string)).collect();
        let title = "alloc and free: System in ns, the others in multiples of it";
        let mut table = Table::new(title, &names.iter().map(String::as_str).collect::<Vec<_>>());
        let nanoseconds = |cell: &Cell| median(&measured.nanoseconds(*cell, SYSTEM));
        let number = |number: Option<f64>| number.map_or_else(no, |number| format!("{number:.1} ns"));
        let own = cells.iter().map(|cell| number(nanoseconds(cell)));
        table.row(std::iter::once("System".to_owned()).chain(own).collect());
        for (number, subject) in subjects.iter().enumerate().skip(1) {
            let ratios = cells.iter().map(|cell| measured.ratios(*cell, number, SYSTEM));
            table.row(row(subject.name, ratios, random));
        }
        let ratios = cells.iter().map(|cell| apart.get(cell).cloned().unwrap_or_default());
        table.row(row("allocation-counter 0.8.1 (apart)", ratios, random));
        let _ = writeln!(text, "{table}");
    }
    let mut table = Table::new("budgets, 64 B tight", &BUDGET_HEADER);
    for (number, threads, budget) in PAIR_BUDGETS {
        let cell = Cell { bytes: 64, shape: Shape::Tight, threads };
        let name = format!("{}, {threads} thread(s)", subjects[number].name);
        table.row(judged(name, &measured.ratios(cell, number, SYSTEM), Some(budget), random));
    }
    let _ = writeln!(text, "{table}");
    text
}

const BUDGET_HEADER: [&str; 6] = ["", "n", "x System", "95 % interval", "budget", "verdict"];

pub(crate) fn workloads(measured: &Workloads, unoptimised: bool, random: &mut Random) -> String {
    let mut text = String::new();
    let profile = if unoptimised { "opt-level 0" } else { "release" };
    for (which, clock) in ["wall clock", "CPU time"].into_iter().enumerate() {
        for (flavor, name) in FLAVORS.into_iter().enumerate() {
            let title = format!("workload, {name}, {clock}, {profile}");
            let mut table = Table::new(&title, &BUDGET_HEADER);
            let Some(under) = measured.get(&(SYSTEM, flavor)) else { continue };
            let own: Vec<f64> = under.values().map(|numbers| numbers[which] / 1e3).collect();
            let microseconds = median(&own).map_or_else(no, |own| format!("{own:.2} µs each"));
            table.row(vec![ENTRIES[SYSTEM].name.to_owned(), own.len().to_string(), microseconds]);
            for (number, entry) in ENTRIES.iter().enumerate().skip(1) {
                let over = measured.get(&(number, flavor)).into_iter().flatten();
                let ratio = |(round, over): (_, &Vec<f64>)| Some(over[which] / under.get(round)?[which]);
                let ratios: Vec<f64> = over.filter_map(ratio).collect();
                let budget = (number == PROBE && which == 0 && !unoptimised).then_some(WORKLOAD_BUDGET);
                table.row(judged(entry.name.to_owned(), &ratios, budget, random));
            }
            let _ = writeln!(text, "{table}");
        }
    }
    text
}

pub(crate) fn behaviours(measured: &[Vec<Vec<f64>>]) -> Table {
    let header = ["", "vec![0; 256 MiB]", "resident", "push to 128 MiB + 1", "most"];
    let mut table = Table::new("behaviour", &header);
    for (entry, rounds) in ENTRIES.iter().zip(measured) {
        let figure = |place: usize| median(&rounds.iter().map(|round| round[place]).collect::<Vec<_>>());
        let in_unit = |place, scale: f64, unit: &str| {
            figure(place).map_or_else(no, |figure| format!("{:.2} {unit}", figure * scale))
        };
        table.row(vec![
            entry.name.to_owned(),
            in_unit(0, 1e3, "ms"),
            in_unit(1, 1.0 / 1024.0, "MiB"),
            in_unit(2, 1e3, "ms"),
            in_unit(3, 1.0 / 1024.0, "MiB"),
        ]);
    }
    table
}

fn row(name: &str, ratios: impl Iterator<Item = Vec<f64>>, random: &mut Random) -> Vec<String> {
    let cell = |ratios: Vec<f64>| {
        let estimate = Estimate::of(&ratios, random);
        estimate.map_or_else(no, |Estimate { median, low, high }| format!("{median:.2} ({low:.2}-{high:.2})"))
    };
    std::iter::once(name.to_owned()).chain(ratios.map(cell)).collect()
}

fn judged(name: String, ratios: &[f64], budget: Option<f64>, random: &mut Random) -> Vec<String> {
    let Some(estimate) = Estimate::of(ratios, random) else {
        return vec![name, ratios.len().to_string(), no()];
    };
    let Estimate { median, low, high } = estimate;
    let (limit, verdict) = budget.map_or_else(Default::default, |budget| {
        (budget.to_string(), word(estimate.judge(budget)).to_owned())
    });
    let count = ratios.len().to_string();
    vec![name, count, format!("{median:.3}"), format!("{low:.3} to {high:.3}"), limit, verdict]
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Within => "pass",
        Verdict::Over => "FAIL",
        Verdict::Inconclusive => "interval straddles",
    }
}

fn no() -> String {
    "not measured".to_owned()
}
