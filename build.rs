//! Puts the pinned nats-server into the cache, so that the first test need not wait for it.

fn main() {
    #[cfg(feature = "build-fetch")]
    isolated_nats_server_binary::prefetch_for_build_script();
    #[cfg(not(feature = "build-fetch"))]
    println!("cargo::rerun-if-changed=build.rs");
}
