//! Tests that leak on purpose. Each compares the whole report with what it has seeded: nothing less, nothing more.
//!
//! They run beside one another in one process, so each report is also proof that a guard blames its own test alone.

mod blocking;
mod bodies;
mod client;
mod handles;
mod ignores;
mod jetstream;
mod library;
mod local;
mod panics;
#[cfg(target_os = "linux")]
mod process_wide;
mod server;
mod tasks;
