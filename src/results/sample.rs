//! What one round measured.

use std::time::Duration;

use super::metric::{Better, Metric, MetricKind, Unit};
use crate::load::LoadReport;
use crate::memory::MemoryReport;

/// What one round of one side measured.
///
/// A [`LoadReport`], a [`MemoryReport`], a `Duration` and `()` turn into one; of `()`, the time that the round took is measured.
///
/// | from | metrics |
/// | --- | --- |
/// | [`LoadReport`] | `throughput` ([`achieved_per_second`](LoadReport::achieved_per_second)), `p50` and `p99` of its response times, `errors` (a share of those that ended), `client cpu` and `server cpu` for each operation; with several operations the first four of each, as `p50 of put`; and what is of its memory, with the `allocations` of each operation |
/// | [`MemoryReport`] | `peak heap`, `live heap`, `allocations`, `peak rss`, `server rss` (its end), `tasks` (their peak) |
/// | `Duration` | `duration` |
///
/// ```
/// use isolated_nats::results::{Better, MetricKind, Sample, Unit};
///
/// let sample = Sample::from(std::time::Duration::from_millis(20))
///     .with("keys", MetricKind::Other, Unit::Count, Better::Lower, 12.0);
/// assert_eq!(sample.value("duration"), Some(0.02));
/// assert_eq!(sample.value("p50"), None); // not measured
/// ```
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// Each with one value.
    pub(super) metrics: Vec<Metric>,
    /// Why its figures cannot be believed.
    pub(super) invalid: Option<String>,
    pub(super) load: Option<Box<LoadReport>>,
    pub(super) memory: Option<Box<MemoryReport>>,
}

impl Sample {
    /// Makes a sample without any value.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a value; it takes the place of one of the same name. A value that is not finite was not measured, and is left out.
    #[must_use]
    pub fn with(
        mut self,
        name: impl Into<String>,
        kind: MetricKind,
        unit: Unit,
        better: Better,
        value: f64,
    ) -> Self {
        self.put(Metric::new(name, kind, unit, better), Some(value));
        self
    }

    /// Adds a rate, in operations, messages or whatever per second: more is better.
    #[must_use]
    pub fn rate(self, name: impl Into<String>, per_second: f64) -> Self {
        self.with(name, MetricKind::Throughput, Unit::PerSecond, Better::Higher, per_second)
    }

    /// Adds a time: less is better.
    #[must_use]
    pub fn time(self, name: impl Into<String>, took: Duration) -> Self {
        self.with(name, MetricKind::Duration, Unit::Seconds, Better::Lower, took.as_secs_f64())
    }

    /// Adds an amount of memory: less is better.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "53 bits are more than a figure needs")]
    pub fn bytes(self, name: impl Into<String>, bytes: u64) -> Self {
        self.with(name, MetricKind::Memory, Unit::Bytes, Better::Lower, bytes as f64)
    }

    /// Says that the round cannot be believed, and why: it is left out of comparisons, and counted.
    #[must_use]
    pub fn invalid(mut self, why: impl Into<String>) -> Self {
        self.invalid = Some(why.into());
        self
    }

