//! Attributes on parameters that mean nothing here.

use isolated_nats::ExternalNats;

#[isolated_nats::isolated_nats]
async fn conditional(#[cfg(unix)] _nats: ExternalNats) {}

#[isolated_nats::isolated_nats]
async fn unknown(#[server] _nats: ExternalNats) {}

fn main() {}
