//! The command: `fetch`, `path`, `doctor`, `clean`.

use std::process::ExitCode;

use isolated_nats_server_binary::cli;

fn main() -> ExitCode {
    cli::run("isolated-nats-server", std::env::args_os().skip(1)).into()
}
