//! A configuration file without a name.

#[isolated_nats::isolated_nats(config = "")]
async fn test() {}

fn main() {}
