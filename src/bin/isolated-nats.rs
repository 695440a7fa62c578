//! The command: `report`, `compare`, `bless`, `trend`, `clean`, `list`, `fetch`, `path`, `doctor`.

fn main() -> std::process::ExitCode {
    isolated_nats::cli::main()
}
