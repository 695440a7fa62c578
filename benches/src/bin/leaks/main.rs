//! What a `LeakGuard` costs a test that leaks nothing, and each task that is spawned, beside a check by hand.
//!
//! ```text
//! cargo run --release --manifest-path benches/Cargo.toml --bin leaks [-- --quick] [--unoptimised] [--seed N]
//! ```
//!
//! `--quick` takes less than 20 s, and is for a look. `--unoptimised` builds the programs of the second part as `cargo test`
//! does; without `--release` the first part is so too.
//!
//! | module | what it does |
//! | --- | --- |
//! | `arguments` | the command line |
//! | `checks` | one test body in a runtime of its own, with each check after it |
//! | `spawns` | programs that spawn and join tasks, with and without a guard alive |
//! | `report` | the tables |

use std::process::ExitCode;
use std::time::{Duration, Instant};

use isolated_nats::TrackingAllocator;
use isolated_nats_benches::random::Random;
use isolated_nats_benches::{Error, machine};

mod arguments;
mod checks;
mod report;
mod spawns;

use arguments::Arguments;

// As in a test crate: with it, a guard knows the tasks themselves, and not only their number.
#[global_allocator]
static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();

fn main() -> ExitCode {
    // A test is a thread that the main thread starts, with all that it starts itself.
    match std::thread::spawn(run).join() {
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
    let programs = spawns::build(arguments.unoptimised)?;
    let started = Instant::now();
    let mut random = Random::new(arguments.seed);
    println!("machine: {machine}\nseed {}\n", arguments.seed);

    let checks = checks::measure(arguments.rounds, &mut random)?;
    print!("{}", report::checks(&checks, &mut random));
    let spawns = spawns::measure(&programs, &arguments, &mut random)?;
    print!("{}", report::spawns(&spawns, arguments.unoptimised, &mut random));
    print!("{}", report::NOTES);
    println!("took {:.0} s", Duration::as_secs_f64(&started.elapsed()));
    Ok(())
}
