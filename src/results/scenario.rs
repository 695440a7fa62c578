//! Rounds of one or more sides in turn.

mod control;
mod side;
mod turns;

use std::collections::BTreeMap;
use std::time::Instant;

use super::comparison::{Comparison, ComparisonKind, Rules};
use super::document::Results;
use super::error::{ResultsError, ResultsErrorKind};
use super::fingerprint::Fingerprint;
use super::metric::Limits;
use super::record::{Record, configuration_hash};
use super::sample::Sample;
use super::target::Target;
use super::time::Moment;
use super::{keep, quick};
use crate::load::OperationError;
use crate::server::ExternalNats;
pub(crate) use control::CPU_TIME;
use control::Requests;
pub(super) use control::{NAME as CONTROL, once as control_of};
pub(super) use side::Gathered;
use side::{Side, boxed};

/// Rounds unless told otherwise. Of 25 ms each, 20 found a difference of 20 % in 96 of 100 comparisons of throughput on an idle machine; beside
/// busy loops on all cores, 40 found it in 35 (`scripts/false-alarms`), and more or longer rounds find more.
pub const DEFAULT_ROUNDS: usize = 40;
/// Rounds of a quick run.
pub const QUICK_ROUNDS: usize = 3;

/// Something to be measured in rounds: one side, or several in turn, and a control.
///
/// Each round runs every side once, the control included, in an order that is turned round from round to round (A B B A): what
/// drifts on the machine meets all of them alike. What a side is, is an async closure that does what is to be measured for some
/// tens of milliseconds or more, and returns what it measured: a [`LoadReport`](crate::LoadReport), a
/// [`MemoryReport`](crate::MemoryReport), a [`Sample`]; or `()`, and then the time it took is measured. One round goes first that is
/// not counted.
///
/// Results are kept under the target directory (`isolated-nats report` shows them), and added to the summary of a
/// GitHub job.
///
/// ```
/// use isolated_nats::results::{Scenario, Verdict};
///
/// async fn sum(numbers: u64) -> Result<(), isolated_nats::OperationError> {
///     std::hint::black_box((0..numbers).fold(0, |sum, number| std::hint::black_box(sum ^ number)));
///     Ok(())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), isolated_nats::results::ResultsError> {
/// let results = Scenario::named("sums")
///     .side("ten thousand", async || sum(10_000).await)
///     .side("a million", async || sum(1_000_000).await)
///     # .keep(false)
///     .run()
///     .await?;
/// assert_eq!(results.comparisons[0].verdict, Verdict::Regressed);
/// println!("{results}");
/// # Ok(())
/// # }
/// ```
#[must_use = "a scenario does nothing until `run` or `measure`"]
pub struct Scenario<'a> {
    name: String,
    configuration: BTreeMap<String, String>,
    rounds: Option<usize>,
    quick: Option<bool>,
    keep: bool,
    rules: Rules,
    targets: Vec<Target>,
    server: Option<ExternalNats>,
    control: Option<(String, Box<dyn Side + 'a>)>,
    sides: Vec<(String, Box<dyn Side + 'a>)>,
}

impl std::fmt::Debug for Scenario<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sides: Vec<&String> = self.sides.iter().map(|(name, _)| name).collect();
        f.debug_struct("Scenario").field("name", &self.name).field("sides", &sides).finish_non_exhaustive()
    }
}

