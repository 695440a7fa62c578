//! The workload under isolated-nats, with a probe alive or without.

use std::process::ExitCode;

use isolated_nats_benches::program;

#[global_allocator]
static ALLOCATOR: isolated_nats::TrackingAllocator = isolated_nats::TrackingAllocator::system();

fn main() -> ExitCode {
    program::main(|guard| {
        Ok(if guard == "probe" { Box::new(isolated_nats::MemoryProbe::start()) } else { Box::new(()) })
    })
}
