//! The command `isolated-nats`, as a program.
#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

mod compare;
mod keep;
mod report;
mod server;
mod support;
mod words;
