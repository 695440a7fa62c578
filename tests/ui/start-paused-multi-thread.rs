//! A paused clock on the runtime that cannot pause it.

#[isolated_nats::isolated_nats(start_paused, flavor = "multi_thread")]
async fn test() {}

fn main() {}
