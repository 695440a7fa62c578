//! How often the verdict on growth is wrong, beside two simpler methods.
//!
//! ```text
//! cargo run --release --manifest-path benches/Cargo.toml --bin growth [-- --trials N] [--quick] [--seed N]
//! ```
//!
//! | module | what it does |
//! | --- | --- |
//! | `arguments` | the command line |
//! | `series` | live bytes after each round, with and without a leak |
//! | `judges` | the crate's verdict, the slope of least squares, the last figure less the first |
//! | `measured` | the same verdict on real loops |
//! | `tally` | how often each judge said what |
//! | `tables` | what is asked of them, and the tables |

use std::process::ExitCode;
use std::time::Instant;

use isolated_nats::TrackingAllocator;
use isolated_nats_benches::{Error, machine};

mod arguments;
mod judges;
mod measured;
mod series;
mod tables;
mod tally;

use arguments::Arguments;

#[global_allocator]
static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();

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
    let started = Instant::now();
    println!("machine: {}", machine::describe());
    println!("trials: {} in each cell, seed {}\n", arguments.trials, arguments.seed);
    for table in tables::synthetic(&arguments)? {
        println!("{table}");
    }
    println!("{}", measured::table_of(&arguments)?);
    print!("{}", tables::NOTES);
    println!("took {:.1} s", started.elapsed().as_secs_f64());
    Ok(())
}
