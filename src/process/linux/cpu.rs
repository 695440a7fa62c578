//! The CPU clock of a process, in nanoseconds: `/proc` counts in steps of 10 ms.

#![expect(
    unsafe_code,
    reason = "two functions of the C library, which no safe crate has for the clock of another process"
)]

use std::time::Duration;

/// CPU time of all threads of a process, those that have ended included; `None` when there is no such clock.
pub(super) fn time(pid: u32) -> Option<Duration> {
    let pid = libc::pid_t::try_from(pid).ok().filter(|pid| *pid > 0)?;
    let mut clock = 0;
    // SAFETY: it writes one number, to a place of ours.
    if unsafe { libc::clock_getcpuclockid(pid, &raw mut clock) } != 0 {
        return None;
    }
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: as above.
    if unsafe { libc::clock_gettime(clock, &raw mut time) } != 0 {
        return None;
    }
    Some(Duration::new(time.tv_sec.try_into().ok()?, time.tv_nsec.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_clock_is_finer_than_the_kernels_ticks() {
        let own = || time(std::process::id()).unwrap();
        let first = own();
        assert!((0..1000).map(|_| own()).any(|next| next.subsec_nanos() % 10_000_000 != 0));
        assert!(own() >= first);
    }

    #[test]
    fn what_is_no_process_has_no_clock() {
        assert_eq!((time(0), time(u32::MAX)), (None, None));
    }
}
