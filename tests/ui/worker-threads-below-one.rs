//! Numbers of threads that no runtime can have.

#[isolated_nats::isolated_nats(flavor = "multi_thread", worker_threads = 0)]
async fn zero() {}

#[isolated_nats::isolated_nats(flavor = "multi_thread", worker_threads = -1)]
async fn negative() {}

#[isolated_nats::isolated_nats(flavor = "multi_thread", worker_threads = 99999999999999999999)]
async fn too_many() {}

fn main() {}
