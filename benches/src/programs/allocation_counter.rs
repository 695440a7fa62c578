//! The workload under allocation-counter, and pairs too: the crate is a global allocator by itself, has no type to be
//! made beside others, and so is measured here against a `System` of this process.
//!
//! - `pairs ROUNDS SECONDS SEED`: prints, for each cell and each round, the number of the cell and the ratio to `System`.

#![expect(unsafe_code, reason = "an allocator is forwarded to; each use says why it is sound")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::process::ExitCode;
use std::time::Duration;

use allocation_counter as _; // it installs itself

use isolated_nats_benches::pairs::{self, Cell, Subject};
use isolated_nats_benches::random::Random;
use isolated_nats_benches::{Error, program};

/// The allocator of this program.
struct Installed;

// SAFETY: all calls go to the global allocator as they are.
unsafe impl GlobalAlloc for Installed {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's own promise.
        unsafe { std::alloc::alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's own promise.
        unsafe { std::alloc::dealloc(block, layout) }
    }
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["pairs", rounds, seconds, seed] => match print_pairs(rounds, seconds, seed) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        },
        _ => program::main(program::no_guard),
    }
}

fn print_pairs(rounds: &str, seconds: &str, seed: &str) -> Result<(), Error> {
    let (rounds, seconds) = (rounds.parse()?, Duration::from_secs_f64(seconds.parse()?));
    let mut random = Random::new(seed.parse()?);
    let subjects = [Subject::plain("System", &System), Subject::plain("allocation-counter", &Installed)];
    let measured = pairs::measure(&subjects, rounds, seconds, &mut random);
    for (number, cell) in Cell::all().into_iter().enumerate() {
        for ratio in measured.ratios(cell, 1, 0) {
            println!("{number} {ratio}");
        }
    }
    Ok(())
}
