//! A second attribute that makes the function a test.

#[isolated_nats::isolated_nats]
#[test]
async fn plain() {}

#[isolated_nats::isolated_nats]
#[::core::prelude::v1::test]
async fn core() {}

#[isolated_nats::test]
#[tokio::test]
async fn tokio() {}

#[isolated_nats::test]
#[isolated_nats::test(jetstream)]
async fn ours() {}

#[isolated_nats::test]
#[bench]
async fn bench() {}

fn main() {}
