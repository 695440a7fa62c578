//! What memory does over time.

mod growth;
#[cfg_attr(not(test), expect(dead_code, reason = "for the memory probe, which comes next"))]
#[expect(unreachable_pub, reason = "as above: its types become public with the probe")]
mod series;

pub use growth::{GrowthError, GrowthErrorKind, GrowthReport, GrowthVerdict};
