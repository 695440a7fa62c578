//! How far the heap figures are from the truth, beside two other allocators that count, and whether they equal dhat's.
//!
//! ```text
//! cargo run --release --manifest-path benches/Cargo.toml --bin truth [-- --rounds N] [--quick]
//! ```
//!
//! | module | what it does |
//! | --- | --- |
//! | `arguments` | the command line |
//! | `ours` | reads by `MemoryProbe` |
//! | `meters` | the programs, each with an allocator of its own, and what they read |
//! | `tables` | errors, budgets, and the comparison with dhat |

use std::process::ExitCode;
use std::time::Instant;

use isolated_nats::TrackingAllocator;
use isolated_nats_benches::{Error, machine};

mod arguments;
mod meters;
mod ours;
mod tables;

use arguments::Arguments;

#[global_allocator]
static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("the benchmark ended early: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Returns whether all budgets are kept.
fn run() -> Result<bool, Error> {
    let arguments = match Arguments::parse(std::env::args().skip(1))? {
        Arguments::Run { rounds } => rounds,
        Arguments::Answer(request) => return ours::answer(request).map(|()| true),
        Arguments::Count { program } => return ours::count(&program).map(|()| true),
    };
    let started = Instant::now();
    println!("machine: {}", machine::describe());
    println!("rounds: {arguments} of each workload\n");
    meters::build()?;
    let mut kept = true;
    for at_a_time in [1, 16] {
        let readings = meters::read_all(at_a_time, arguments)?;
        println!("{}", tables::errors(at_a_time, &readings));
        let budgets = tables::budgets(at_a_time, &readings);
        for budget in &budgets {
            println!("{budget}");
        }
        println!();
        kept &= budgets.iter().all(|budget| budget.kept);
    }
    let (table, equal) = tables::beside_dhat()?;
    println!("{table}");
    println!("equal to dhat: {}\n", if equal { "pass" } else { "FAIL" });
    print!("{}", tables::NOTES);
    println!("took {:.1} s", started.elapsed().as_secs_f64());
    Ok(kept && equal)
}
