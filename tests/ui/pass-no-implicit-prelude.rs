//! A module that has no names but its own.

#![no_implicit_prelude]

#[::isolated_nats::test(timeout = "30s", start_paused)]
async fn with_everything(
    nats: ::isolated_nats::ExternalNats,
) -> ::core::result::Result<(), ::std::string::String> {
    ::core::assert_ne!(nats.port(), 0);
    ::core::result::Result::Ok(())
}

#[::isolated_nats::isolated_nats]
#[should_panic = "on purpose"]
async fn with_nothing() {
    ::core::panic!("on purpose")
}