impl<'a> Scenario<'a> {
    /// Begins a scenario of this name, under which its results are kept.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            configuration: BTreeMap::new(),
            rounds: None,
            quick: None,
            keep: true,
            rules: Rules::interleaved(),
            targets: Vec::new(),
            server: None,
            control: None,
            sides: Vec::new(),
        }
    }

    /// Adds to what is written down of the scenario's settings; a saved record is compared only with one of equal settings. What a
    /// load generator was set to is added by itself.
    pub fn configuration(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.configuration.insert(key.into(), value.into());
        self
    }

    /// Measures so many rounds; 40 by default, and 3 in a quick run, whatever is given here.
    pub fn rounds(mut self, rounds: usize) -> Self {
        self.rounds = Some(rounds);
        self
    }

    /// Makes it a quick run or not, whatever `ISOLATED_NATS_QUICK` says: of 3 rounds, inconclusive in comparisons, never a baseline.
    pub fn quick(mut self, quick: bool) -> Self {
        self.quick = Some(quick);
        self
    }

    /// Keeps the results under the target directory, and adds them to a GitHub job's summary, or not; it does by default.
    pub fn keep(mut self, keep: bool) -> Self {
        self.keep = keep;
        self
    }

    /// Writes down the version of this server, and the file system of its store.
    pub fn server(mut self, nats: &ExternalNats) -> Self {
        self.server = Some(nats.clone());
        self
    }

    /// Aims at something, in every side.
    pub fn target(mut self, target: Target) -> Self {
        self.targets.push(target);
        self
    }

    /// Sets how large a difference of a metric matters.
    pub fn limit(mut self, metric: impl Into<String>, limits: Limits) -> Self {
        self.rules.limits.insert(metric.into(), limits);
        self
    }

    /// Sets what it takes for a verdict: [`Rules::interleaved`] by default.
    pub fn rules(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self
    }

    /// Takes the sides for designs to choose from: that one is worse than the first is told, and no failure ([`Results::check`], the command
    /// `report --check`). Without it, the first side is what there was, and the others must not be worse.
    pub fn designs(mut self) -> Self {
        self.rules.designs = true;
        self
    }

    /// Adds a side; the first one is what the others are compared with.
    pub fn side<T: Into<Sample> + 'a>(
        mut self,
        name: impl Into<String>,
        round: impl AsyncFnMut() -> Result<T, OperationError> + 'a,
    ) -> Self {
        self.sides.push((name.into(), boxed(round)));
        self
    }

    /// Runs this in turn with the sides: something plain of the same sort, that does not use the code under test. What is measured is
    /// saved as a ratio to it too, which drifts much less from one hour to the next, and means something on another machine.
    pub fn control<T: Into<Sample> + 'a>(
        mut self,
        name: impl Into<String>,
        round: impl AsyncFnMut() -> Result<T, OperationError> + 'a,
    ) -> Self {
        self.control = Some((name.into(), boxed(round)));
        self
    }

    /// Takes for a control 200 plain requests, one after the other, that this server passes on to a responder and back, by a loop
    /// around async-nats on a connection of its own. It measures `throughput`, `p50`, `p99`, `client cpu`, `server cpu` and
    /// `duration`.
    pub fn control_requests(mut self, nats: &ExternalNats) -> Self {
        self.control = Some((CONTROL.to_owned(), Box::new(Requests::new(nats))));
        self.server(nats)
    }

    /// Measures the one side that this closure is, without a name.
    ///
    /// # Errors
    ///
    /// As of [`run`](Self::run).
    pub async fn measure<T: Into<Sample> + 'a>(
        self,
        round: impl AsyncFnMut() -> Result<T, OperationError> + 'a,
    ) -> Result<Record, ResultsError> {
        if !self.sides.is_empty() {
            let what = "`measure` is for a scenario without sides (call `run`)";
            return Err(ResultsError::new(ResultsErrorKind::Misuse, what));
        }
        let mut results = self.side("", round).run().await?;
        Ok(results.records.remove(0))
    }

    /// Measures the sides in turn, and compares each with the first one.
    ///
    /// # Errors
    ///
    /// [`Misuse`](ResultsErrorKind::Misuse) without a side, with two of one name, and without a round; [`Round`](ResultsErrorKind::Round) when a round
    /// fails, with its error. When the results cannot be kept, that is said on standard error, and is none.
    pub async fn run(mut self) -> Result<Results, ResultsError> {
        let rounds = self.check()?;
        let (taken, fingerprint) = (Moment::now(), self.fingerprint());
        let mut gathered: Vec<Gathered> = (0..=self.sides.len()).map(|_| Gathered::default()).collect();
        self.round(None, &mut gathered).await?;
        for round in 0..rounds {
            self.round(Some(round), &mut gathered).await?;
        }
        let keep = self.keep;
        let results = self.put_together(gathered, taken, &fingerprint, rounds);
        if keep {
            keep::keep(&results);
        }
        Ok(results)
    }

    fn check(&self) -> Result<usize, ResultsError> {
        let misuse = |what: String| Err(ResultsError::new(ResultsErrorKind::Misuse, what));
        let rounds = if self.is_quick() { QUICK_ROUNDS } else { self.rounds.unwrap_or(DEFAULT_ROUNDS) };
        let mut names: Vec<&String> = self.sides.iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return misuse(format!("two sides are called `{}` (give each a name of its own)", twice[0]));
        }
        match (names.is_empty(), rounds) {
            (true, _) => misuse(format!(
                "scenario `{}` has no side (add one with `side`, or call `measure`)",
                self.name
            )),
            (false, 0) => misuse(format!("scenario `{}` has no round (remove `rounds(0)`)", self.name)),
            (false, rounds) => Ok(rounds),
        }
    }

    fn is_quick(&self) -> bool {
        self.quick.unwrap_or_else(quick::is_asked_for)
    }

    fn fingerprint(&self) -> Fingerprint {
        let fingerprint = Fingerprint::take();
        match &self.server {
            Some(nats) => fingerprint.with_server(nats),
            None => fingerprint,
        }
    }

    /// Runs every side and the control once; without a number, for nothing.
    async fn round(&mut self, round: Option<usize>, gathered: &mut [Gathered]) -> Result<(), ResultsError> {
        let sides = self.sides.len();
        for place in turns::order(sides + usize::from(self.control.is_some()), round.unwrap_or(0)) {
            let (name, side) = match self.sides.get_mut(place) {
                Some((name, side)) => (name.as_str(), side),
                None => match &mut self.control {
                    Some((name, side)) => (name.as_str(), side),
                    None => continue,
                },
            };
            let started = Instant::now();
            let result = side.run().await;
            let took = started.elapsed();
            let sample = result.map_err(|error| failed(&self.name, name, round).because(error))?;
            let sample = if sample.is_empty() { Sample::from(took) } else { sample };
            if let Some(round) = round {
                gathered[place].take(round, sample);
            }
        }
        Ok(())
    }

    fn put_together(
        self,
        mut gathered: Vec<Gathered>,
        taken: Moment,
        fingerprint: &Fingerprint,
        rounds: usize,
    ) -> Results {
        let quick = self.is_quick();
        let control = gathered.pop().filter(|_| self.control.is_some()).unwrap_or_default();
        let mut records = Vec::new();
        for ((side, _), gathered) in self.sides.into_iter().zip(gathered) {
            let mut configuration = self.configuration.clone();
            configuration.extend(gathered.load_settings());
            let mut record = Record::new(self.name.clone());
            record.side = Some(side).filter(|side| !side.is_empty());
            record.taken = taken;
            record.quick = quick;
            record.rounds = rounds;
            record.fingerprint = fingerprint.clone();
            record.configuration_hash = configuration_hash(&configuration);
            record.configuration = configuration;
            record.control = self.control.as_ref().map(|(name, _)| name.clone());
            record.targets.clone_from(&self.targets);
            gathered.give(&mut record, &control);
            records.push(record);
        }
        let compare = |candidate: &Record| {
            Comparison::of(&records[0], candidate, ComparisonKind::Interleaved, &self.rules)
        };
        let comparisons = records.iter().skip(1).map(compare).collect();
        Results::new(self.name, records, comparisons)
    }
}

fn failed(scenario: &str, side: &str, round: Option<usize>) -> ResultsError {
    let side = if side.is_empty() { String::new() } else { format!(" of `{side}`") };
    let round =
        round.map_or_else(|| "the round before the first".to_owned(), |round| format!("round {}", round + 1));
    ResultsError::new(ResultsErrorKind::Round, format!("{round}{side} in scenario `{scenario}` failed"))
}
