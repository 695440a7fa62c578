//! What the library does while nothing fails. Every test has a server of its own, and is leak-checked.
//!
//! | module | what is in it |
//! | --- | --- |
//! | `checker` | the checker finds what it is there for: made-up histories |
//! | `membership` | who owns what, as workers join and leave |
//! | `leaders` | who leads |
//! | `callbacks` | handlers that take long, or panic |
//! | `errors` | what is refused, and in which words |
//! | `endings` | what is left after a stop |
#![expect(clippy::unwrap_used, reason = "tests")]

use isolated_nats::TrackingAllocator;

// Leaked tasks are shown with the lines that spawned them.
#[global_allocator]
static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();

mod callbacks;
mod checker;
mod endings;
mod errors;
mod leaders;
mod membership;
#[allow(dead_code, unused_imports, reason = "the tests of faults use the rest")]
#[path = "../support/mod.rs"]
mod support;
