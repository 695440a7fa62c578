//! What all of it comes to.

use super::{FindingKind, Severity};
use crate::results::comparison::{Comparison, Verdict};
use crate::results::document::{Outcome, Results};
use crate::results::error::{ResultsError, ResultsErrorKind};

impl Results {
    /// Returns what the results come to: the worst of targets, thresholds, comparisons and sweep.
    ///
    /// A failure outweighs what cannot be told, and that a warning. What is doubtful about the machine is no outcome by itself; that
    /// no round can be believed is.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let finds = |severity| self.findings.iter().any(|finding| finding.severity == severity);
        let compares = |verdict| self.judged().any(|comparison| comparison.verdict == verdict);
        let is_near = || {
            let near = [FindingKind::Target, FindingKind::Change];
            self.findings.iter().any(|one| one.severity == Severity::Warn && near.contains(&one.kind))
        };
        match () {
            () if finds(Severity::Fail) || compares(Verdict::Regressed) => Outcome::Failed,
            () if finds(Severity::Unknown) || compares(Verdict::Inconclusive) => Outcome::Inconclusive,
            () if is_near() => Outcome::Warned,
            () => Outcome::Passed,
        }
    }

    /// The comparisons that results can fail by.
    fn judged(&self) -> impl Iterator<Item = &Comparison> {
        self.comparisons.iter().filter(|comparison| !comparison.rules.designs)
    }

    /// Returns an error when something regressed or misses its target: what does, then all of the results.
    ///
    /// What is [`Inconclusive`](Outcome::Inconclusive) is no error: a busy machine fails no test. Ask [`outcome`](Self::outcome) where
    /// it should.
    ///
    /// # Errors
    ///
    /// [`Regressed`](ResultsErrorKind::Regressed) where a comparison has,
    /// [`Misuse`](ResultsErrorKind::Misuse) where a target cannot be judged, else [`MissedTarget`](ResultsErrorKind::MissedTarget).
    pub fn check(&self) -> Result<(), ResultsError> {
        if self.outcome() != Outcome::Failed {
            return Ok(());
        }
        let is_regressed = self.judged().any(|comparison| comparison.verdict == Verdict::Regressed);
        let mut judged =
            self.records.iter().flat_map(|record| record.targets.iter().map(|target| target.judge(record)));
        let kind = match judged.any(|result| result.is_err()) {
            _ if is_regressed => ResultsErrorKind::Regressed,
            true => ResultsErrorKind::Misuse,
            false => ResultsErrorKind::MissedTarget,
        };
        Err(ResultsError::new(kind, format!("{}\n\n{self}", self.failures())))
    }

    /// The same; see there.
    ///
    /// # Panics
    ///
    /// With the text of the error that [`check`](Self::check) returns.
    #[track_caller]
    pub fn assert(&self) {
        if let Err(error) = self.check() {
            panic!("{error}");
        }
    }

    /// `` `bus` fails: ``, and what does, in lines.
    fn failures(&self) -> String {
        let failing = self.findings.iter().filter(|finding| finding.severity == Severity::Fail);
        let mut lines: Vec<_> = failing.map(|finding| finding.text.clone()).collect();
        if lines.is_empty() {
            // The findings were taken out, which makes the verdict no other.
            let regressed = self.judged().filter(|one| one.verdict == Verdict::Regressed);
            lines.extend(regressed.map(|one| one.reason.clone()));
        }
        format!("`{}` fails:\n  {}", self.title, lines.join("\n  "))
    }
}
