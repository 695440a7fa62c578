//! Worker threads on a runtime that has none.

#[isolated_nats::isolated_nats(worker_threads = 2)]
async fn no_flavor() {}

#[isolated_nats::isolated_nats(flavor = "current_thread", worker_threads = 2)]
async fn other_flavor() {}

fn main() {}
