//! Words before `fn` that a test cannot have.

#[isolated_nats::isolated_nats]
const async unsafe extern "C" fn test() {}

fn main() {}
