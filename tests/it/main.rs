//! What needs a real server, in one binary.
#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

mod alone;
mod attribute;
mod baselines;
mod broken;
mod config;
mod end;
mod evidence;
mod faults;
mod memory;
mod monitor;
mod start;
mod support;
mod tasks;
