//! Whether what the builder was told can be run.

use std::time::Duration;

use super::{Injections, LoadError, LoadErrorKind, LoadGeneratorBuilder, Overflow, Pool, Setting};

/// The largest payload: that of the largest object a run is meant for, with room.
const LARGEST_PAYLOAD: usize = 1 << 30;
const MOST_IN_FLIGHT: usize = 100_000;
/// Each has histograms of its own for each thread: a hundred of them take 130 MB where eight threads record.
const MOST_OPERATIONS: usize = 100;
const MOST_INSTANCES: usize = 10_000;

impl LoadGeneratorBuilder {
    /// Checks everything, and makes what the run needs of it.
    pub(super) fn setting(self) -> Result<Setting, LoadError> {
        let Some(schedule) = self.schedule.clone() else {
            return Err(LoadError::new(
                LoadErrorKind::Schedule,
                "there is no schedule (add `.schedule(Schedule::steady(Rate::per_second(100.0), Duration::from_secs(1)))`)",
            ));
        };
        schedule.check()?;
        self.check_operations()?;
        self.check_figures()?;
        self.check_injections()?;
        self.check_beside(schedule.duration())?;
        let names: Vec<_> = self.operations.iter().map(|named| named.name.clone()).collect();
        self.thresholds.iter().try_for_each(|threshold| threshold.check(&names))?;
        let (range, sizes) = &self.payload;
        let payload_bytes = (*range.start() as u64, *range.end() as u64);
        let pool = Pool::new(range, *sizes, self.seed);
        Ok(Setting {
            schedule,
            operations: self.operations,
            pool,
            payload_bytes,
            max_in_flight: self.max_in_flight,
            drops: self.overflow == Overflow::Drop,
            operation_timeout: self.operation_timeout,
            stop_timeout: self.stop_timeout,
            warm_up: self.warm_up,
            thresholds: self.thresholds,
            stop_early: self.stop_early,
            injections: self.injections,
            churn: self.churn,
            events: self.events,
            services: self.services,
            verifier: self.verifier,
            processes: self.processes,
            window: self.window,
            precise: self.precise,
            progress: self.progress,
        })
    }

    fn check_operations(&self) -> Result<(), LoadError> {
        let refused = |what: String| Err(LoadError::new(LoadErrorKind::Operations, what));
        let operations = &self.operations;
        if operations.is_empty() {
            return refused(
                "there is no operation (add `.operation(\"name\", 1, |context| async move { … })`)".into(),
            );
        }
        if operations.len() > MOST_OPERATIONS {
            return refused(format!(
                "{} operations are more than {MOST_OPERATIONS} (put like ones together)",
                operations.len()
            ));
        }
        if operations.iter().all(|named| named.weight == 0) {
            return refused("all operations have the weight 0 (give one of them another)".into());
        }
        for (at, named) in operations.iter().enumerate() {
            if named.name.trim().is_empty() || named.name == "total" {
                return refused(format!(
                    "an operation cannot be named `{}` (give it a name of its own)",
                    named.name
                ));
            }
            if operations[..at].iter().any(|other| other.name == named.name) {
                return refused(format!(
                    "two operations are named `{}` (rename one: each is reported by its name)",
                    named.name
                ));
            }
        }
        Ok(())
    }

    fn check_figures(&self) -> Result<(), LoadError> {
        let (sizes, _) = &self.payload;
        if sizes.start() > sizes.end() {
            return refused(format!(
                "payloads from {} to {} bytes are none (turn them around)",
                sizes.start(),
                sizes.end()
            ));
        }
        if *sizes.end() > LARGEST_PAYLOAD {
            return refused(format!(
                "a payload of {} bytes is larger than 1 GiB (make it smaller)",
                sizes.end()
            ));
        }
        if !(1..=MOST_IN_FLIGHT).contains(&self.max_in_flight) {
            return refused(format!(
                "`max_in_flight({})` is not from 1 to {MOST_IN_FLIGHT}",
                self.max_in_flight
            ));
        }
        let day = Duration::from_secs(24 * 60 * 60);
        let longest = [("stop_timeout", self.stop_timeout), ("warm_up", self.warm_up)];
        let optional = [
            ("operation_timeout", self.operation_timeout),
            ("churn", self.churn),
            ("window", self.window),
            ("stop_early", self.stop_early),
        ];
        let set = optional.into_iter().filter_map(|(name, time)| Some((name, time?)));
        if let Some((name, time)) = longest.into_iter().chain(set.clone()).find(|(_, time)| *time > day) {
            return refused(format!("`{name}({time:?})` is longer than a day (make it shorter)"));
        }
        let mut zero = set.filter(|(name, time)| time.is_zero() && *name != "stop_early");
        match zero.next() {
            Some((name, _)) => refused(format!("`{name}` is zero (leave it out, or make it longer)")),
            None => Ok(()),
        }
    }

    fn check_injections(&self) -> Result<(), LoadError> {
        let Injections { failures, cancellations } = self.injections;
        for (name, share) in [("inject_failures", failures), ("inject_cancellations", cancellations)] {
            if !(0.0..=1.0).contains(&share) {
                return refused(format!("`{name}({share})` is not from 0 to 1 (1 % is 0.01)"));
            }
        }
        if failures + cancellations > 1.0 {
            return refused(format!(
                "injections of {failures} and {cancellations} are more than all operations"
            ));
        }
        Ok(())
    }

    fn check_beside(&self, planned: Option<Duration>) -> Result<(), LoadError> {
        let late = |at: Duration| planned.is_some_and(|planned| at >= planned);
        if let Some(event) = self.events.iter().find(|event| late(event.at)) {
            let planned = planned.unwrap_or_default();
            return refused(format!(
                "event `{}` at {:?} comes after the schedule's end at {planned:?} (move it, or make the schedule longer)",
                event.name, event.at
            ));
        }
        for (at, service) in self.services.iter().enumerate() {
            let (name, instances) = (&service.name, service.instances);
            if !(1..=MOST_INSTANCES).contains(&instances) {
                return refused(format!(
                    "service `{name}` has {instances} instances, not from 1 to {MOST_INSTANCES}"
                ));
            }
            if self.services[..at].iter().any(|other| other.name == *name) {
                return refused(format!(
                    "two services are named `{name}` (rename one: each is reported by its name)"
                ));
            }
        }
        Ok(())
    }
}

fn refused(what: String) -> Result<(), LoadError> {
    Err(LoadError::new(LoadErrorKind::Setting, what))
}
