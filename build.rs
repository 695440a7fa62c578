//! Puts the pinned nats-server into the cache, so that the first test need not wait for it, and says which ways of the
//! allocator this target has.

fn main() {
    allocator();
    #[cfg(feature = "build-fetch")]
    isolated_nats_server_binary::prefetch_for_build_script();
    #[cfg(not(feature = "build-fetch"))]
    println!("cargo::rerun-if-changed=build.rs");
}

/// `isolated_nats_sanitizer`: a sanitizer replaces the allocator of the whole process; ours must not stand before it.
/// `isolated_nats_pthread`: the C library is glibc and linked dynamically, so that its `pthread_create` can be stood before.
fn allocator() {
    println!("cargo::rustc-check-cfg=cfg(isolated_nats_sanitizer)");
    println!("cargo::rustc-check-cfg=cfg(isolated_nats_pthread)");
    let target = |name: &str| std::env::var(format!("CARGO_CFG_{name}")).unwrap_or_default();
    // CARGO_CFG_SANITIZE comes with nightly only, as sanitizers do.
    let flags = std::env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let sanitized = flags.contains("sanitizer=") || !target("SANITIZE").is_empty();
    let features = target("TARGET_FEATURE");
    let is_static = features.split(',').any(|feature| feature == "crt-static");
    // The way of other systems, on this one: for programs with a `pthread_create` of their own, and for our tests.
    println!("cargo::rerun-if-env-changed=ISOLATED_NATS_THREADS");
    let by_first_free = std::env::var("ISOLATED_NATS_THREADS").is_ok_and(|way| way == "first-free");
    if sanitized {
        println!("cargo::rustc-cfg=isolated_nats_sanitizer");
    } else if target("TARGET_OS") == "linux"
        && target("TARGET_ENV") == "gnu"
        && !is_static
        && !by_first_free
        && std::env::var_os("CARGO_CFG_MIRI").is_none()
    {
        println!("cargo::rustc-cfg=isolated_nats_pthread");
    }
}
