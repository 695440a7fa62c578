//! An option that is given twice is refused at the second one.

#[isolated_nats::isolated_nats(timeout = "30s", jetstream, timeout = "40s", jetstream = false)]
async fn test() {}

fn main() {}
