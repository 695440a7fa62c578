//! A test is run several times only to compare it.

#[isolated_nats::isolated_nats(rounds = 10)]
async fn test() {}

fn main() {}
