//! A baseline's name becomes that of a file, and it takes rounds to compare.

#[isolated_nats::isolated_nats(baseline = "a/b")]
async fn path() {}

#[isolated_nats::isolated_nats(baseline = "")]
async fn empty() {}

#[isolated_nats::isolated_nats(baseline = "..")]
async fn hidden() {}

#[isolated_nats::isolated_nats(baseline = 5)]
async fn number() {}

#[isolated_nats::isolated_nats(baseline, rounds = 9)]
async fn few() {}

fn main() {}
