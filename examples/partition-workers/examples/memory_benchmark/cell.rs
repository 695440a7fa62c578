//! One configuration of the benchmark.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The configurations that are measured unless `--only` says otherwise.
pub(crate) const MATRIX: &[Cell] = &[
    Cell { workers: 1, partitions: 100 },
    Cell { workers: 5, partitions: 100 },
    Cell { workers: 10, partitions: 100 },
    Cell { workers: 10, partitions: 500 },
    Cell { workers: 25, partitions: 500 },
    Cell { workers: 50, partitions: 500 },
];

/// Those that unit tests calculate with, whatever is measured.
#[cfg(test)]
pub(crate) const MADE: [Cell; 6] = [
    Cell { workers: 1, partitions: 100 },
    Cell { workers: 5, partitions: 100 },
    Cell { workers: 10, partitions: 100 },
    Cell { workers: 10, partitions: 500 },
    Cell { workers: 25, partitions: 500 },
    Cell { workers: 50, partitions: 500 },
];

/// So many workers that share so many partitions; written `10w-100p`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Cell {
    pub(crate) workers: u32,
    pub(crate) partitions: u32,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Padded as a whole in tables and plain lines.
        f.pad(&format!("{}w-{}p", self.workers, self.partitions))
    }
}

impl FromStr for Cell {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let (workers, partitions) = text.strip_suffix('p')?.split_once("w-")?;
            Some(Self { workers: workers.parse().ok()?, partitions: partitions.parse().ok()? })
        };
        let cell = parse().filter(|cell| cell.workers > 0 && cell.partitions > 0);
        cell.ok_or_else(|| {
            format!("`{text}` is no configuration (10w-100p is one: 10 workers, 100 partitions)")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for cell in MADE {
            assert_eq!(cell.to_string().parse(), Ok(cell));
        }
    }

    #[test]
    fn anything_else_is_refused_with_an_example() {
        for text in ["", "10", "10w", "w-p", "0w-100p", "10w-0p", "10w-100", "-1w-100p", "10w-100p "] {
            let error = text.parse::<Cell>().unwrap_err();
            assert!(error.contains("10w-100p is one"), "{error}");
        }
    }
}
