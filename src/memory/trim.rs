//! Giving free memory back to the system, so that what is resident tells of what is held.

/// Gives back what the C library can. With glibc that is the first arena's free memory only: what other threads have freed
/// stays resident, unless [`keep_little`] was called before they began.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "a function of the C library")]
pub(crate) fn give_back() {
    // SAFETY: it takes a number, and locks each arena it looks at.
    unsafe { libc::malloc_trim(0) };
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn give_back() {}

/// Makes the C library keep little of what is freed: large blocks are mapped apart, the top of each arena is given back
/// early, and neither limit grows by itself. To be called before a test begins that is judged by its resident bytes.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "a function of the C library")]
pub(crate) fn keep_little() {
    const LIMIT: libc::c_int = 128 << 10; // mallopt(3): the default, which grows unless it is set
    // SAFETY: both parameters take any number.
    unsafe {
        libc::mallopt(libc::M_TRIM_THRESHOLD, LIMIT);
        libc::mallopt(libc::M_MMAP_THRESHOLD, LIMIT);
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn keep_little() {}
