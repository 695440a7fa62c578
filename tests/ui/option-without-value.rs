//! Options that need a value.

#[isolated_nats::isolated_nats(config, version =, flavor("multi_thread"), worker_threads, timeout, crate)]
async fn test() {}

fn main() {}
