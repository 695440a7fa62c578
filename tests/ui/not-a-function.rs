//! The attribute on something else.

#[isolated_nats::isolated_nats]
struct Test;

fn main() {}
