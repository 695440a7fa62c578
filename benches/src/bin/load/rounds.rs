//! Slices of all runners in turn, there and back, for each case in each round.

use std::collections::BTreeMap;

use isolated_nats_benches::Error;
use isolated_nats_benches::random::Random;

use crate::arguments::Arguments;
use crate::lab::{CASES, Case, Lab};
use crate::loops::{Runner, Took};
use crate::peer::Peer;

/// What one case took in one round, each runner twice: in the order of the turn, and in that of the way back.
#[derive(Clone, Debug)]
pub(crate) struct Round {
    pub(crate) bare: [Took; 2],
    pub(crate) plain: [Took; 2],
    pub(crate) ours: [Took; 2],
    pub(crate) peer: Option<Took>,
}

/// Everything that was measured.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    pub(crate) rounds: BTreeMap<Case, Vec<Round>>,
    /// How many operations a slice has.
    pub(crate) operations: BTreeMap<Case, u64>,
    /// Why the peer was not measured, by case.
    pub(crate) peer_failed: BTreeMap<Case, String>,
}

pub(crate) async fn measure(
    lab: &Lab,
    peer: Option<&Peer>,
    arguments: &Arguments,
    random: &mut Random,
) -> Result<Measured, Error> {
    let cases: Vec<Case> =
        CASES.into_iter().filter(|case| case.name().contains(arguments.only.as_str())).collect();
    let mut measured = Measured::default();
    for &case in &cases {
        measured.operations.insert(case, calibrate(lab, case, arguments).await?);
    }
    for _ in 0..arguments.rounds {
        for &case in &cases {
            let round = one(lab, peer, case, random, &mut measured).await?;
            measured.rounds.entry(case).or_default().push(round);
        }
    }
    Ok(measured)
}

/// How many operations the plain loop does in the time of a slice; what comes before warms up.
async fn calibrate(lab: &Lab, case: Case, arguments: &Arguments) -> Result<u64, Error> {
    let mut operations = 256.max(case.slice(1).workers as u64 * 4);
    loop {
        let took = lab.run(case, Runner::Plain, operations).await?;
        let seconds = operations as f64 / took.per_second;
        let wanted = (took.per_second * arguments.slice.as_secs_f64()) as u64;
        if seconds * 2.0 > arguments.slice.as_secs_f64() {
            return Ok(wanted.max(operations));
        }
        operations = wanted.clamp(operations * 2, operations * 8);
    }
}

async fn one(
    lab: &Lab,
    peer: Option<&Peer>,
    case: Case,
    random: &mut Random,
    measured: &mut Measured,
) -> Result<Round, Error> {
    let operations = measured.operations[&case];
    let mut turn = [Runner::Bare, Runner::Plain, Runner::Ours];
    random.shuffle(&mut turn);
    let mut took = Vec::new();
    for runner in turn.into_iter().chain(turn.into_iter().rev()) {
        took.push((runner, lab.run(case, runner, operations).await?));
    }
    let both = |wanted| {
        let mut of = took.iter().filter(|(runner, _)| *runner == wanted).map(|(_, took)| *took);
        of.next().zip(of.next()).map(<[Took; 2]>::from).ok_or("a runner was left out")
    };
    let (bare, plain, ours) = (both(Runner::Bare)?, both(Runner::Plain)?, both(Runner::Ours)?);
    let peer = match peer {
        Some(peer) if !measured.peer_failed.contains_key(&case) => {
            // The connection's own task goes on meanwhile on no runtime; the responder has a thread of its own.
            let run = peer.run(lab.nats.url(), case, operations);
            run.map_err(|error| measured.peer_failed.insert(case, error.to_string())).ok()
        }
        _ => None,
    };
    Ok(Round { bare, plain, ours, peer })
}
