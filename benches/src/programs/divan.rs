//! The workload under divan's `AllocProfiler`, which counts on every thread, though divan reports those of its benchmarks only.

use std::process::ExitCode;

use isolated_nats_benches::program;

#[global_allocator]
static ALLOCATOR: divan::AllocProfiler = divan::AllocProfiler::system();

fn main() -> ExitCode {
    program::main(program::no_guard)
}
