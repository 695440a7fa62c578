//! Options are not raw identifiers.

#[isolated_nats::isolated_nats(r#timeout = "30s")]
async fn test() {}

fn main() {}
