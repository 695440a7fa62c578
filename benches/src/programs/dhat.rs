//! The workload under dhat, with its profiler in testing mode.

use std::process::ExitCode;

use isolated_nats_benches::program;

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

fn main() -> ExitCode {
    program::main(|_| Ok(Box::new(dhat::Profiler::builder().testing().build())))
}
