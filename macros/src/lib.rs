//! The `#[isolated_nats]` attribute.
