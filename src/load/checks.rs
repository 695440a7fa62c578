//! Whether a report will do.

use super::error::{LoadError, LoadErrorKind};
use super::report::LoadReport;
use super::service::InstanceEnd;
use super::threshold::{LoadOutcome, Threshold, ThresholdResult, ThresholdValue, ThresholdVerdict};
use super::validity::InvalidReason;

impl LoadReport {
    /// Compares the report with one threshold more; one that is only [`Warned`](ThresholdVerdict::Warned) of has passed.
    ///
    /// # Panics
    ///
    /// Where it failed, or nothing was measured, with what was expected, what was found, the whole report, and, when the run is not
    /// valid, why. Where the threshold could be used in no run of these operations, with the text of that error.
    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "so that the text can be parsed in place")]
    pub fn assert_that(&self, threshold: Threshold) {
        if let Err(error) = threshold.check(&self.names()) {
            panic!("{error:?}");
        }
        let result = threshold.judge(self);
        if result.verdict != ThresholdVerdict::Failed {
            return;
        }
        let doubt = self.doubt().map_or(String::new(), |why| format!("\n  beware:   {why}"));
        panic!(
            "load threshold `{threshold}` failed\n  expected: {}\n  actual:   {}{doubt}\n\n{self}",
            threshold.expected(),
            result.why,
        );
    }

    /// Returns what the run comes to: its thresholds, and whether its figures can be believed.
    ///
    /// It has failed when not one operation ended, when an event or a service failed, and when a threshold did that nothing
    /// excuses. What disturbs a run ([`is_disturbance`](InvalidReason::is_disturbance)) makes it worse and never better, so that a
    /// threshold that passes nevertheless has passed, and excuses only one that a busy machine can have spoiled
    /// ([`excusable`](super::ThresholdResult::excusable)): the run is then inconclusive. So it is, whatever its thresholds
    /// say, when the system was not given what the schedule asks for.
    #[must_use]
    pub fn outcome(&self) -> LoadOutcome {
        let failed = || self.thresholds.iter().filter(|result| result.verdict == ThresholdVerdict::Failed);
        if self.count() == 0 || self.broken().is_some() || failed().any(|result| !self.is_excused(result)) {
            LoadOutcome::Failed
        } else if failed().next().is_some() || self.is_spared() {
            LoadOutcome::Inconclusive
        } else if self.thresholds.iter().any(|result| result.verdict == ThresholdVerdict::Warned) {
            LoadOutcome::Warned
        } else {
            LoadOutcome::Passed
        }
    }

    /// Whether the system was not given what the schedule asks for.
    fn is_spared(&self) -> bool {
        // Who bounds the loss has decided how much of it is none.
        let bounded = self.thresholds.iter().any(|result| result.threshold.starts_with("lost"));
        let matters = |reason: &&InvalidReason| {
            let is_found = bounded && matches!(reason, InvalidReason::NotDelivered { .. });
            !(reason.is_disturbance() || is_found)
        };
        self.validity.reasons().iter().any(|reason| matters(&reason))
    }

    /// Whether what is wrong with the run can be why a threshold failed.
    pub(crate) fn is_excused(&self, result: &ThresholdResult) -> bool {
        let time = |value: Option<ThresholdValue>| match value {
            Some(ThresholdValue::Time(time)) => Some(time),
            _ => None,
        };
        let can_be = |reason: &InvalidReason| match (reason, time(result.found), time(result.limit)) {
            // Only what is not there without the lag.
            (InvalidReason::Lag { p99, .. }, Some(found), Some(limit)) => found.saturating_sub(*p99) <= limit,
            _ => true,
        };
        result.excusable && self.validity.reasons().iter().any(can_be)
    }

    /// What did not work that belongs to the test itself.
    pub(crate) fn broken(&self) -> Option<String> {
        let events = self.events.iter().filter(|event| !event.took.is_zero()); // zero: it was not begun
        let events = events
            .filter_map(|event| Some(format!("event `{}` failed: {}", event.name, event.error.as_ref()?)));
        let services = self.services.iter().flat_map(|service| {
            let broken = |end: &InstanceEnd| matches!(end, InstanceEnd::Failed(_) | InstanceEnd::Panicked(_));
            let instances = service.instances.iter().filter(move |one| broken(&one.end));
            instances
                .map(|one| format!("instance {} of service `{}` {}", one.instance, service.name, one.end))
        });
        let told: Vec<_> = events.chain(services).collect();
        (!told.is_empty()).then(|| told.join("; "))
    }

    /// Compares the run with the thresholds of its builder: in a test that returns a result, `.run().await?.check()?`.
    ///
    /// # Errors
    ///
    /// [`Failed`](LoadErrorKind::Failed), with what failed and what was found, and [`Inconclusive`](LoadErrorKind::Inconclusive), with the
    /// reasons, where the run does not say whether the system would pass: see [`outcome`](Self::outcome).
    pub fn check(&self) -> Result<(), LoadError> {
        let kind = match self.outcome() {
            LoadOutcome::Passed | LoadOutcome::Warned => return Ok(()),
            LoadOutcome::Inconclusive => LoadErrorKind::Inconclusive,
            LoadOutcome::Failed => LoadErrorKind::Failed,
        };
        let nothing = (self.count() == 0).then(|| self.nothing());
        let why = [nothing, self.broken(), self.failures(), self.doubt()];
        Err(LoadError::new(kind, why.into_iter().flatten().collect::<Vec<_>>().join("; ")))
    }

    /// Compares the run with the thresholds of its builder.
    ///
    /// # Panics
    ///
    /// With the text of the error that [`check`](Self::check) returns, and the whole report.
    #[track_caller]
    pub fn assert_passed(&self) {
        if let Err(error) = self.check() {
            panic!("{error}\n\n{self}");
        }
    }

    /// Judges the thresholds again, after more has been measured.
    pub(super) fn judge_again(&mut self) {
        let judge = |text: &str| Some(text.parse::<Threshold>().ok()?.judge(self));
        let judged: Vec<_> = self.thresholds.iter().map(|result| judge(&result.threshold)).collect();
        for (result, again) in self.thresholds.iter_mut().zip(judged) {
            *result = again.unwrap_or_else(|| result.clone());
        }
    }

    fn names(&self) -> Vec<String> {
        let own = self.operations.is_empty().then_some(self);
        self.operations.iter().chain(own).map(|operation| operation.name.clone()).collect()
    }

    /// Why the figures cannot be believed; `None` when they can.
    fn doubt(&self) -> Option<String> {
        let reasons: Vec<_> = self.validity.reasons().iter().map(ToString::to_string).collect();
        (!self.validity.is_valid()).then(|| {
            format!(
                "the run was {}: {}",
                if self.is_spared() { "not what was asked for" } else { "disturbed" },
                reasons.join("; ")
            )
        })
    }

    fn failures(&self) -> Option<String> {
        let failed = self.thresholds.iter().filter(|result| result.verdict == ThresholdVerdict::Failed);
        let told: Vec<_> = failed.map(|result| format!("`{}`: {}", result.threshold, result.why)).collect();
        let s = if told.len() == 1 { "" } else { "s" };
        (!told.is_empty()).then(|| format!("load threshold{s} failed: {}", told.join("; ")))
    }

    fn nothing(&self) -> String {
        match self.errors.first() {
            Some(error) => format!("no operation of the load ended (errors: {})", error.example),
            None => "no operation of the load ended (raise `stop_timeout`, or the schedule's length)".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;
    use std::time::Duration;

    use super::*;
    use crate::load::figures::LoadEvent;
    use crate::load::made::{put_and_get, report};

    fn with(texts: &[&str]) -> LoadReport {
        let mut report = put_and_get();
        report.thresholds = texts.iter().map(|text| Threshold::from(*text).judge(&report)).collect();
        report
    }

    fn invalid(mut report: LoadReport) -> LoadReport {
        let lag = InvalidReason::Lag { p99: Duration::from_millis(9), allowed: Duration::from_millis(1) };
        report.validity.reasons.push(lag);
        report
    }

    /// Later than can be put down to the generator.
    fn far_off(mut report: LoadReport) -> LoadReport {
        let lag = InvalidReason::Lag { p99: Duration::from_nanos(10), allowed: Duration::from_nanos(1) };
        report.validity.reasons.push(lag);
        report
    }

    fn with_an_event(mut report: LoadReport) -> LoadReport {
        let (at, took, error) = (Duration::ZERO, Duration::from_millis(1), Some("no server".into()));
        report.events.push(LoadEvent { name: "restart".into(), at, took, error });
        report
    }

    fn short_of_workers(mut report: LoadReport) -> LoadReport {
        report.validity.reasons.push(InvalidReason::Dropped { count: 3 });
        invalid(report)
    }

    fn panic_of(act: impl FnOnce()) -> String {
        let panic = catch_unwind(std::panic::AssertUnwindSafe(act)).expect_err("it does not panic");
        *panic.downcast::<String>().unwrap()
    }

    #[test]
    fn a_run_comes_to_the_worst_of_its_thresholds() {
        for (report, outcome) in [
            (with(&[]), LoadOutcome::Passed),
            (with(&["p50<1s"]), LoadOutcome::Passed),
            (with(&["p50<1s", "errors<=150"]), LoadOutcome::Warned),
            (with(&["p50<1s", "errors<=150", "p99<1s"]), LoadOutcome::Failed),
            (invalid(with(&["p50<1s"])), LoadOutcome::Passed),
            (short_of_workers(with(&["p50<1s"])), LoadOutcome::Inconclusive),
            (short_of_workers(with(&[])), LoadOutcome::Inconclusive),
            (invalid(with(&["p99<1s"])), LoadOutcome::Failed), // by errors
            (invalid(with(&["p50<1ns"])), LoadOutcome::Inconclusive),
            (with(&["p50<1ns"]), LoadOutcome::Failed),
            (far_off(with(&["p50<1ns"])), LoadOutcome::Failed),
            (invalid(with(&["errors<=0"])), LoadOutcome::Failed),
            (invalid(with(&["rate>=1000000/s"])), LoadOutcome::Inconclusive),
            (with_an_event(with(&[])), LoadOutcome::Failed),
            (report("total"), LoadOutcome::Failed),
            (invalid(report("total")), LoadOutcome::Failed),
        ] {
            assert_eq!(report.outcome(), outcome);
            let good = matches!(outcome, LoadOutcome::Passed | LoadOutcome::Warned);
            assert_eq!(report.check().is_ok(), good);
        }
    }

    #[test]
    fn the_error_names_every_threshold_that_failed() {
        let error = with(&["p99<1s", "p50<1s", "errors<1% for put"]).check().unwrap_err();
        assert_eq!(error.kind(), LoadErrorKind::Failed);
        let told = "load thresholds failed: `p99<1s`: not served: 150 of 10 000 failed; `errors<1% for put`: 2.50 %, \
                    allowed is < 1.00 % (150 of 6 000)";
        assert_eq!(error.to_string(), told);
        let error = invalid(with(&["p50<1ns"])).check().unwrap_err();
        assert_eq!(error.kind(), LoadErrorKind::Inconclusive);
        let (doubt, failed) =
            (error.to_string().find("the run was disturbed: "), error.to_string().find("`p50<1ns`"));
        assert!(failed.is_some() && doubt > failed, "{error}");
        let error = with_an_event(with(&[])).check().unwrap_err();
        assert_eq!(error.to_string(), "event `restart` failed: no server");
        let error = report("total").check().unwrap_err();
        assert_eq!(error.kind(), LoadErrorKind::Failed);
        assert!(error.to_string().starts_with("no operation of the load ended ("), "{error}");
    }

    #[test]
    fn an_assertion_shows_what_was_expected_and_found_and_the_report() {
        let report = put_and_get();
        report.assert_that("p50<5ms".parse().unwrap());
        report.assert_that(Threshold::errors_at_most(150)); // a warning passes
        let told = panic_of(|| report.assert_that("p99<5ms for put".parse().unwrap()));
        let head = "load threshold `p99<5ms for put` failed\n  expected: p99 of `put` < 5.00 ms\n  actual:   not served: 150 \
                    of 6 000 failed\n\n";
        assert_eq!(told, format!("{head}{report}"));
        let report = invalid(report);
        let told = panic_of(|| report.assert_that("p99<5ms".parse().unwrap()));
        assert!(told.contains("\n  beware:   the run was disturbed: "), "{told}");
    }

    #[test]
    fn an_assertion_of_what_is_not_there_is_told_as_that() {
        let report = put_and_get();
        let told = panic_of(|| report.assert_that("p99<5ms for pot".parse().unwrap()));
        assert!(told.contains("there is no operation `pot` (there are `put`, `get`)"), "{told}");
        let put = report.operation("put").unwrap();
        put.assert_that("p50<5ms for put".parse().unwrap());
        put.assert_that("p50<5ms".parse().unwrap());
        let told = panic_of(|| put.assert_that("p50<5ms for get".parse().unwrap()));
        assert!(told.contains("there is no operation `get` (there are `put`)"), "{told}");
    }

    #[test]
    fn a_failed_run_is_shown_whole_and_a_good_one_is_not() {
        with(&["p50<1s"]).assert_passed();
        let report = with(&["p99<1s"]);
        let told = panic_of(|| report.assert_passed());
        assert_eq!(told, format!("{}\n\n{report}", report.check().unwrap_err()));
    }

    #[test]
    fn thresholds_are_judged_again_with_what_was_measured_since() {
        let mut report = with(&["errors<=150", "nonsense"]);
        report.counts.failed = 151;
        let unreadable = report.thresholds[1].clone();
        report.judge_again();
        assert_eq!(report.thresholds[0].verdict, ThresholdVerdict::Failed);
        assert_eq!(report.thresholds[1], unreadable);
    }
}
