//! An option that does not exist.

#[isolated_nats::isolated_nats(retries = 3)]
async fn test() {}

fn main() {}
