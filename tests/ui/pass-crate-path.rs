//! The crate under another name.

mod reexports {
    pub(super) use isolated_nats as nats;
}

use reexports::nats;

/// What the absolute path would find if the option were ignored anywhere.
#[allow(dead_code, reason = "must not be found")]
mod isolated_nats {}

#[nats::test(crate = "self::reexports::nats")]
async fn as_text(nats: nats::ExternalNats) {
    assert_ne!(nats.port(), 0);
}

#[nats::test(crate = self::reexports::nats)]
async fn as_path(nats: nats::ExternalNats) {
    assert_ne!(nats.port(), 0);
}
