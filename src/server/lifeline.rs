//! Ties every server to the life of this process, however this process ends.
//!
//! - Linux: the parent-death signal, set in the child before it becomes the server. It follows the *thread* that
//!   forked, so that every server is spawned from one parked thread that lives as long as the process.
//! - Other Unix: one `/bin/sh` for the process, blocked on a pipe whose only writer is this process; at end of file it
//!   kills what it was told to. It works on Linux too, where it is tested, and `ISOLATED_NATS_LIFELINE=watcher` asks
//!   for it.
//! - Windows: one job object, ended by the kernel with its last handle, which is ours.

use std::fs::File;
use std::io;
use std::process::{Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError, mpsc};
use std::time::Duration;

#[cfg(target_os = "linux")]
use crate::environment;
use crate::poll::{Deadline, until};

#[cfg(unix)]
mod child;
#[cfg(target_os = "linux")]
mod death_signal;
#[cfg(windows)]
mod job;
#[cfg(unix)]
mod watcher;

#[cfg(unix)]
pub(crate) use child::Child;
#[cfg(windows)]
pub(crate) use std::process::Child;

/// How long a binary that another thread has just written may be "busy": a fork between its writing and its closing
/// holds it open for writing until that child becomes another program.
const BUSY_LIMIT: Duration = Duration::from_secs(1);

/// Keeps whatever ends the child with this process; dropped once the child has been killed, before it is waited for,
/// so that its pid cannot yet belong to another process.
#[derive(Debug)]
pub(crate) struct Tether {
    #[cfg(unix)]
    _watched: Option<watcher::Watched>,
}

/// Starts a child process that cannot outlive this one, and that writes to a log; the command says nothing of its input
/// and output.
pub(crate) fn spawn(command: Command, log: File) -> io::Result<(Child, Tether)> {
    #[cfg(target_os = "linux")]
    if !environment::is("ISOLATED_NATS_LIFELINE", "watcher") {
        let child = on_spawner_thread(move || when_not_busy(|| death_signal::spawn(&command, &log)))?;
        return Ok((child, Tether { _watched: None }));
    }
    spawn_by_platform(command, log)
}

#[cfg(unix)]
#[expect(clippy::needless_pass_by_value, reason = "the same signature as on Windows, where it is consumed")]
fn spawn_by_platform(command: Command, log: File) -> io::Result<(Child, Tether)> {
    let watcher = watcher::global()?;
    let mut gated = with_output_to(watcher::gated(&command), log)?;
    gated.stdin(Stdio::piped());
    let mut shell = on_spawner_thread(move || when_not_busy(|| gated.spawn()))?;
    let child = Child::from_std(&shell);
    let watched = watcher.watch(child.id());
    watcher::open_gate(&mut shell)?;
    Ok((child, Tether { _watched: Some(watched) }))
}

#[cfg(windows)]
fn spawn_by_platform(command: Command, log: File) -> io::Result<(Child, Tether)> {
    let mut command = with_output_to(command, log)?;
    let mut child = on_spawner_thread(move || when_not_busy(|| command.spawn()))?;
    if let Err(error) = job::assign(&child) {
        child.kill()?;
        child.wait()?;
        return Err(error);
    }
    Ok((child, Tether {}))
}

/// Input from nowhere, output to the log: never inherited, or a test runner would wait for it to be closed.
fn with_output_to(mut command: Command, log: File) -> io::Result<Command> {
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    Ok(command)
}

/// Spawns, and tries again for as long as the executable is held open for writing (`ETXTBSY`).
fn when_not_busy<T>(mut spawn: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    let mut last = None;
    until(&Deadline::after(BUSY_LIMIT), || match spawn() {
        Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => {
            last = Some(error);
            None
        }
        result => Some(result),
    })
    .unwrap_or_else(|| Err(last.unwrap_or_else(|| io::ErrorKind::ExecutableFileBusy.into())))
}

type Job = Box<dyn FnOnce() + Send>;

/// Runs a job on the one thread that spawns; it starts with the first job and stays parked between jobs.
fn on_spawner_thread<T: Send + 'static>(
    job: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    static SPAWNER: OnceLock<Mutex<mpsc::Sender<Job>>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let _ours = crate::memory::ours();
        let (sender, jobs) = mpsc::channel::<Job>();
        std::thread::Builder::new()
            .name("isolated-nats spawner".into())
            .spawn(move || jobs.into_iter().for_each(|job| job()))
            .expect("a thread can be started");
        Mutex::new(sender)
    });
    let (sender, result) = mpsc::sync_channel(1);
    let job: Job = Box::new(move || drop(sender.send(job())));
    let gone = || io::Error::other("the spawner thread has ended");
    spawner.lock().unwrap_or_else(PoisonError::into_inner).send(job).map_err(|_| gone())?;
    result.recv().map_err(|_| gone())?
}
