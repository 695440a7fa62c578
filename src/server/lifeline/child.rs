//! A child process of ours on Unix, however it was made; `std::process::Child` can only be made by `std`.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use rustix::io::retry_on_intr;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, WaitOptions, kill_process, waitid, waitpid};

/// A child that nobody else waits for. Dropping it neither ends nor reaps it.
#[derive(Debug)]
pub(crate) struct Child {
    pid: Pid,
    /// Once it has been reaped, and its pid may be another process's.
    status: Option<ExitStatus>,
}

impl Child {
    pub(super) fn new(pid: Pid) -> Self {
        Self { pid, status: None }
    }

    /// Takes over from the standard library, which does nothing with a child that is dropped.
    pub(super) fn from_std(child: &std::process::Child) -> Self {
        Self::new(Pid::from_child(child))
    }

    pub(crate) fn id(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// Whether it has ended, waited for or not; until it is waited for, its pid is nobody else's.
    pub(crate) fn has_ended(&self) -> bool {
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        self.status.is_some() || matches!(waitid(WaitId::Pid(self.pid), look), Ok(Some(_)) | Err(_))
    }

    /// Kills it, unless it has been reaped.
    pub(crate) fn kill(&mut self) -> io::Result<()> {
        match self.status {
            Some(_) => Ok(()),
            None => Ok(kill_process(self.pid, Signal::KILL)?),
        }
    }

    /// Its status, if it has ended.
    pub(crate) fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.reap(WaitOptions::NOHANG)
    }

    /// Its status, once it has ended.
    pub(crate) fn wait(&mut self) -> io::Result<ExitStatus> {
        self.reap(WaitOptions::empty())?
            .ok_or_else(|| io::Error::other("a wait without a limit ended without a status"))
    }

    fn reap(&mut self, options: WaitOptions) -> io::Result<Option<ExitStatus>> {
        if self.status.is_none() {
            let ended = retry_on_intr(|| waitpid(Some(self.pid), options))?;
            self.status = ended.map(|(_, status)| ExitStatus::from_raw(status.as_raw()));
        }
        Ok(self.status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_child_is_waited_for_once_and_remembers_how_it_ended() {
        let mut child = Child::from_std(&Command::new("sh").args(["-c", "exit 7"]).spawn().unwrap());
        while !child.has_ended() {
            std::thread::yield_now();
        }
        assert_eq!(child.wait().unwrap().code(), Some(7));
        assert!(child.has_ended());
        assert_eq!(child.try_wait().unwrap().unwrap().code(), Some(7));
        child.kill().unwrap(); // does nothing: the pid may be another process's by now
    }

    #[test]
    fn a_killed_child_says_by_which_signal() {
        let mut child = Child::from_std(&Command::new("sleep").arg("600").spawn().unwrap());
        assert_eq!(child.try_wait().unwrap(), None);
        child.kill().unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(9));
    }
}
