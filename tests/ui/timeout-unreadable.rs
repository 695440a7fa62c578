//! Times that are none.

#[isolated_nats::isolated_nats(timeout = "30")]
async fn without_unit() {}

#[isolated_nats::isolated_nats(timeout = "1 day")]
async fn unknown_unit() {}

#[isolated_nats::isolated_nats(timeout = "0s")]
async fn zero() {}

#[isolated_nats::isolated_nats(timeout = "99999999999999h")]
async fn too_long() {}

fn main() {}
