//! A size has a number and a unit, and the unit's case decides by what it counts.

#[isolated_nats::isolated_nats(max_peak_heap = "8", max_live_heap_growth = "64 KB", max_rss_growth = "a lot")]
async fn test() {}

fn main() {}
