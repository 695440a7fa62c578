//! What the benchmarks share: statistics, seeded randomness, facts of the machine, tables.

pub mod machine;
pub mod random;
pub mod stats;
pub mod table;

/// Whatever ends a benchmark early; a benchmark prints it and exits with 1, and never prints a guess in its place.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
