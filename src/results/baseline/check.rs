//! Compares with a baseline or writes it, as the environment wants.

use std::fmt::Write as _;

use super::super::comparison::{Basis, Comparison, MetricComparison, Verdict};
use super::super::error::{ResultsError, ResultsErrorKind};
use super::super::record::{Record, TEST};
use super::Baseline;
use super::place::Place;
use crate::environment;
use crate::memory::text;

/// What writes a baseline: the command for the test of this thread, if it is one's.
pub(super) fn bless() -> String {
    let thread = std::thread::current();
    let test = thread.name().filter(|name| !matches!(*name, "main" | ""));
    test.map_or_else(|| BLESS.to_owned(), |test| format!("{BLESS} {test}"))
}

const BLESS: &str = "ISOLATED_NATS_BLESS=1 cargo test";

/// What the environment wants.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) place: Place,
    pub(super) bless: bool,
    pub(super) inconclusive_fails: bool,
}

/// A comparison, and what is to be said of it past the capture.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) comparison: Comparison,
    pub(super) said: Option<String>,
}

impl Settings {
    pub(super) fn from_env() -> Result<Self, ResultsError> {
        environment::check().map_err(|what| ResultsError::new(ResultsErrorKind::Misuse, what))?;
        Ok(Self {
            place: Place::find(),
            bless: environment::is("ISOLATED_NATS_BLESS", "1"),
            inconclusive_fails: environment::is("ISOLATED_NATS_INCONCLUSIVE", "fail"),
        })
    }

    pub(super) fn check(&self, record: &Record, name: &str) -> Result<Checked, ResultsError> {
        if self.bless {
            return self.bless(record, name);
        }
        let baseline = self.place.load(name)?;
        let comparison = baseline.compare(record)?;
        let said = match comparison.verdict {
            Verdict::Regressed => {
                let what = self.regressed(&baseline, &comparison);
                return Err(ResultsError::new(ResultsErrorKind::Regressed, what));
            }
            Verdict::Inconclusive => {
                let what = format!("not told from baseline `{name}`: {}", open(&comparison));
                if self.inconclusive_fails {
                    return Err(ResultsError::new(ResultsErrorKind::Inconclusive, what));
                }
                Some(format!("isolated-nats: {}: {what}\n", record.title()))
            }
            Verdict::Improved | Verdict::Same => None,
        };
        Ok(Checked { comparison, said })
    }

    fn bless(&self, record: &Record, name: &str) -> Result<Checked, ResultsError> {
        let baseline = Baseline::new(name, vec![record.clone()])?;
        self.check_owner(record, name)?;
        let path = self.place.save(&baseline)?;
        let said =
            format!("isolated-nats: {} is now baseline `{name}`: {}\n", record.title(), path.display());
        Ok(Checked { comparison: baseline.compare(record)?, said: Some(said) })
    }

    /// A test does not write the baseline of another.
    fn check_owner(&self, record: &Record, name: &str) -> Result<(), ResultsError> {
        let earlier = self.place.load(name).ok();
        let owner = earlier.as_ref().and_then(|earlier| earlier.runs.first()?.configuration.get(TEST));
        let (Some(owner), Some(test)) = (owner, record.configuration.get(TEST)) else { return Ok(()) };
        if owner == test {
            return Ok(());
        }
        let what = format!(
            "baseline `{name}` is that of test `{owner}`, and not of `{test}` (give one of them another name; where the test was renamed, \
             remove `{}`)",
            self.place.file(name).display()
        );
        Err(ResultsError::new(ResultsErrorKind::OtherConfiguration, what))
    }

    fn regressed(&self, baseline: &Baseline, comparison: &Comparison) -> String {
        let run = baseline.runs.last();
        let commit = run.and_then(|run| run.fingerprint.commit.as_ref());
        let commit = commit.map_or(String::new(), |commit| format!(", of commit {}", commit.short()));
        let notes = comparison.warnings.iter().map(|warning| format!("  beware:   {warning}\n"));
        format!(
            "`{}` is worse than baseline `{}`\n  expected: no worse than on {}{commit}\n  actual:   {}\n{}{}  intended? `{}` makes it \
             the baseline; commit `{}`",
            comparison.candidate,
            baseline.name,
            baseline.blessed,
            comparison.reason,
            notes.collect::<String>(),
            table(comparison),
            bless(),
            self.place.file(&baseline.name).display()
        )
    }
}

/// What cannot be told, in short: each metric with its interval, or what is wrong with the comparison as a whole.
fn open(comparison: &Comparison) -> String {
    let open = comparison.metrics.iter().filter(|metric| metric.verdict == Verdict::Inconclusive);
    let told = |metric: &MetricComparison| {
        let share = |ratio: f64| format!("{:+.0} %", (ratio - 1.0) * 100.0);
        let ratio = metric.ratio.map(|ratio| format!(" ({} to {})", share(ratio.low), share(ratio.high)));
        format!("{}{}", metric.name, ratio.unwrap_or_default())
    };
    let is_doubted = comparison.metrics.iter().all(|metric| metric.reason == comparison.reason);
    if is_doubted { comparison.reason.clone() } else { open.map(told).collect::<Vec<_>>().join(", ") }
}

/// The metrics with both medians, and what became of them.
fn table(comparison: &Comparison) -> String {
    let head = ["metric", "baseline", "now", "change", "verdict"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for metric in &comparison.metrics {
        let value = |value: Option<f64>| value.map_or_else(|| "-".into(), |value| metric.unit.text(value));
        let mut change = String::new();
        match metric.ratio {
            Some(ratio) => {
                let control = if metric.basis == Basis::Control { " to the control" } else { "" };
                let _ = write!(change, "{:+.1} %{control}", (ratio.value - 1.0) * 100.0);
            }
            None => change.push('-'),
        }
        let verdict = format!("{:?}", metric.verdict).to_lowercase();
        rows.push(vec![
            metric.name.clone(),
            value(metric.base.median),
            value(metric.candidate.median),
            change,
            verdict,
        ]);
    }
    text::table(&rows)
}
