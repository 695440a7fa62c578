//! What one window at one level measured.

use super::SweepStop;
use super::figure::Figure;
use crate::load::{InvalidReason, LoadReport, MachineFigures, Threshold, ThresholdVerdict};

/// More of the operations failed than this: there is no use in going higher.
const MOST_ERRORS: f64 = 0.1;
/// Operations took more seconds than this on average: the same.
const LONGEST_MEAN: f64 = 5.0;
/// Texts of errors that say that a limit is reached.
const LIMITS: [&str; 12] = [
    "maximum connections",
    "maximum payload",
    "maximum messages",
    "maximum bytes",
    "maximum consumers",
    "maximum subscriptions",
    "max payload",
    "max_ack_pending",
    "maxackpending",
    "insufficient resources",
    "insufficient storage",
    "too many open files",
];

/// What one window measured.
#[derive(Clone, Debug, Default)]
pub(super) struct Window {
    pub(super) values: Vec<(Figure, f64)>,
    /// Why it is not well; empty when it is.
    pub(super) problems: Vec<String>,
    /// Whether the problems may be those of a machine that was busy with something else.
    pub(super) excused: bool,
    /// Why there is no use in going higher.
    pub(super) stop: Option<SweepStop>,
    /// The share of the operations that were begun and did not end; `None` where none was begun.
    pub(super) unfinished_share: Option<f64>,
    /// What the generator and the server could use.
    pub(super) room: Room,
    /// What says that a limit is reached: the text of an error with its count, or that all workers were busy.
    pub(super) refused: Option<String>,
    pub(super) all_workers_busy: Option<String>,
}

/// What the generator and the server could use, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Room {
    /// The runtime's flavour, and its worker threads.
    pub(super) runtime: Option<(String, f64)>,
    /// Processors that this process may use.
    pub(super) cores: Option<f64>,
    /// Processors of the machine.
    pub(super) machine_cores: Option<f64>,
    /// Processors that the server says it may use.
    pub(super) server_cores: Option<f64>,
    /// Bytes of memory of the machine.
    pub(super) memory: Option<f64>,
}

impl Window {
    /// A window that ended with an error.
    pub(super) fn failed(level: f64, error: &str) -> Self {
        Self {
            problems: vec![format!("the window failed: {error}")],
            stop: Some(SweepStop::NothingAchieved { level }),
            ..Self::default()
        }
    }

    pub(super) fn of(level: f64, report: &LoadReport, thresholds: &[Threshold], server: Option<u32>) -> Self {
        let mut window = Self::default();
        window.put_operations(report);
        if let Some(machine) = report.machine() {
            window.put_machine(machine, report.counts().completed(), server);
        }
        let setup = report.setup();
        window.room.runtime = Some((setup.flavor.clone(), float(setup.threads)));
        window.judge(report, thresholds);
        window.stop = window.hopeless(level, report);
        if let (Some(stop), true) = (&window.stop, window.problems.is_empty()) {
            window.problems.push(stop.to_string());
            window.excused = false;
        }
        window.refused = refused(report);
        let busy = |reason: &&InvalidReason| matches!(reason, InvalidReason::InFlightLimit { .. });
        window.all_workers_busy = report.validity().reasons().iter().find(busy).map(ToString::to_string);
        window
    }

    fn put_operations(&mut self, report: &LoadReport) {
        let counts = report.counts();
        let seconds = |time: Option<std::time::Duration>| time.map(|time| time.as_secs_f64());
        let ended = report.count() > 0;
        self.put(Figure::Throughput, ended.then(|| report.achieved_per_second()));
        self.put(Figure::P50, seconds(report.response().percentile(50.0)));
        self.put(Figure::P99, seconds(report.response().percentile(99.0)));
        self.put(Figure::Mean, seconds(report.response().mean()));
        self.put(Figure::ServiceP99, seconds(report.service().percentile(99.0)));
        self.put(Figure::LagP99, seconds(report.lag().percentile(99.0)));
        self.put(Figure::Errors, ended.then(|| float(report.errors()) / float(report.count())));
        self.put(Figure::Dropped, Some(float(counts.dropped)));
        self.put(Figure::Unfinished, Some(float(counts.unfinished)));
        let begun = float(counts.unfinished) + float(report.count());
        self.unfinished_share = (begun > 0.0).then(|| float(counts.unfinished) / begun);
        let missing = report.verification().map(|found| float(found.lost() + found.in_flight()));
        self.put(Figure::Undelivered, missing);
    }

