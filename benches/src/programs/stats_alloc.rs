//! The workload under stats_alloc.

use std::process::ExitCode;

use isolated_nats_benches::program;

#[global_allocator]
static ALLOCATOR: &stats_alloc::StatsAlloc<std::alloc::System> = &stats_alloc::INSTRUMENTED_SYSTEM;

fn main() -> ExitCode {
    program::main(program::no_guard)
}
