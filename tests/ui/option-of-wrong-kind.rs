//! Values of another kind than the option takes.

#[isolated_nats::isolated_nats(jetstream = "yes", config = nats.conf, version = 2.12, flavor = multi_thread)]
async fn first() {}

#[isolated_nats::isolated_nats(worker_threads = "4", start_paused = 1, timeout = 30, crate = 7 + 8)]
async fn second() {}

fn main() {}
