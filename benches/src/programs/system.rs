//! The workload under the system's allocator.

use std::process::ExitCode;

use isolated_nats_benches::program;

fn main() -> ExitCode {
    program::main(program::no_guard)
}
