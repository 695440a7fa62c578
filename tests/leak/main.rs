//! `LeakGuard`, with the tracking allocator installed: what it finds, and what it must not.
//!
//! | module | what is in it |
//! | --- | --- |
//! | `guard`, `whole` | guards, and tests that are guarded as a whole |
//! | `texts` | each failure text |
//! | `seeded` | tests that leave something behind, each with the report it must get |
//! | `support` | the comparison of a report with what was seeded |
//! | `clean` | programs that leave nothing behind, and must never alarm |
#![expect(clippy::unwrap_used, reason = "tests")]

use isolated_nats::TrackingAllocator;

#[global_allocator]
static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();

mod clean;
#[cfg(debug_assertions)]
mod guard;
// Lines take debug information, which the release profile has not.
#[cfg(debug_assertions)]
mod seeded;
#[cfg(debug_assertions)]
mod support;
#[cfg(debug_assertions)]
mod texts;
#[expect(dead_code, reason = "not all of it is needed here")]
#[path = "../it/support.rs"]
mod victim;
#[cfg(debug_assertions)]
mod whole;
