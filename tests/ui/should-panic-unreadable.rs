//! `#[should_panic]` in a form that it does not have.

#[isolated_nats::isolated_nats]
#[should_panic(message = "no server")]
async fn test() {}

fn main() {}
