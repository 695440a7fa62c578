//! Puts the pinned nats-server into the cache, so that the first test need not wait for it, says which ways of the
//! allocator this target has, and for `results` what the crate is built with.

fn main() {
    allocator();
    #[cfg(feature = "results")]
    built_with();
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

/// The compiler and the optimization level of this very crate, for fingerprints. Cargo runs this script again when either is another
/// one; what cannot be found out is not set.
#[cfg(feature = "results")]
fn built_with() {
    let version = || {
        let rustc = std::process::Command::new(std::env::var_os("RUSTC")?).arg("--version").output().ok()?;
        Some(String::from_utf8(rustc.stdout).ok()?.lines().next()?.to_owned())
    };
    if let Some(version) = version() {
        println!("cargo::rustc-env=ISOLATED_NATS_BUILD_RUSTC={version}");
    }
    if let Ok(level) = std::env::var("OPT_LEVEL") {
        println!("cargo::rustc-env=ISOLATED_NATS_BUILD_OPT_LEVEL={level}");
    }
}
