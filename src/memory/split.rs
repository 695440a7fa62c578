//! Library, server, and both together.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::report::MemoryReport;
use super::text::{bytes, percent, signed_bytes, table};

/// What the library costs, what its server costs, and both together: what a server embedded in the process would have
/// added to every figure taken there.
///
/// The library's figures are those of the test's heap, and, where the process is its own, of its resident bytes; the server's
/// are its process's resident bytes. A heap and resident bytes are not the same thing: a row says of which kind its figures are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MemorySplit {
    /// The rows, in the order in which they are printed; there is at least one.
    pub rows: Vec<SplitRow>,
}

/// One quantity, of the library and of the server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SplitRow {
    /// What it is, such as `peak (heap, resident)`: first what the library's figure is, then what the server's is.
    pub name: String,
    /// The library's, in bytes.
    pub library_bytes: f64,
    /// The server's, in bytes.
    pub server_bytes: f64,
}

impl SplitRow {
    /// The sum of both, in bytes.
    #[must_use]
    pub fn total_bytes(&self) -> f64 {
        self.library_bytes + self.server_bytes
    }

    /// The server's share of the sum; `None` when there is nothing to share, or one of the two has shrunk.
    #[must_use]
    pub fn server_share(&self) -> Option<f64> {
        let whole = self.library_bytes >= 0.0 && self.server_bytes >= 0.0 && self.total_bytes() > 0.0;
        whole.then(|| self.server_bytes / self.total_bytes())
    }
}

impl MemorySplit {
    pub(super) fn of(report: &MemoryReport) -> Option<Self> {
        let server = report.process("server")?.rss_bytes;
        let mut rows = Vec::new();
        let mut row = |name: &str, library_bytes: f64, server_bytes: f64| {
            rows.push(SplitRow { name: name.to_owned(), library_bytes, server_bytes });
        };
        if let Some(heap) = &report.heap {
            row("peak (heap, resident)", heap.peak_bytes as f64, server.peak);
            row("growth (heap, resident)", heap.growth_bytes as f64, server.growth());
        }
        if let Some(own) = report.process("own") {
            row("peak (resident)", own.rss_bytes.peak, server.peak);
            row("growth (resident)", own.rss_bytes.growth(), server.growth());
        }
        (!rows.is_empty()).then_some(Self { rows })
    }

    /// Sets two builds of one workload side by side: the rows that both have, with the ratio of their totals.
    #[must_use]
    pub fn beside<'a>(
        &'a self,
        name: &'a str,
        other: &'a Self,
        other_name: &'a str,
    ) -> impl fmt::Display + use<'a> {
        Beside { first: (name, self), second: (other_name, other) }
    }
}

impl fmt::Display for MemorySplit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = ["", "library", "server", "total", "server's share"].map(str::to_owned).to_vec();
        let rows = self.rows.iter().map(|row| {
            vec![
                row.name.clone(),
                show(row, row.library_bytes),
                show(row, row.server_bytes),
                show(row, row.total_bytes()),
                row.server_share().map(percent).unwrap_or_default(),
            ]
        });
        f.write_str(&table(&std::iter::once(head).chain(rows).collect::<Vec<_>>()))
    }
}

fn show(row: &SplitRow, value: f64) -> String {
    if row.name.starts_with("growth") { signed_bytes(value) } else { bytes(value) }
}

struct Beside<'a> {
    first: (&'a str, &'a MemorySplit),
    second: (&'a str, &'a MemorySplit),
}

impl fmt::Display for Beside<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = ["", "", "library", "server", "total", "ratio"].map(str::to_owned).to_vec();
        let mut rows = vec![head];
        for row in &self.first.1.rows {
            let Some(other) = self.second.1.rows.iter().find(|other| other.name == row.name) else {
                continue;
            };
            for (at, (build, row)) in [(self.first.0, row), (self.second.0, other)].into_iter().enumerate() {
                let name = if at == 0 { row.name.clone() } else { String::new() };
                let ratio = other.total_bytes() / self.first_total(&row.name);
                let ratio = if at == 1 && ratio.is_finite() { format!("{ratio:.2}") } else { String::new() };
                let figures =
                    [row.library_bytes, row.server_bytes, row.total_bytes()].map(|value| show(row, value));
                rows.push([vec![name, build.to_owned()], figures.to_vec(), vec![ratio]].concat());
            }
        }
        f.write_str(&table(&rows))
    }
}

impl Beside<'_> {
    fn first_total(&self, name: &str) -> f64 {
        self.first.1.rows.iter().find(|row| row.name == name).map_or(f64::NAN, SplitRow::total_bytes)
    }
}
