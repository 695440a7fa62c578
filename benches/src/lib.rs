//! What the benchmarks share: statistics, seeded randomness, facts of the machine, tables, and the
//! programs in which allocators are compared.

pub mod apart;
pub mod group;
pub mod machine;
pub mod pairs;
pub mod program;
pub mod random;
pub mod responder;
pub mod stats;
pub mod table;
pub mod truth;
pub mod workload;

/// Whatever ends a benchmark early; a benchmark prints it and exits with 1, and never prints a guess in its place.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
