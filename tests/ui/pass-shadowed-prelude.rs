//! A module in which every name that the expansion could have borrowed means something else.

#![expect(dead_code, non_upper_case_globals, non_camel_case_types, reason = "must not be found")]

struct Ok;
struct Err;
struct Some;
struct None;
struct Result;
struct Option;
struct String;
struct Duration;
struct TestContext;
trait FromTest {}
mod core {}
mod std {}
const context: u8 = 0;
const run: u8 = 0;
const test: u8 = 0;
type str = u8;
type bool = u8;

#[::isolated_nats::test(timeout = "30s", version = "2.14")]
async fn shadowed(nats: ::isolated_nats::ExternalNats) -> ::core::result::Result<(), ::std::io::Error> {
    assert_ne!(nats.port(), 0);
    ::core::result::Result::Ok(())
}