    fn put_machine(&mut self, machine: &MachineFigures, operations: u64, server: Option<u32>) {
        let known = |pid| machine.processes.iter().find(|process| process.pids.contains(&pid));
        let server = server.and_then(known).or_else(|| machine.server());
        let cpu =
            |time: std::time::Duration| (operations > 0).then(|| time.as_secs_f64() / float(operations));
        self.put(Figure::ClientCpu, cpu(machine.own.cpu_time));
        self.put(Figure::ServerCpu, server.and_then(|server| cpu(server.cpu_time)));
        self.put(Figure::ClientCores, Some(machine.in_cores(machine.own.cpu_time)));
        self.put(Figure::ServerCores, server.map(|server| machine.in_cores(server.cpu_time)));
        self.put(Figure::OtherCores, machine.other_cpu.map(|cpu| machine.in_cores(cpu)));
        self.put(Figure::ClientRss, Some(float(machine.own.rss_peak_bytes)));
        self.put(Figure::ServerRss, server.map(|server| float(server.rss_peak_bytes)));
        self.put(Figure::ClientThreads, machine.own.threads_peak.map(float));
        self.put(Figure::ServerThreads, server.and_then(|server| server.threads_peak).map(float));
        self.room.cores = machine.cores.map(float);
        self.room.machine_cores = machine.machine_cores.map(float);
    }

    fn judge(&mut self, report: &LoadReport, thresholds: &[Threshold]) {
        let ours: Vec<_> = thresholds.iter().map(|threshold| threshold.judge(report)).collect();
        let failed = report.thresholds().iter().chain(&ours);
        let failed: Vec<_> = failed.filter(|result| result.verdict == ThresholdVerdict::Failed).collect();
        let reasons = report.validity().reasons().iter().filter(|reason| !reason.is_disturbance());
        let hard = reasons.map(ToString::to_string).chain(report.broken());
        self.problems.extend(hard);
        self.excused = self.problems.is_empty() && failed.iter().all(|result| report.is_excused(result));
        for result in failed {
            let text = format!("`{}`: {}", result.threshold, result.why);
            if !self.problems.contains(&text) {
                self.problems.push(text);
            }
        }
        if self.excused && !self.problems.is_empty() {
            let why: Vec<_> = report.validity().reasons().iter().map(ToString::to_string).collect();
            self.problems.push(format!("which may be the machine's: {}", why.join("; ")));
        }
    }

    fn hopeless(&self, level: f64, report: &LoadReport) -> Option<SweepStop> {
        if report.counts().succeeded == 0 {
            return Some(SweepStop::NothingAchieved { level });
        }
        if let Some(share) = self.value(Figure::Errors).filter(|share| *share > MOST_ERRORS) {
            return Some(SweepStop::Errors { level, share });
        }
        let mean = report.response().mean().filter(|mean| mean.as_secs_f64() > LONGEST_MEAN)?;
        Some(SweepStop::Latency { level, mean })
    }

    /// What is not finite was not measured.
    pub(super) fn put(&mut self, figure: Figure, value: Option<f64>) {
        if let Some(value) = value.filter(|value| value.is_finite()) {
            self.values.push((figure, value));
        }
    }

    pub(super) fn value(&self, figure: Figure) -> Option<f64> {
        self.values.iter().find(|(known, _)| *known == figure).map(|(_, value)| *value)
    }
}

/// The most frequent error that says that a limit is reached.
fn refused(report: &LoadReport) -> Option<String> {
    let services = report.services().iter().flat_map(|service| &service.errors);
    let says = |text: &str| LIMITS.iter().any(|limit| text.to_lowercase().contains(limit));
    let error = report.errors_by_kind().iter().chain(services).find(|error| says(&error.example))?;
    Some(format!("{} × `{}`", error.count, error.example))
}

#[expect(clippy::cast_precision_loss, reason = "53 bits are more than a figure needs")]
pub(super) fn float(value: u64) -> f64 {
    value as f64
}
