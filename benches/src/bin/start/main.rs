//! How fast a server starts, ends and is found, against the floor and against a peer.
//!
//! ```text
//! cargo run --release --manifest-path benches/Cargo.toml --bin start [-- --rounds N] [--quick]
//! ```
//!
//! | module | what it does |
//! | --- | --- |
//! | `arguments` | the command line |
//! | `outer` | a scratch directory, this program once more in it, and a look at what it left |
//! | `lab` | what is measured, one method for each kind |
//! | `floor` | the bare spawn-and-connect loop |
//! | `wire` | a client of three lines, to the first PONG |
//! | `mirror` | an HTTP server on loopback with an archive of the cached server |
//! | `rounds` | one of each kind in each round, in an order shuffled anew |
//! | `report` | the tables |

use std::process::ExitCode;

use isolated_nats_benches::Error;

mod arguments;
mod floor;
mod lab;
mod mirror;
mod outer;
mod report;
mod rounds;
mod wire;

use arguments::Arguments;

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("the benchmark ended early: {error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                eprintln!("  caused by: {error}");
                cause = error.source();
            }
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode, Error> {
    let arguments = Arguments::parse(std::env::args_os().skip(1))?;
    match &arguments.scratch {
        None => outer::run(),
        Some(scratch) => {
            let measured = rounds::run(&arguments, scratch)?;
            print!("{}", report::render(&measured, &arguments));
            Ok(ExitCode::SUCCESS)
        }
    }
}
