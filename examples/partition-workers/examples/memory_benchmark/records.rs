//! What was measured, as one record for each cell: all outputs and comparisons are made from these.

use std::collections::BTreeMap;
use std::time::Duration;

use isolated_nats::results::{Better, Limits, Metric, MetricKind, Record, Unit};
use isolated_nats::{MemoryReport, ProcessFigures};

use super::cell::Cell;
use super::order::Measurement;
use super::plan::Plan;

pub(crate) const SCENARIO: &str = "partition-workers memory";

/// One figure of a measurement.
pub(crate) struct Quantity {
    pub(crate) name: &'static str,
    kind: MetricKind,
    unit: Unit,
    read: fn(&Measurement) -> Option<f64>,
}

pub(crate) const LIVE_HEAP: &str = "live heap";
pub(crate) const PEAK_HEAP: &str = "peak heap";
pub(crate) const PEAK_RSS: &str = "peak rss";
pub(crate) const SERVER_RSS: &str = "server rss";
pub(crate) const TASKS: &str = "tasks";
pub(crate) const TO_STABLE: &str = "time to stable";

const BYTES: (MetricKind, Unit) = (MetricKind::Memory, Unit::Bytes);
const COUNT: (MetricKind, Unit) = (MetricKind::Memory, Unit::Count);

/// In the order in which they are shown.
fn quantities() -> [Quantity; 14] {
    [
        quantity(LIVE_HEAP, BYTES, |one| whole(one.memory.live_heap_bytes())),
        quantity(PEAK_HEAP, BYTES, |one| whole(one.memory.peak_heap_bytes())),
        quantity(PEAK_RSS, BYTES, |one| whole(one.memory.peak_rss_bytes())),
        quantity(TASKS, COUNT, |one| one.memory.tasks.map(|tasks| tasks.end)),
        quantity("threads", COUNT, |one| threads(one.memory.process("own"))),
        quantity("left behind", BYTES, |one| one.left_behind.map(|bytes| bytes as f64)),
        quantity(SERVER_RSS, BYTES, |one| one.memory.process("server").map(|server| server.rss_bytes.peak)),
        quantity("server threads", COUNT, |one| threads(one.memory.process("server"))),
        quantity("server cpu", (MetricKind::Cpu, Unit::Cores), |one| server_cores(&one.memory)),
        quantity(TO_STABLE, (MetricKind::Duration, Unit::Seconds), |one| Some(one.to_stable.as_secs_f64())),
        quantity("time to stop", (MetricKind::Duration, Unit::Seconds), |one| {
            Some(one.to_stop.as_secs_f64())
        }),
        quantity("p50", (MetricKind::Median, Unit::Seconds), |one| response(one, 50.0)),
        quantity("p99", (MetricKind::Tail, Unit::Seconds), |one| response(one, 99.0)),
        quantity("duration", (MetricKind::Duration, Unit::Seconds), |one| {
            Some(one.memory.duration.as_secs_f64())
        }),
    ]
}

fn quantity(
    name: &'static str,
    (kind, unit): (MetricKind, Unit),
    read: fn(&Measurement) -> Option<f64>,
) -> Quantity {
    Quantity { name, kind, unit, read }
}

#[expect(clippy::cast_precision_loss, reason = "53 bits are more than a figure needs")]
fn whole(value: Option<u64>) -> Option<f64> {
    value.map(|value| value as f64)
}

fn threads(process: Option<&ProcessFigures>) -> Option<f64> {
    Some(process?.threads?.peak)
}

/// In the phase of the load.
fn server_cores(report: &MemoryReport) -> Option<f64> {
    let processes = &report.phase("load")?.processes;
    Some(processes.iter().find(|process| process.label == "server")?.cpu_share)
}

fn response(one: &Measurement, percentile: f64) -> Option<f64> {
    one.load.response().percentile(percentile).map(|time| time.as_secs_f64())
}

/// What is compared with an earlier run. The fewer, the fewer differences are there by chance: heap and tasks are nearly the same in
/// each run, and the time to stable is what users wait for. The others are shown.
pub(crate) fn judged() -> BTreeMap<String, Limits> {
    let memory = Limits::new(0.05, 0.10);
    let mut heap = memory;
    heap.floor = 4096.0;
    let mut tasks = memory;
    tasks.floor = 1.0;
    // Of a start of some 10 ms, the scheduler of a busy machine makes twice as much.
    let mut time = Limits::new(0.25, 0.50);
    time.floor = 0.1;
    let all = [(LIVE_HEAP, heap), (PEAK_HEAP, heap), (TASKS, tasks), (TO_STABLE, time)];
    all.map(|(name, limits)| (name.to_owned(), limits)).into()
}

/// All measurements of the run so far, by cell.
#[derive(Debug, Default)]
pub(crate) struct Records(BTreeMap<Cell, Record>);

impl Records {
    /// Adds a measurement as a round of its cell's record.
    pub(crate) fn add(&mut self, plan: &Plan, cell: Cell, one: Measurement) {
        let record = self.0.entry(cell).or_insert_with(|| begin(plan, cell));
        for (quantity, metric) in quantities().iter().zip(&mut record.metrics) {
            metric.samples.push((quantity.read)(&one).filter(|value| value.is_finite()));
        }
        if one.load.errors() > 0 {
            record.invalid.push((record.rounds, failures(&one)));
        }
        record.rounds += 1;
        record.fingerprint = one.fingerprint;
        record.load = Some(one.load);
        record.memory = Some(one.memory);
    }

    pub(crate) fn into_records(self) -> Vec<(Cell, Record)> {
        self.0.into_iter().collect()
    }
}

fn begin(plan: &Plan, cell: Cell) -> Record {
    let mut record = Record::new(SCENARIO)
        .configured("workers", cell.workers.to_string())
        .configured("partitions", cell.partitions.to_string())
        .configured("load", milliseconds(plan.load));
    record.side = Some(cell.to_string());
    record.quick = plan.quick;
    let metric = |of: Quantity| Metric::new(of.name, of.kind, of.unit, Better::Lower);
    record.metrics = quantities().map(metric).into();
    record
}

fn milliseconds(time: Duration) -> String {
    format!("{} ms", time.as_millis())
}

/// Why a round's figures are not believed: the application did not do what it is for.
fn failures(one: &Measurement) -> String {
    let kind =
        one.load.errors_by_kind().first().map_or_else(String::new, |error| format!(", most: {}", error.kind));
    format!("{} of {} requests failed{kind}", one.load.errors(), one.load.count())
}

/// What a record's rounds that are believed measured of this.
pub(crate) fn values(record: &Record, name: &str) -> Vec<f64> {
    let is_believed = |round: usize| record.invalid.iter().all(|(invalid, _)| *invalid != round);
    let samples = record.metric(name).map_or(&[][..], |metric| &metric.samples);
    let believed = samples.iter().enumerate().filter(|(round, _)| is_believed(*round));
    believed.filter_map(|(_, sample)| *sample).collect()
}
