//! Unix without a parent-death signal: a shell blocked on a pipe, which kills what it watches when the pipe ends.
//!
//! The write end of the pipe closes with this process, however it ends: that is the event, so that nothing is polled and
//! no pid is ever compared. A pid is taken off the list before the process is waited for, while it cannot be reused.
//!
//! A process that is not on the list yet must not be the server yet, for this process may end in between: the child is a
//! shell that waits for a line on a pipe of its own, and becomes the server then. Without the line it ends.

use std::io::{self, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::server::{Mark, Thing};

/// Reads `+pid` and `-pid` lines into a list; at end of file kills the list. Signals that a terminal or a test runner
/// sends to the whole process group must not end it early, or the servers would live on.
const SCRIPT: &str = r#"trap '' INT TERM HUP QUIT
live=' '
while IFS= read -r line; do
  pid=${line#?}
  case $line in
    +*) live="$live$pid " ;;
    -*) case $live in *" $pid "*) live="${live%%" $pid "*} ${live#*" $pid "}" ;; esac ;;
  esac
done
for pid in $live; do kill -KILL "$pid" 2>/dev/null; done"#;

/// Becomes the program given as its arguments once a line comes; at end of file, when the other side has died, ends.
const GATE: &str = r#"read -r line && exec "$0" "$@" </dev/null"#;

#[derive(Debug)]
pub(super) struct Watcher {
    pipe: Mutex<ChildStdin>,
    /// It stays with this process.
    _marks: [Mark; 2],
}

/// A process on the watcher's list; dropping it takes the process off.
#[derive(Debug)]
pub(super) struct Watched {
    pid: u32,
    watcher: &'static Watcher,
}

/// The one watcher of this process; it starts with the first call. A failed start is tried again by the next call.
pub(super) fn global() -> io::Result<&'static Watcher> {
    static WATCHER: OnceLock<Watcher> = OnceLock::new();
    static STARTING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(watcher) = WATCHER.get() {
        return Ok(watcher);
    }
    let watcher = start()?;
    Ok(WATCHER.get_or_init(|| watcher))
}

fn start() -> io::Result<Watcher> {
    let mut shell = Command::new("/bin/sh")
        .args(["-c", SCRIPT, "isolated-nats-watcher"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null()) // never inherited: a test runner would wait for the watcher to close them
        .stderr(Stdio::null())
        .spawn()?;
    let pipe = shell.stdin.take().ok_or_else(|| io::Error::other("the watcher has no pipe"))?;
    let marks = [Mark::new(Thing::Child(shell.id())), Mark::descriptor(&pipe)];
    Ok(Watcher { pipe: Mutex::new(pipe), _marks: marks })
}

/// The command as a shell that waits at the gate before it becomes it, with the same pid.
pub(super) fn gated(command: &Command) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", GATE]).arg(command.get_program()).args(command.get_args());
    for (key, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(key, value),
            None => shell.env_remove(key),
        };
    }
    shell
}

/// Lets a child at the gate go on, once it is on the list.
pub(super) fn open_gate(shell: &mut Child) -> io::Result<()> {
    let mut gate = shell.stdin.take().ok_or_else(|| io::Error::other("the child has no gate"))?;
    gate.write_all(b"\n")
}

impl Watcher {
    pub(super) fn watch(&'static self, pid: u32) -> Watched {
        self.tell('+', pid);
        Watched { pid, watcher: self }
    }

    /// One short write, which a pipe takes whole; if the watcher is gone, somebody killed it, and nothing can be done.
    fn tell(&self, sign: char, pid: u32) {
        let mut pipe = self.pipe.lock().unwrap_or_else(PoisonError::into_inner);
        let told = pipe.write_all(format!("{sign}{pid}\n").as_bytes());
        if let Err(error) = told {
            tracing::warn!(%error, "the watcher that ends servers with this process is gone");
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.watcher.tell('-', self.pid);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn sleeper() -> Child {
        Command::new("sleep").arg("600").spawn().unwrap()
    }

    /// What happens when the process ends, by hand: the pipe is closed, and the shell does its work.
    #[test]
    fn at_end_of_file_the_watched_die_and_the_released_live() {
        let (mut watched, mut released, mut neighbour) = (sleeper(), sleeper(), sleeper());
        let mut shell = Command::new("/bin/sh").args(["-c", SCRIPT]).stdin(Stdio::piped()).spawn().unwrap();
        let mut pipe = shell.stdin.take().unwrap();
        writeln!(pipe, "+{}\n+{}\n+{}\n-{}", neighbour.id(), released.id(), watched.id(), released.id())
            .unwrap();
        drop(pipe);
        assert!(shell.wait().unwrap().success());
        // The shell has ended, so that both kills have been sent; waiting for the victims needs no limit of its own.
        assert!(!watched.wait().unwrap().success());
        assert!(!neighbour.wait().unwrap().success());
        assert_eq!(released.try_wait().unwrap(), None);
        released.kill().unwrap();
        released.wait().unwrap();
    }

    #[test]
    fn a_child_becomes_the_program_only_once_the_gate_is_open() {
        let mut command = Command::new("sh");
        command
            .args(["-c", "test $VARIABLE = value && echo $$ started: $0", "a name"])
            .env("VARIABLE", "value");
        let start = || gated(&command).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut opened = start();
        open_gate(&mut opened).unwrap();
        let pid = opened.id();
        let output = opened.wait_with_output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("{pid} started: a name\n"));

        let closed = start().wait_with_output().unwrap(); // which closes its input
        assert!(!closed.status.success() && closed.stdout.is_empty());
    }

    #[test]
    fn signals_for_the_whole_group_do_not_end_the_watcher() {
        let mut victim = sleeper();
        let mut shell = Command::new("/bin/sh").args(["-c", SCRIPT]).stdin(Stdio::piped()).spawn().unwrap();
        let mut pipe = shell.stdin.take().unwrap();
        writeln!(pipe, "+{}", victim.id()).unwrap();
        let shell_pid = rustix::process::Pid::from_child(&shell);
        // The trap is set once the shell ignores the signals: a state that can be waited for.
        #[cfg(target_os = "linux")]
        {
            let deadline = crate::poll::Deadline::after(Duration::from_secs(10));
            let ignores = || {
                let status = std::fs::read_to_string(format!("/proc/{}/status", shell.id())).unwrap();
                let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
                (u64::from_str_radix(mask.trim(), 16).unwrap() & 0b100_0000_0000_0010 == 0b100_0000_0000_0010)
                    .then_some(())
            };
            crate::poll::until(&deadline, ignores).expect("the shell sets its trap");
            for signal in [rustix::process::Signal::INT, rustix::process::Signal::TERM] {
                rustix::process::kill_process(shell_pid, signal).unwrap();
            }
        }
        let _ = shell_pid;
        assert_eq!(victim.try_wait().unwrap(), None);
        drop(pipe);
        assert!(shell.wait().unwrap().success());
        assert!(!victim.wait().unwrap().success());
    }
}
