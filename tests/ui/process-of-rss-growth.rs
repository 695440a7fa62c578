//! The memory of a process is that of all its tests.

#[isolated_nats::isolated_nats(max_rss_growth = "10 MiB", process = false)]
async fn test() {}

fn main() {}
