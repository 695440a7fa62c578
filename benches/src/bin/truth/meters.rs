//! The programs that measure, each with an allocator of its own.

use std::path::PathBuf;
use std::process::Command;

use isolated_nats_benches::Error;
use isolated_nats_benches::truth::Request;
use isolated_nats_benches::truth::exact::Counted;

use crate::arguments::{ANSWER, COUNT};

const PEERS: [&str; 3] = ["truth-stats-alloc", "truth-allocation-counter", "truth-dhat"];

/// What one meter has read.
#[derive(Clone, Debug)]
pub(crate) struct Readings {
    pub(crate) name: &'static str,
    /// By workload, once for each round.
    pub(crate) of_cases: Vec<Vec<LiveAndPeak>>,
}

/// The live bytes, and the peak if there is one.
pub(crate) type LiveAndPeak = (i64, Option<i64>);

/// Builds the programs of the peers, beside this one: `cargo run --bin` builds no other.
pub(crate) fn build() -> Result<(), Error> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")]);
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    command.args(PEERS.iter().flat_map(|peer| ["--bin", peer]));
    if !command.status()?.success() {
        return Err("the programs of the peers cannot be built".into());
    }
    Ok(())
}

/// Has each meter read all workloads.
pub(crate) fn read_all(at_a_time: usize, rounds: usize) -> Result<Vec<Readings>, Error> {
    let words = Request { at_a_time, rounds }.words();
    let mut ours = Command::new(std::env::current_exe()?);
    ours.arg(ANSWER);
    let meters =
        [("isolated-nats", ours), ("stats_alloc", peer(PEERS[0])?), ("allocation-counter", peer(PEERS[1])?)];
    let mut readings = Vec::new();
    for (name, mut command) in meters {
        let text = output(command.args(&words))?;
        readings.push(Readings { name, of_cases: parse(&text)? });
    }
    Ok(readings)
}

fn parse(text: &str) -> Result<Vec<Vec<LiveAndPeak>>, Error> {
    let mut of_cases = Vec::new();
    for line in text.lines() {
        let mut words = line.split(' ');
        let mut word = || words.next().ok_or_else(|| format!("`{line}` is no reading"));
        let (place, live, peak): (usize, i64, &str) = (word()?.parse()?, word()?.parse()?, word()?);
        if of_cases.len() <= place {
            of_cases.resize_with(place + 1, Vec::new);
        }
        of_cases[place].push((live, if peak == "none" { None } else { Some(peak.parse()?) }));
    }
    Ok(of_cases)
}

/// What this crate and dhat count of one program.
pub(crate) fn count(program: &str) -> Result<(Counted, Counted), Error> {
    let mut ours = Command::new(std::env::current_exe()?);
    let ours = Counted::parse(&output(ours.arg(COUNT).arg(program))?)?;
    let dhat = Counted::parse(&output(peer(PEERS[2])?.arg(program))?)?;
    Ok((ours, dhat))
}

fn peer(name: &str) -> Result<Command, Error> {
    let own: PathBuf = std::env::current_exe()?;
    Ok(Command::new(own.with_file_name(name)))
}

fn output(command: &mut Command) -> Result<String, Error> {
    let output = command.stderr(std::process::Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("{command:?} ended with {}", output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}
