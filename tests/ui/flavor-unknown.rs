//! A runtime that does not exist; what needs it is not reported as well.

#[isolated_nats::isolated_nats(flavor = "threaded", worker_threads = 2)]
async fn test() {}

fn main() {}
