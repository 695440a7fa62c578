//! Versions that are none.

#[isolated_nats::isolated_nats(version = "v2.12")]
async fn with_letter() {}

#[isolated_nats::isolated_nats(version = "latest")]
async fn not_a_number() {}

#[isolated_nats::isolated_nats(version = "2.12-RC.1")]
async fn prerelease_of_a_series() {}

fn main() {}
