//! Options that almost exist: the nearest one is suggested.

#[isolated_nats::isolated_nats(timeot = "30s", Jetstream, config_file = "nats.conf")]
async fn test() {}

fn main() {}
