//! Signals to a server process, by name of what they do.

#[cfg(unix)]
pub(super) use unix::*;
#[cfg(not(unix))]
pub(super) use unsupported::*;

#[cfg(unix)]
mod unix {
    use std::io;
    use std::time::Duration;

    use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

    use crate::poll::{Deadline, until};

    /// A stop takes effect when every thread has noticed it: microseconds, more on a loaded machine.
    const STOP_LIMIT: Duration = Duration::from_secs(5);

    fn send(pid: u32, signal: Signal) -> io::Result<()> {
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidInput)?;
        Ok(kill_process(pid, signal)?)
    }

    /// Asks for an orderly end. An interrupt and not a termination, which a server in lame-duck mode ignores.
    pub(in super::super) fn finish(pid: u32) -> io::Result<()> {
        send(pid, Signal::INT)?;
        send(pid, Signal::CONT) // a paused server would never see it
    }

    /// Stops the process, and returns once it has stopped: until then it may still answer.
    pub(in super::super) fn pause(pid: u32) -> io::Result<()> {
        send(pid, Signal::STOP)?;
        let id = WaitId::Pid(
            Pid::from_raw(i32::try_from(pid).unwrap_or_default()).ok_or(io::ErrorKind::InvalidInput)?,
        );
        // NOWAIT: only a look, that leaves the child's end to the standard library.
        let look = WaitIdOptions::STOPPED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        until(&Deadline::after(STOP_LIMIT), || match waitid(id.clone(), look) {
            Ok(None) => None,
            Ok(Some(_)) => Some(Ok(())),
            Err(error) => Some(Err(error.into())),
        })
        .unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()))
    }

    /// Whether the process is stopped now, by [`pause`] or by anybody else.
    pub(in super::super) fn is_paused(pid: u32) -> bool {
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
        let look = WaitIdOptions::STOPPED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        pid.is_some_and(|pid| matches!(waitid(WaitId::Pid(pid), look), Ok(Some(_))))
    }

    pub(in super::super) fn resume(pid: u32) -> io::Result<()> {
        send(pid, Signal::CONT)
    }

    pub(in super::super) fn lame_duck(pid: u32) -> io::Result<()> {
        send(pid, Signal::USR2)
    }

    pub(in super::super) fn reload(pid: u32) -> io::Result<()> {
        send(pid, Signal::HUP)
    }
}

/// Systems without signals: each call is an `Unsupported` error, which the caller words.
#[cfg(not(unix))]
mod unsupported {
    use std::io;

    fn unsupported() -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(in super::super) fn finish(_pid: u32) -> io::Result<()> {
        unsupported()
    }

    pub(in super::super) fn pause(_pid: u32) -> io::Result<()> {
        unsupported()
    }

    pub(in super::super) fn is_paused(_pid: u32) -> bool {
        false
    }

    pub(in super::super) fn resume(_pid: u32) -> io::Result<()> {
        unsupported()
    }

    pub(in super::super) fn lame_duck(_pid: u32) -> io::Result<()> {
        unsupported()
    }

    pub(in super::super) fn reload(_pid: u32) -> io::Result<()> {
        unsupported()
    }
}
