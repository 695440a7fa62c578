//! Everything that needs files, processes or a server. All of it is local: no test here leaves the machine unless
//! `ISOLATED_NATS_TEST_NETWORK=1`.
#![expect(
    clippy::unwrap_used,
    reason = "a test shows its errors so; clippy sees only what is inside of `#[test]`"
)]
#![cfg(unix)] // the stand-ins for nats-server, pip and go are shell scripts

mod cache;
mod command;
mod doctor;
mod go;
mod http;
mod mirror;
mod named;
mod network;
mod on_path;
mod prefetch;
mod processes;
mod support;
mod wheel;
