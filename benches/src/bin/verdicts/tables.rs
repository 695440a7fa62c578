//! How many of the answers were right.

use isolated_nats::results::{Comparison, Verdict};
use isolated_nats_benches::stats::wilson;
use isolated_nats_benches::table::Table;

use crate::measured::Run;
use crate::questions::{Promise, Question};

/// Of fewer comparisons, a share that is as promised may be luck.
const ENOUGH: usize = 100;
/// Of fewer, any share may be.
const FEW: usize = 20;

pub(crate) const NOTES: &str = "\
A has 5 plain request/replies in each operation, +20 % has 6. Counted are those told apart (improved or regressed), of +20 % those
found (regressed), of 3 rounds those that are not inconclusive; in parentheses, Wilson's 95 % interval of the share in %. same, open:
shares of Same and Inconclusive in %. kept: the share is as promised; few: with fewer than 100 comparisons this is not said, and
BROKEN is only what the whole interval breaks, from 20 on. any: comparisons in which any metric of a LoadReport counts; of that
nothing is promised. Saved runs: of the first half, compared with those of the second. Loaded: a busy loop on each core.
";

/// How a promise fares.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Held {
    Kept,
    Broken,
    Few,
    NotPromised,
}

/// How often each verdict was given of one metric.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    of: usize,
    counted: usize,
    same: usize,
    open: usize,
}

impl Tally {
    fn of(question: &Question, name: &str) -> Self {
        let mut tally = Self::default();
        let metrics = question.comparisons.iter().flat_map(|comparison| &comparison.metrics);
        for metric in metrics.filter(|metric| metric.name == name) {
            tally.of += 1;
            tally.counted += usize::from(question.promise.counts(metric.verdict));
            tally.same += usize::from(metric.verdict == Verdict::Same);
            tally.open += usize::from(metric.verdict == Verdict::Inconclusive);
        }
        tally
    }

    fn held(self, promise: Promise) -> Held {
        let (low, high) = wilson(self.counted, self.of);
        let share = percent(self.counted, self.of) / 100.0;
        let few = self.of < ENOUGH;
        let broken = match promise {
            Promise::Nothing => return Held::NotPromised,
            Promise::AllInconclusive => self.counted > 0,
            _ if self.of < FEW => false,
            Promise::FalseAlarmsAtMost(most) => (if few { low } else { share }) > most,
            Promise::FoundAtLeast(least) => (if few { high } else { share }) < least,
        };
        match (broken, few) {
            (true, _) => Held::Broken,
            (false, true) => Held::Few,
            (false, false) => Held::Kept,
        }
    }

    fn cells(self, held: Held) -> [String; 4] {
        if self.of == 0 {
            return ["-"; 4].map(str::to_owned);
        }
        let (low, high) = wilson(self.counted, self.of);
        let (share, low, high) = (percent(self.counted, self.of), low * 100.0, high * 100.0);
        let held = match held {
            Held::Kept => "kept",
            Held::Broken => "BROKEN",
            Held::Few => "few",
            Held::NotPromised => "-",
        };
        [
            format!("{} = {share:.1} % ({low:.1} to {high:.1})", self.counted),
            format!("{:.0}", percent(self.same, self.of)),
            format!("{:.0}", percent(self.open, self.of)),
            held.to_owned(),
        ]
    }
}

fn percent(part: usize, of: usize) -> f64 {
    part as f64 / of as f64 * 100.0
}

/// The table of a condition, and whether no promise was broken.
pub(crate) fn table(title: &str, questions: &[Question]) -> (Table, bool) {
    let header = ["", "of", "promised", "throughput", "same", "open", "", "p50", "same", "open", "", "any"];
    let (mut table, mut whole) = (Table::new(title, &header), true);
    for question in questions {
        let promised = match question.promise {
            Promise::FalseAlarmsAtMost(most) => format!("≤ {:.0} %", most * 100.0),
            Promise::FoundAtLeast(least) => format!("≥ {:.0} %", least * 100.0),
            Promise::AllInconclusive => "0".into(),
            Promise::Nothing => "-".into(),
        };
        let mut row = vec![question.what.to_owned(), question.comparisons.len().to_string(), promised];
        for name in ["throughput", "p50"] {
            let tally = Tally::of(question, name);
            let held = tally.held(question.promise);
            whole &= held != Held::Broken;
            row.extend(tally.cells(held));
        }
        let counts = |comparison: &&Comparison| {
            comparison.metrics.iter().any(|metric| question.promise.counts(metric.verdict))
        };
        row.push(question.comparisons.iter().filter(counts).count().to_string());
        table.row(row);
    }
    (table, whole)
}

/// What the runs of a condition are.
pub(crate) fn title(runs: &[Run], questions: &[Question]) -> String {
    let Some(first) = runs.first() else { return "no run".into() };
    let records = || runs.iter().flat_map(|run| &run.records);
    let doubted: usize = records().map(|record| record.invalid.len()).sum();
    let rounds: usize = records().map(|record| record.rounds).sum();
    let refused: usize = questions.iter().map(|question| question.refused).sum();
    format!(
        "{}: {} runs of {} rounds; saved runs {:.0} s apart; {doubted} of {rounds} windows not believed, {refused} baselines refused",
        if first.loaded { "loaded" } else { "quiet" },
        runs.len(),
        first.records.iter().map(|record| record.rounds).min().unwrap_or(0),
        runs[runs.len() / 2].at - first.at,
    )
}
