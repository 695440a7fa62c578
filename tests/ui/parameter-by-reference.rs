//! Arguments are owned.

use isolated_nats::ExternalNats;

#[isolated_nats::isolated_nats]
async fn test(_nats: &ExternalNats) {}

fn main() {}
