//! What the records come to: the cells, library and server, what a worker and a partition cost.

use isolated_nats::results::{Metric, Record, Spread, Unit};
use serde::Serialize;

use super::cell::Cell;
use super::fit::{Estimate, Fit, fit};
use super::records::{LIVE_HEAP, PEAK_HEAP, PEAK_RSS, SERVER_RSS, TASKS, TO_STABLE, values};
use super::table::Table;

/// What is fitted over workers and partitions.
const FITTED: [&str; 4] = [LIVE_HEAP, PEAK_HEAP, PEAK_RSS, TASKS];

/// From this share on, a cell is not what the costs add up to.
const POOR_FIT: f64 = 0.1;

/// What a worker and a partition add to one figure, or why that cannot be said.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Cost {
    pub(crate) figure: &'static str,
    pub(crate) unit: Unit,
    pub(crate) fit: Result<Fit, String>,
}

/// Library, server, and both, of one cell: medians in bytes.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Split {
    pub(crate) cell: Cell,
    pub(crate) library_heap_bytes: Option<f64>,
    pub(crate) library_resident_bytes: Option<f64>,
    pub(crate) server_resident_bytes: Option<f64>,
    pub(crate) total_resident_bytes: Option<f64>,
    /// The server's share of the library's resident bytes: 2.0 is twice as much as the library.
    pub(crate) server_adds: Option<f64>,
}

pub(crate) fn costs(records: &[(Cell, Record)]) -> Vec<Cost> {
    let samples = |figure: &str| -> Vec<(Cell, f64)> {
        let of = |(cell, record): &(Cell, Record)| {
            values(record, figure).into_iter().map(|value| (*cell, value)).collect::<Vec<_>>()
        };
        records.iter().flat_map(of).collect()
    };
    let unit = |figure| if figure == TASKS { Unit::Count } else { Unit::Bytes };
    FITTED.map(|figure| Cost { figure, unit: unit(figure), fit: fit(&samples(figure)) }).into()
}

pub(crate) fn splits(records: &[(Cell, Record)]) -> Vec<Split> {
    let split = |(cell, record): &(Cell, Record)| {
        let median = |name: &str| spread(record, name).median;
        let (library, server) = (median(PEAK_RSS), median(SERVER_RSS));
        let both = library.zip(server);
        Split {
            cell: *cell,
            library_heap_bytes: median(PEAK_HEAP),
            library_resident_bytes: library,
            server_resident_bytes: server,
            total_resident_bytes: both.map(|(library, server)| library + server),
            server_adds: both.filter(|(library, _)| *library > 0.0).map(|(library, server)| server / library),
        }
    };
    records.iter().map(split).collect()
}

pub(crate) fn spread(record: &Record, name: &str) -> Spread {
    Spread::of(&values(record, name))
}

/// The median of each figure, and how far half of the repeats are from it at most.
pub(crate) fn cells_table(records: &[(Cell, Record)]) -> Table {
    let figures = [LIVE_HEAP, PEAK_HEAP, PEAK_RSS, TASKS, "threads", "left behind"];
    let mut table = Table::new("Memory of the library", &[]);
    table.head = std::iter::once("cell").chain(figures).map(str::to_owned).collect();
    table.rows = records.iter().map(|(cell, record)| row(*cell, record, &figures)).collect();
    table.notes.push(
        "median of the repeats ± median absolute deviation; heap: counted, rss: the kernel's high-water mark"
            .into(),
    );
    table.notes.push(
        "live: at rest after the load; peak: from the start on; left behind: when all workers have stopped, less what was there before; a group of one worker went before, for what is done once"
            .into(),
    );
    table
}

pub(crate) fn times_table(records: &[(Cell, Record)]) -> Table {
    let figures = [TO_STABLE, "time to stop", "p50", "p99", SERVER_RSS, "server threads", "server cpu"];
    let mut table = Table::new("Times, and the server's own figures", &[]);
    table.head = std::iter::once("cell").chain(figures).map(str::to_owned).collect();
    table.rows = records.iter().map(|(cell, record)| row(*cell, record, &figures)).collect();
    for (cell, record) in records {
        let doubt =
            |(round, why): &(usize, String)| format!("{cell}: repeat {} does not count: {why}", round + 1);
        table.notes.extend(record.invalid.iter().map(doubt));
    }
    table
}

