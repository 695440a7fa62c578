//! The parts of a report, in the order in which every output has them.

mod comparisons;
mod records;
mod setting;
mod summary;
mod sweep;

pub(super) use comparisons::comparisons;
pub(super) use records::records;
pub(super) use setting::{commands, setting};
pub(super) use summary::{head, summary};
pub(super) use sweep::sweep;
