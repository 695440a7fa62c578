//! How much of a closed loop's throughput the load generator costs, beside loops that are written by hand and `nats bench`.
//!
//! ```text
//! cargo run --release --manifest-path benches/Cargo.toml --bin load [-- --quick] [--rounds N] [--flavor current|multi]
//!     [--no-peer] [--only NAME] [--seed N]
//! ```
//!
//! `--quick` takes less than 20 s without the peer, and is for a look.
//!
//! | module | what it does |
//! | --- | --- |
//! | `arguments` | the command line |
//! | `lab` | one server, with a responder, a stream and a bucket; the cases |
//! | `operations` | what is done, the same for all |
//! | `loops` | the bare loop, the plain one, and the load generator |
//! | `peer` | `nats bench` |
//! | `rounds` | a slice of each in turn |
//! | `report` | the tables |

use std::process::ExitCode;
use std::time::{Duration, Instant};

use isolated_nats_benches::random::Random;
use isolated_nats_benches::{Error, machine};
use tokio::runtime::Builder;

mod arguments;
mod lab;
mod loops;
mod operations;
mod peer;
mod report;
mod rounds;

use arguments::Arguments;

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
    let machine = machine::describe(); // before any load of our own
    let started = Instant::now();
    let mut random = Random::new(arguments.seed);
    let (flavor, mut builder) = if arguments.is_multi_thread {
        ("multi_thread", Builder::new_multi_thread())
    } else {
        ("current_thread", Builder::new_current_thread())
    };
    let peer = if arguments.peer { peer::Peer::find() } else { None };
    let of_peer = peer
        .as_ref()
        .map_or_else(|| "not measured (not on PATH, or not asked)".into(), |peer| peer.version.clone());
    println!("machine: {machine}\nruntime {flavor}, nats bench {of_peer}, seed {}\n", arguments.seed);

    let runtime = builder.enable_all().build()?;
    let measured = runtime.block_on(async {
        let lab = lab::Lab::open().await?;
        println!("nats-server {}\n", lab.nats.version());
        let measured = rounds::measure(&lab, peer.as_ref(), &arguments, &mut random).await;
        lab.close()?;
        measured
    })?;
    print!("{}{}", report::tables(&measured, &mut random), report::NOTES);
    println!("took {:.0} s", Duration::as_secs_f64(&started.elapsed()));
    Ok(())
}
