//! How a run is run.
//!
//! ```text
//!   pacer (a thread)  --arrivals-->  source  --turns-->  workers (tasks): seat, operations
//!                                                          |
//!   monitor (a thread)  <--reads--  recorder  <--records---+
//! ```
//!
//! The run itself is a task that goes from segment to segment. Nothing on the way of an operation takes a lock or spawns.

mod idle;
mod kinds;
mod mixture;
mod monitor;
mod pacer;
mod pool;
mod record;
mod run;
mod seat;
mod serve;
mod shared;
mod source;
mod tally;
mod worker;

pub(super) use kinds::Kinds;
pub(super) use mixture::Named;
pub(super) use monitor::snapshot;
pub(super) use pool::{Pool, Sizes};
pub(super) use run::{Act, Event, Running, Setting, start};
pub(super) use seat::Seat;
pub(super) use serve::Operation;
pub(super) use shared::{Injections, Shared};
