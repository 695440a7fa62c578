//! Linux: the kernel kills the child when the thread that forked it ends.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};

use rustix::process::{Signal, getpid, getppid, set_parent_process_death_signal};

/// Call it only on the spawner thread: a server spawned elsewhere would die with that thread.
#[expect(unsafe_code, reason = "`pre_exec` is the only way to run code between fork and exec")]
pub(super) fn spawn(mut command: Command) -> io::Result<Child> {
    let parent = getpid();
    // SAFETY: the closure makes two system calls and touches no lock and no allocation, as code between fork and exec
    // must not: `prctl` and `getppid` are async-signal-safe, and an `io::Error` from an errno is a plain value.
    unsafe {
        command.pre_exec(move || {
            set_parent_process_death_signal(Some(Signal::KILL))?;
            // The parent may have ended between the fork and the call above; the signal would then never come.
            if getppid() == Some(parent) { Ok(()) } else { Err(rustix::io::Errno::SRCH.into()) }
        });
    }
    super::spawn_when_not_busy(command)
}
