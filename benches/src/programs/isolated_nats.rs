//! The workload under isolated-nats, with a probe or a leak guard alive or without.

use std::process::ExitCode;

use isolated_nats_benches::program;

#[global_allocator]
static ALLOCATOR: isolated_nats::TrackingAllocator = isolated_nats::TrackingAllocator::system();

fn main() -> ExitCode {
    program::main(|guard| {
        Ok(match guard {
            "probe" => Box::new(isolated_nats::MemoryProbe::start()),
            "leak-guard" => Box::new(isolated_nats::LeakGuard::new()),
            _ => Box::new(()),
        })
    })
}
