//! Locates, fetches, verifies, builds and caches `nats-server`.
