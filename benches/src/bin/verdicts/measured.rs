//! What is measured: scenarios, one after the other.

use std::time::Instant;

use isolated_nats::results::{Record, Scenario};
use isolated_nats_benches::Error;

use crate::arguments::{Arguments, Control};
use crate::busy::Busy;
use crate::lab::Lab;

const ROUNDS: usize = isolated_nats::results::DEFAULT_ROUNDS;

/// One scenario: each of its records can be compared with the first, or be saved and compared with that of another run.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) loaded: bool,
    /// When it began, in seconds since that of its condition.
    pub(crate) at: f64,
    /// Of `A`, `A'`, which is the same, and `B`, which has a fifth more to do; with the control's figures in each.
    pub(crate) records: Vec<Record>,
}

/// The runs of one condition.
pub(crate) async fn measure(lab: &Lab, arguments: &Arguments, loaded: bool) -> Result<Vec<Run>, Error> {
    let _busy = loaded.then(Busy::start);
    let (started, mut runs) = (Instant::now(), Vec::new());
    for _ in 0..arguments.comparisons {
        let at = started.elapsed().as_secs_f64();
        let scenario = Scenario::named("verdicts")
            .keep(false)
            .quick(false)
            .rounds(arguments.rounds.unwrap_or(ROUNDS))
            .side("A", async || lab.requests(5).await)
            .side("A'", async || lab.requests(5).await)
            .side("B", async || lab.requests(6).await);
        let scenario = match arguments.control {
            Control::Puts => scenario.control("puts", async || lab.puts().await),
            Control::Requests => scenario.control_requests(&lab.nats),
        };
        let mut records = scenario.run().await?.records;
        for record in &mut records {
            (record.latency, record.load) = (None, None); // large, and of no use here
        }
        runs.push(Run { loaded, at, records });
    }
    Ok(runs)
}

/// One line of JSON for each run.
pub(crate) fn raw(runs: &[Run]) -> Result<String, Error> {
    let line = |run: &Run| serde_json::to_string(&(run.loaded, run.at, &run.records)).map(|line| line + "\n");
    Ok(runs.iter().map(line).collect::<Result<_, _>>()?)
}

/// What such lines say.
pub(crate) fn read(text: &str) -> Result<Vec<Run>, Error> {
    let run = |line| serde_json::from_str(line).map(|(loaded, at, records)| Run { loaded, at, records });
    let runs = text.lines().map(run).collect::<Result<Vec<Run>, _>>()?;
    match runs.iter().position(|run| run.records.len() != 3) {
        Some(line) => Err(format!("line {} has not the records of 3 sides", line + 1).into()),
        None => Ok(runs),
    }
}
