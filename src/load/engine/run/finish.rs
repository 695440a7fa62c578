//! The report of a run.

use std::sync::PoisonError;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use super::beside::UNDER_WAY;
use super::segment::WARM_UP_NUMBERS;
use super::{Run, Segment};
use crate::load::engine::monitor::Seen;
use crate::load::engine::record::Recorded;
use crate::load::engine::shared::Shared;
use crate::load::figures::{LoadCounts, LoadEvent, LoadSetup, WarmUpFigures, WorkerFigures};
use crate::load::histogram::Counts;
use crate::load::latency::Latency;
use crate::load::report::LoadReport;
use crate::load::service::ServiceFigures;
use crate::load::timeline::Timeline;
use crate::load::validity::Validity;
use crate::load::verifier::Verifier;

/// Operations that had not ended, or begun, when the run was over: by operation.
pub(super) struct Unfinished(Vec<u64>);

impl Unfinished {
    pub(super) fn count(shared: &Shared) -> Self {
        let mut unfinished = vec![0; shared.mixture.len()];
        for seat in shared.source.seats() {
            let running = seat.running().filter(|operation| *operation < unfinished.len());
            if let Some(operation) = running.filter(|_| !seat.turn().warm_up) {
                unfinished[operation] += 1;
            }
        }
        let measured = |number: &u64| *number < WARM_UP_NUMBERS;
        for number in shared.source.waiting_numbers().filter(measured) {
            unfinished[shared.mixture.operation(number)] += 1;
        }
        for (operation, count) in unfinished.iter_mut().enumerate() {
            *count += shared.source.left_over(operation);
        }
        Self(unfinished)
    }
}

impl Run {
    pub(super) fn report(
        mut self,
        (from, ended, planned_end): (Instant, Instant, Instant),
        unfinished: &Unfinished,
        seen: Option<Seen>,
        services: Vec<ServiceFigures>,
    ) -> LoadReport {
        let _ours = crate::memory::ours();
        let shared = std::sync::Arc::clone(&self.shared);
        let elapsed = self.elapsed(from, ended, planned_end);
        let mut total = Recorded::new();
        let operations: Vec<_> = (0..shared.mixture.len())
            .map(|at| {
                let mut recorded = Recorded::new();
                shared.recorder.add_to(at, &mut recorded);
                shared.recorder.add_to(at, &mut total);
                let counts = counts(&recorded, shared.source.dropped(at), unfinished.0[at]);
                self.part(&shared.names[at], Some(at), counts, &recorded, elapsed)
            })
            .collect();
        let mut report = self.part("total", None, self.total(&operations, &total), &total, elapsed);
        report.operations = operations;
        if shared.planned.is_some() && ended >= planned_end {
            self.note_in_time(&mut report, planned_end.saturating_duration_since(from));
        }
        report.warm_up = self.warm_up_figures();
        report.workers = Some(self.worker_figures());
        report.bursts = shared.bursts.figures();
        report.services = services;
        report.verification = self.setting.verifier.as_ref().map(Verifier::verification);
        report.events = self.events();
        (report.timeline, report.machine, report.stopped) = seen
            .map_or((Timeline::default(), None, None), |seen| (seen.timeline, seen.machine, seen.stopped));
        report.stopped = report.stopped.or_else(|| shared.stopped.get().cloned());
        report.thresholds = std::mem::take(&mut self.setting.thresholds)
            .iter()
            .map(|threshold| threshold.judge(&report))
            .collect();
        report.validity = Validity::of(&report);
        report
    }

    fn note_in_time(&self, report: &mut LoadReport, span: Duration) {
        let each: Vec<_> = self.shared.in_time.iter().map(|count| count.load(Relaxed)).collect();
        report.in_time = Some((each.iter().sum(), span));
        for (operation, count) in report.operations.iter_mut().zip(each) {
            operation.in_time = Some((count, span));
        }
    }

    /// From the start to the planned end, or to the end of the last operation if that is later; where the run was ended
    /// before, to that.
    fn elapsed(&self, from: Instant, ended: Instant, planned_end: Instant) -> Duration {
        let last = self.shared.epoch + Duration::from_nanos(self.shared.recorder.last_end());
        let by_count = self.shared.planned.is_none();
        let end = if self.shared.is_stopping() {
            ended.min(planned_end.max(last)) // whichever came first: its time, or its end
        } else if by_count {
            last
        } else {
            last.max(planned_end)
        };
        end.saturating_duration_since(from)
    }

