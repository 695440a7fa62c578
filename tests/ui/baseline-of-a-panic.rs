//! How a panic ends a test says nothing of what it costs.

#[isolated_nats::isolated_nats(baseline)]
#[should_panic]
async fn test() {}

fn main() {}
