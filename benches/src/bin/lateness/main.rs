//! How late arrivals are that do nothing, and what it costs to have them on time; and what a million of them take in memory.
//!
//! ```text
//! cargo run --release --manifest-path benches/Cargo.toml --bin lateness [-- --quick] [--rounds N]
//! ```
//!
//! `--quick` takes less than 30 s, and is for a look.
//!
//! | module | what it does |
//! | --- | --- |
//! | `arguments` | the command line |
//! | `pacers` | the load generator, and tokio's timers by hand |
//! | `memory` | a million operations |

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use isolated_nats_benches::stats::median;
use isolated_nats_benches::table::Table;
use isolated_nats_benches::{Error, machine};
use tokio::runtime::Builder;

mod arguments;
mod memory;
mod pacers;

use arguments::Arguments;
use memory::Memory;
use pacers::{Late, PACERS, Pacer};

const RATES: [u64; 3] = [1_000, 10_000, 100_000];
/// Of ours without `precise`, at the highest rate, p99.
const BUDGET_MICROSECONDS: f64 = 150.0;
const BUDGET_BYTES: i64 = 32 << 20;

const NOTES: &str = "\
Lateness: from intended to actual start. Each figure is the median over the rounds, in each of which every pacer holds every
rate once, on a current_thread runtime. CPU is that of the whole process, in cores: arrivals, operations and set-up.
interval: at each tick of a millisecond all that are due. sleep_until: for each that is not due yet.
Memory: generator is what the report states; grown is the high-water mark of resident memory over what was resident before,
with everything that the run took.
";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the benchmark ended early: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Error> {
    let arguments = Arguments::parse(std::env::args_os().skip(1))?;
    println!("machine: {}\n", machine::describe()); // before any load of our own
    let started = Instant::now();
    let runtime = Builder::new_current_thread().enable_all().build()?;
    // First, while nothing was freed that could be taken again.
    let memory = runtime.block_on(memory::measure())?;
    let mut measured: BTreeMap<(u64, Pacer), Vec<Late>> = BTreeMap::new();
    for round in 0..arguments.rounds {
        for rate in RATES {
            let mut turn = PACERS;
            turn.rotate_left(round % PACERS.len());
            for pacer in turn {
                let late = runtime.block_on(pacers::run(pacer, rate, arguments.length))?;
                measured.entry((rate, pacer)).or_default().push(late);
            }
        }
    }
    println!("{}\n{}", lateness(&measured), of_memory(&memory));
    print!("{NOTES}");
    println!("took {:.0} s", Duration::as_secs_f64(&started.elapsed()));
    Ok(())
}

fn lateness(measured: &BTreeMap<(u64, Pacer), Vec<Late>>) -> Table {
    let header = ["", "asked/s", "got/s", "p50 µs", "p99 µs", "least p99", "CPU", "budget", ""];
    let mut table = Table::new("lateness of arrivals", &header);
    for (&(rate, pacer), rounds) in measured {
        let of = |figure: fn(&Late) -> f64| rounds.iter().map(figure).collect::<Vec<_>>();
        let middle = |figure| median(&of(figure)).unwrap_or(f64::NAN);
        let p99 = middle(|late| late.p99);
        let least = of(|late| late.p99).into_iter().fold(f64::INFINITY, f64::min);
        let mut row = vec![pacer.name().to_owned(), rate.to_string()];
        row.push(format!("{:.0}", middle(|late| late.per_second)));
        row.extend([middle(|late| late.p50), p99, least].map(|figure| format!("{figure:.1}")));
        row.push(format!("{:.2}", middle(|late| late.cores)));
        if pacer == Pacer::Ours && rate == 100_000 {
            row.push(format!("{BUDGET_MICROSECONDS:.0}"));
            row.push(verdict(p99 <= BUDGET_MICROSECONDS));
        }
        table.row(row);
    }
    table
}

fn of_memory(memory: &[Memory]) -> Table {
    let mut table = Table::new("memory, MiB", &["", "operations", "generator", "grown", "budget", ""]);
    let mebibytes = |bytes: f64| format!("{:.2}", bytes / f64::from(1 << 20));
    for Memory { schedule, count, generator_bytes, grown_bytes } in memory {
        table.row(vec![
            schedule.clone(),
            count.to_string(),
            mebibytes(*generator_bytes as f64),
            mebibytes(*grown_bytes as f64),
            (BUDGET_BYTES >> 20).to_string(),
            verdict(*grown_bytes <= BUDGET_BYTES && *generator_bytes <= BUDGET_BYTES as u64),
        ]);
    }
    table
}

fn verdict(held: bool) -> String {
    if held { "PASS" } else { "MISSED" }.to_owned()
}
