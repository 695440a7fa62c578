//! The workload under tracking-allocator, with a tracker of live bytes and their peak.

use std::process::ExitCode;

use isolated_nats_benches::{group, program};

#[global_allocator]
static ALLOCATOR: tracking_allocator::Allocator<std::alloc::System> = tracking_allocator::Allocator::system();

fn main() -> ExitCode {
    program::main(|_| {
        group::track()?;
        Ok(group::enter())
    })
}
