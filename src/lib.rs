//! A real `nats-server` in one line of a test.
