//! Types that nobody would choose.

use std::fmt::Debug;

#[isolated_nats::isolated_nats]
async fn parameter<T: Debug>(_value: T) {}

#[isolated_nats::isolated_nats]
async fn clause()
where
    u8: Debug,
{
}

#[isolated_nats::isolated_nats]
async fn argument(_value: impl Debug) {}

fn main() {}