fn row(cell: Cell, record: &Record, figures: &[&str]) -> Vec<String> {
    let figure = |name: &&str| record.metric(name).map_or_else(|| "-".into(), |metric| text(metric, record));
    std::iter::once(cell.to_string()).chain(figures.iter().map(figure)).collect()
}

fn text(metric: &Metric, record: &Record) -> String {
    let spread = spread(record, &metric.name);
    match (spread.median, spread.mad.filter(|mad| *mad > 0.0)) {
        (Some(median), Some(mad)) => format!("{} ± {}", metric.text(median), metric.text(mad)),
        (Some(median), None) => metric.text(median),
        (None, _) => "-".into(),
    }
}

pub(crate) fn splits_table(splits: &[Split]) -> Table {
    let head = [
        "cell",
        "library's heap",
        "library resident",
        "server resident",
        "together",
        "a server within would add",
    ];
    let mut table = Table::new("Library, server, and both", &head);
    let bytes = |value: Option<f64>| value.map_or_else(|| "-".into(), |value| Unit::Bytes.text(value));
    table.rows = splits
        .iter()
        .map(|split| {
            let adds = split.server_adds.zip(split.server_resident_bytes);
            let adds = adds.map_or_else(
                || "-".into(),
                |(share, bytes)| format!("{} (+{:.0} %)", Unit::Bytes.text(bytes), share * 100.0),
            );
            vec![
                split.cell.to_string(),
                bytes(split.library_heap_bytes),
                bytes(split.library_resident_bytes),
                bytes(split.server_resident_bytes),
                bytes(split.total_resident_bytes),
                adds,
            ]
        })
        .collect();
    table.notes.push("medians of the peaks; the library's resident bytes are those of its whole process, program and runtime included".into());
    table
}

pub(crate) fn costs_table(costs: &[Cost]) -> Table {
    let head = ["figure", "base", "each worker", "each partition", "residual"];
    let mut table = Table::new("What a worker and a partition cost", &head);
    for Cost { figure, unit, fit } in costs {
        match fit {
            Ok(fit) => {
                let one = |estimate| estimate_text(unit, estimate);
                let (base, worker, partition) = (one(fit.base), one(fit.worker), one(fit.partition));
                table.rows.push(vec![(*figure).into(), base, worker, partition, unit.text(fit.residual)]);
                table.notes.extend(lack_of_fit(figure, unit, fit));
            }
            Err(why) => table.notes.push(why.clone()),
        }
    }
    table.notes.dedup(); // all figures are of the same cells
    if !table.rows.is_empty() {
        table.notes.push("least squares over all cells and repeats, ± half of the 95 % interval; residual: standard deviation from the plane".into());
    }
    table
}

/// How well the cells are described; sums of what a worker and a partition cost mislead where one is far off.
fn lack_of_fit(figure: &str, unit: &Unit, fit: &Fit) -> Option<String> {
    let ((cell, off), share) = (fit.worst?, fit.worst_share()?);
    let off = format!("{} ({:.1} %)", unit.text(off.abs()), share * 100.0);
    Some(if share > POOR_FIT {
        format!("{figure}: NOT A PLANE: {cell} is off by {off}; believe the cells, not these costs")
    } else {
        format!("{figure}: base and costs describe each cell within {off}; the farthest is {cell}")
    })
}

/// What cannot be told from 0 is no figure.
fn estimate_text(unit: &Unit, estimate: Estimate) -> String {
    let margin = unit.text(estimate.margin);
    // Cells that lie on a plane exactly have no margin.
    if estimate.is_told() || margin == unit.text(0.0) {
        format!("{} ± {margin}", unit.text(estimate.value))
    } else {
        format!("not told from 0 (± {margin})")
    }
}
