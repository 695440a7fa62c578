//! What the tracking allocator costs, beside its peers and its budgets.
//!
//! ```text
//! cargo run --release --manifest-path benches/Cargo.toml --bin allocator [-- --quick] [--pairs] [--unoptimised] [--seed N]
//! ```
//!
//! `--quick` takes less than 20 s, and is for a look; without it the run takes less than 3 min. `--pairs` leaves the programs
//! out. `--unoptimised` builds the programs as `cargo test` does (`opt-level = 0`), to which the budgets do not apply. The
//! programs are built first.
//!
//! | module | what it does |
//! | --- | --- |
//! | `arguments` | the command line |
//! | `subjects` | the allocators that can be made beside others in one process |
//! | `programs` | the programs that have one allocator each, one after the other in each round |
//! | `report` | the tables |
//!
//! The pairs themselves are in the library (`pairs`), and so is what the programs do (`program`, `workload`).

use std::process::ExitCode;
use std::time::{Duration, Instant};

use isolated_nats::TrackingAllocator;
use isolated_nats_benches::random::Random;
use isolated_nats_benches::{Error, machine, pairs};

mod arguments;
mod programs;
mod report;
mod subjects;

use arguments::Arguments;

// A probe counts the heap only where this is installed. What is timed is called by hand, as the others are.
#[global_allocator]
static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();

fn main() -> ExitCode {
    // A test is a thread that the main thread starts, with all that it starts itself.
    let run = std::thread::spawn(run).join();
    match run {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => {
            eprintln!("the benchmark ended early: {error}");
            ExitCode::FAILURE
        }
        Err(_) => ExitCode::FAILURE,
    }
}

fn run() -> Result<(), Error> {
    let arguments = Arguments::parse(std::env::args_os().skip(1))?;
    let machine = machine::describe(); // before any load of our own
    let programs = programs::build(arguments.unoptimised)?;
    let started = Instant::now();
    let mut random = Random::new(arguments.seed);
    println!("machine: {machine}\nseed {}\n", arguments.seed);

    let subjects = subjects::all()?;
    let pairs = pairs::measure(&subjects, arguments.pair_rounds, arguments.pairs_longest, &mut random);
    let apart = programs.pairs(&arguments)?;
    print!("{}", report::pairs(&subjects, &pairs, &apart, &mut random));
    if !arguments.pairs_only {
        let workloads = programs.workloads(&arguments, &mut random)?;
        print!("{}", report::workloads(&workloads, arguments.unoptimised, &mut random));
        let behaviours = programs.behaviours(&arguments)?;
        println!("{}", report::behaviours(&behaviours));
    }
    print!("{}", report::NOTES);
    println!("took {:.0} s", Duration::as_secs_f64(&started.elapsed()));
    Ok(())
}
