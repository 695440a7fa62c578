//! What is asked of the runs of a condition, and what the library answers.

use std::slice;

use isolated_nats::results::{
    Baseline, Comparison, ComparisonKind, Record, ResultsErrorKind, Rules, Verdict,
};
use isolated_nats_benches::Error;

use crate::measured::Run;
use crate::regroup::regrouped;

/// So few rounds are never enough.
const TOO_FEW: usize = 3;
/// Runs in the larger baseline.
const SEVERAL: usize = 5;
/// The places of the sides.
const A: usize = 0;
const EQUAL: usize = 1;
const MORE: usize = 2;

/// What is promised of the comparisons.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Promise {
    /// Told apart: improved or regressed.
    FalseAlarmsAtMost(f64),
    /// Regressed.
    FoundAtLeast(f64),
    AllInconclusive,
    /// Told apart is counted.
    Nothing,
}

/// Comparisons of one sort.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) what: &'static str,
    pub(crate) promise: Promise,
    pub(crate) comparisons: Vec<Comparison>,
    /// Baselines that the library would not make, for want of rounds that can be believed.
    pub(crate) refused: usize,
}

impl Promise {
    /// Whether a verdict is one of those that are counted.
    pub(crate) fn counts(self, verdict: Verdict) -> bool {
        match self {
            Self::FalseAlarmsAtMost(_) | Self::Nothing => {
                matches!(verdict, Verdict::Improved | Verdict::Regressed)
            }
            Self::FoundAtLeast(_) => verdict == Verdict::Regressed,
            Self::AllInconclusive => verdict != Verdict::Inconclusive,
        }
    }
}

pub(crate) fn ask(runs: &[Run]) -> Result<Vec<Question>, Error> {
    let few: Vec<Run> =
        runs.iter().flat_map(|run| regrouped(slice::from_ref(run), 1, TOO_FEW).into_iter().next()).collect();
    let (one_percent, found) = (Promise::FalseAlarmsAtMost(0.01), Promise::FoundAtLeast(0.85));
    Ok(vec![
        in_turn("A against A", one_percent, runs, EQUAL),
        in_turn("A against +20 %", found, runs, MORE),
        in_turn("3 rounds, A against A", Promise::AllInconclusive, &few, EQUAL),
        in_turn("3 rounds, +20 %", Promise::AllInconclusive, &few, MORE),
        saved("saved run, by control", one_percent, runs, 1, Clone::clone)?,
        saved("5 saved runs, by control", one_percent, runs, SEVERAL, Clone::clone)?,
        saved("saved run, without control", Promise::Nothing, runs, 1, without_control)?,
    ])
}

/// As the scenario compares them.
fn in_turn(what: &'static str, promise: Promise, runs: &[Run], side: usize) -> Question {
    let compare = |run: &Run| {
        let (base, candidate) = (&run.records[A], &run.records[side]);
        Comparison::of(base, candidate, ComparisonKind::Interleaved, &Rules::interleaved())
    };
    Question { what, promise, comparisons: runs.iter().map(compare).collect(), refused: 0 }
}

/// `A` of each run in the second half against a baseline of runs half of them earlier: each run is in one comparison, or, with several
/// runs in a baseline, this is in as many.
fn saved(
    what: &'static str,
    promise: Promise,
    runs: &[Run],
    together: usize,
    of: impl Fn(&Record) -> Record,
) -> Result<Question, Error> {
    let (earlier, later) = runs.split_at(runs.len() / 2);
    let mut question = Question { what, promise, comparisons: Vec::new(), refused: 0 };
    for (earlier, later) in earlier.chunks_exact(together).zip(later.chunks_exact(together)) {
        let base = earlier.iter().map(|run| of(&run.records[A])).collect();
        match Baseline::new("saved", base) {
            Ok(baseline) => {
                for run in later {
                    question.comparisons.push(baseline.compare(&of(&run.records[A]))?);
                }
            }
            Err(error) if error.kind() == ResultsErrorKind::NotABaseline => question.refused += 1,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(question)
}

fn without_control(record: &Record) -> Record {
    let mut record = record.clone();
    record.control = None;
    for metric in &mut record.metrics {
        metric.control.clear();
    }
    record
}