    /// Returns a value by its name; `None` where it was not measured.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<f64> {
        self.metrics.iter().find(|metric| metric.name == name)?.samples.first().copied().flatten()
    }

    /// Takes these metrics of another sample, and its reports.
    pub(crate) fn take_from(&mut self, other: Self, names: &[&str]) {
        let wanted = other.metrics.into_iter().filter(|metric| names.contains(&metric.name.as_str()));
        self.metrics.extend(wanted);
        self.load = other.load.or(self.load.take());
        self.memory = other.memory.or(self.memory.take());
    }

    pub(super) fn is_empty(&self) -> bool {
        self.metrics.is_empty()
    }

    fn put(&mut self, mut metric: Metric, value: Option<f64>) {
        let Some(value) = value.filter(|value| value.is_finite()) else { return };
        metric.samples.push(Some(value));
        match self.metrics.iter_mut().find(|known| known.name == metric.name) {
            Some(known) => *known = metric,
            None => self.metrics.push(metric),
        }
    }

    fn put_time(&mut self, name: String, kind: MetricKind, time: Option<Duration>) {
        let metric = Metric::new(name, kind, Unit::Seconds, Better::Lower);
        self.put(metric, time.map(|time| time.as_secs_f64()));
    }

    fn put_memory(&mut self, name: &str, unit: Unit, value: Option<f64>) {
        self.put(Metric::new(name, MetricKind::Memory, unit, Better::Lower), value);
    }

    /// Those of a load are divided by its operations: a faster side does more of these in its time.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are more than a figure needs")]
    fn put_allocations(&mut self, report: &LoadReport) {
        let allocations = report.memory().and_then(MemoryReport::allocations);
        let each = allocations.filter(|_| report.count() > 0).map(|all| all as f64 / report.count() as f64);
        self.put_memory(ALLOCATIONS, Unit::Named("per operation".into()), each);
    }

    /// What every operation has; `suffix` is ` of put`, or empty.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are more than a figure needs")]
    fn put_operation(&mut self, report: &LoadReport, suffix: &str) {
        let name = |what: &str| format!("{what}{suffix}");
        let count = report.count();
        let throughput =
            Metric::new(name("throughput"), MetricKind::Throughput, Unit::PerSecond, Better::Higher);
        self.put(throughput, (count > 0).then(|| report.achieved_per_second()));
        self.put_time(name("p50"), MetricKind::Median, report.response().percentile(50.0));
        self.put_time(name("p99"), MetricKind::Tail, report.response().percentile(99.0));
        let errors = Metric::new(name("errors"), MetricKind::Errors, Unit::Share, Better::Lower);
        self.put(errors, (count > 0).then(|| report.errors() as f64 / count as f64));
    }
}

/// Blocks of heap asked for.
const ALLOCATIONS: &str = "allocations";

impl From<LoadReport> for Sample {
    fn from(report: LoadReport) -> Self {
        let mut sample = report.memory().cloned().map_or_else(Self::new, Self::from);
        let memory = std::mem::take(&mut sample.metrics);
        sample.put_operation(&report, "");
        let cpu = report.cpu_per_operation();
        sample.put_time("client cpu".into(), MetricKind::Cpu, cpu.map(|cpu| cpu.client));
        sample.put_time("server cpu".into(), MetricKind::Cpu, cpu.and_then(|cpu| cpu.server));
        if report.operations().len() > 1 {
            for operation in report.operations() {
                sample.put_operation(operation, &format!(" of {}", operation.name()));
            }
        }
        sample.metrics.extend(memory.into_iter().filter(|metric| metric.name != ALLOCATIONS));
        sample.put_allocations(&report);
        // A busy machine makes figures worse on both sides, which is what the rounds' spread is for.
        let reasons = report.validity().reasons().iter().filter(|reason| !reason.is_disturbance());
        let reasons: Vec<String> = reasons.map(ToString::to_string).collect();
        sample.invalid = (!reasons.is_empty()).then(|| reasons.join("; "));
        sample.load = Some(Box::new(report));
        sample
    }
}

impl From<MemoryReport> for Sample {
    #[expect(clippy::cast_precision_loss, reason = "53 bits are more than a figure needs")]
    fn from(report: MemoryReport) -> Self {
        let mut sample = Self::new();
        let whole = |value: Option<u64>| value.map(|value| value as f64);
        sample.put_memory("peak heap", Unit::Bytes, whole(report.peak_heap_bytes()));
        sample.put_memory("live heap", Unit::Bytes, whole(report.live_heap_bytes()));
        sample.put_memory(ALLOCATIONS, Unit::Count, whole(report.allocations()));
        sample.put_memory("peak rss", Unit::Bytes, whole(report.peak_rss_bytes()));
        let server = report.process("server").map(|server| server.rss_bytes.end);
        sample.put_memory("server rss", Unit::Bytes, server);
        sample.put_memory("tasks", Unit::Count, report.tasks.map(|tasks| tasks.peak));
        sample.memory = Some(Box::new(report));
        sample
    }
}

impl From<Duration> for Sample {
    fn from(took: Duration) -> Self {
        Self::new().time("duration", took)
    }
}

impl From<()> for Sample {
    fn from((): ()) -> Self {
        Self::new()
    }
}
