//! The workload under peak_alloc.

use std::process::ExitCode;

use isolated_nats_benches::program;

#[global_allocator]
static ALLOCATOR: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

fn main() -> ExitCode {
    program::main(program::no_guard)
}