    fn total(&self, operations: &[LoadReport], total: &Recorded) -> LoadCounts {
        let sum =
            |of: fn(&LoadCounts) -> u64| operations.iter().map(|operation| of(operation.counts())).sum();
        let mut counts = counts(total, sum(|counts| counts.dropped), sum(|counts| counts.unfinished));
        let open = self.segments.iter().map(|numbered| match &numbered.segment {
            Segment::Open(plan) => Some(plan.count()),
            Segment::Closed(_) => None,
        });
        counts.planned = open
            .sum::<Option<u64>>()
            .map(|planned| if self.shared.is_stopping() { self.shared.source.due() } else { planned });
        counts
    }

    fn part(
        &self,
        name: &str,
        operation: Option<usize>,
        mut counts: LoadCounts,
        recorded: &Recorded,
        elapsed: Duration,
    ) -> LoadReport {
        let shared = &self.shared;
        if shared.all_open && operation.is_some() {
            counts.planned = Some(counts.succeeded + counts.unserved() + counts.injected);
        }
        let its = || (0..shared.mixture.len()).filter(|at| operation.is_none_or(|one| one == *at));
        LoadReport {
            name: name.to_owned(),
            setup: self.setup(),
            counts,
            elapsed,
            response: recorded.response(),
            service: recorded.service(),
            lag: recorded.lag(),
            failed: recorded.failed(),
            in_time: None,
            longest_poll: its()
                .filter_map(|at| shared.recorder.longest_poll(at))
                .max()
                .map(Duration::from_nanos),
            first: its().find_map(|at| shared.recorder.first(at)).map(Duration::from_nanos),
            warm_up: None,
            errors: shared.kinds.of(operation),
            operations: Vec::new(),
            workers: None,
            bursts: Vec::new(),
            services: Vec::new(),
            verification: None,
            timeline: Timeline::default(),
            events: Vec::new(),
            machine: None,
            memory: None,
            validity: Validity::default(),
            thresholds: Vec::new(),
            stopped: None,
        }
    }

    fn setup(&self) -> LoadSetup {
        let (shared, setting) = (&self.shared, &self.setting);
        LoadSetup {
            schedule: setting.schedule.to_string(),
            closed: shared.all_closed,
            planned: shared.planned,
            workers: self.ready,
            flavor: self.runtime.flavor.to_owned(),
            threads: self.runtime.threads as u64,
            seed: shared.seed,
            payload_bytes: setting.payload_bytes,
            generator_bytes: shared.recorder.bytes()
                + shared.source.bytes()
                + setting.pool.len() as u64
                + shared.bytes.load(Relaxed),
        }
    }

    fn warm_up_figures(&self) -> Option<WarmUpFigures> {
        let planned = Some(self.setting.warm_up).filter(|planned| !planned.is_zero())?;
        let mut recorded = Recorded::new();
        self.shared.recorder.add_to(self.shared.mixture.len(), &mut recorded);
        let response = if self.shared.all_closed { recorded.service() } else { recorded.response() };
        let (succeeded, failed) = (recorded.service().count(), recorded.failed().count());
        Some(WarmUpFigures { planned, succeeded, failed, response })
    }

    fn worker_figures(&self) -> WorkerFigures {
        let shared = &self.shared;
        let mut set_up = Counts::new();
        shared.set_up.add_to(&mut set_up);
        WorkerFigures {
            asked: shared.source.seats().len() as u64,
            started: self.ready,
            joined: shared.joined.load(Relaxed),
            left: shared.left.load(Relaxed),
            failed: shared.not_set_up.load(Relaxed),
            set_up: Latency::of(&set_up),
        }
    }

    fn events(&self) -> Vec<LoadEvent> {
        let mut events = self.happened.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for event in &mut events {
            if event.took == UNDER_WAY {
                event.took = self.setting.stop_timeout;
                event.error = Some("had not ended when the run was over".into());
            }
        }
        events.sort_by_key(|event| event.at);
        events
    }
}

fn counts(recorded: &Recorded, dropped: u64, unfinished: u64) -> LoadCounts {
    LoadCounts {
        planned: None,
        succeeded: recorded.service().count(),
        failed: recorded.failed().count(),
        timed_out: recorded.timed_out,
        injected: recorded.injected,
        dropped,
        unfinished,
        items: recorded.items,
        bytes: recorded.bytes,
    }
}
