//! Text that is no list of options.

#[isolated_nats::isolated_nats(jetstream timeout = "30s")]
async fn missing_comma() {}

#[isolated_nats::isolated_nats(, jetstream)]
async fn leading_comma() {}

#[isolated_nats::isolated_nats("jetstream", nats::timeout = "30s", 3)]
async fn no_name() {}

fn main() {}
