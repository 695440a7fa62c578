//! How often the rules of a comparison cry wolf, and how often they find what is there.
//!
//! ```text
//! cargo run --release --manifest-path benches/Cargo.toml --bin verdicts [-- --quick] \
//!     [--comparisons N] [--rounds N] [--window-ms N] [--condition quiet|loaded|both] [--control puts|requests] \
//!     [--raw FILE] [--read FILE [--merge N]]
//! ```
//!
//! In each condition, 200 scenarios of 40 rounds are run, as a user would: `A`, the same again, `B` with a fifth more work, and a
//! control, 25 ms of each in turn; all questions are asked of these. `--quick` runs 5 of 10 rounds of 20 ms, for a look. `--raw` keeps each
//! measured window's figures, and `--read` judges such a file without measuring anything: as it is, or with each `--merge` rounds taken for
//! one, or in runs of `--rounds`. It ends with 2 where a promise was broken.
//!
//! | module | what it does |
//! | --- | --- |
//! | `arguments` | the command line |
//! | `lab` | a server, and windows of work on it |
//! | `busy` | something else for the machine to do |
//! | `measured` | the scenarios, also in a file |
//! | `regroup` | the same rounds in other runs |
//! | `questions` | the verdicts of the library |
//! | `tables` | how many were right |

use std::process::ExitCode;
use std::time::Instant;

use isolated_nats_benches::{Error, machine};
use tokio::runtime::Builder;

mod arguments;
mod busy;
mod lab;
mod measured;
mod questions;
mod regroup;
mod tables;

use arguments::Arguments;
use lab::Lab;
use measured::Run;

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(2),
        Err(error) => {
            eprintln!("the benchmark ended early: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<bool, Error> {
    let arguments = Arguments::parse(std::env::args_os().skip(1))?;
    let started = Instant::now();
    let runs = match &arguments.read {
        Some(file) => measured::read(&std::fs::read_to_string(file)?)?,
        None => measure(&arguments)?,
    };
    let mut whole = true;
    for loaded in &arguments.loaded {
        let runs: Vec<Run> = runs.iter().filter(|run| run.loaded == *loaded).cloned().collect();
        whole &= judge(&runs, &arguments)?;
    }
    print!("{}", tables::NOTES);
    println!("took {:.0} s", started.elapsed().as_secs_f64());
    Ok(whole)
}

fn measure(arguments: &Arguments) -> Result<Vec<Run>, Error> {
    println!("machine: {}", machine::describe()); // before any load of our own
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let lab = Lab::open(arguments.window).await?;
        let window = arguments.window.as_millis();
        println!(
            "nats-server {}, windows of {window} ms, control {:?}\n",
            lab.nats.version(),
            arguments.control
        );
        let mut runs = Vec::new();
        for loaded in &arguments.loaded {
            runs.extend(measured::measure(&lab, arguments, *loaded).await?);
            if let Some(file) = &arguments.raw {
                std::fs::write(file, measured::raw(&runs)?)?; // whatever becomes of the next
            }
        }
        lab.close()?;
        Ok(runs)
    })
}

/// Prints the table of a condition; returns whether no promise was broken.
fn judge(runs: &[Run], arguments: &Arguments) -> Result<bool, Error> {
    let Some(first) = runs.first() else { return Ok(true) };
    let rounds = arguments.rounds.unwrap_or(first.records[0].rounds);
    let runs = regroup::regrouped(runs, arguments.merge, rounds);
    let questions = questions::ask(&runs)?;
    let (table, whole) = tables::table(&tables::title(&runs, &questions), &questions);
    println!("{table}");
    Ok(whole)
}
