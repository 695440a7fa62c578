//! What a test can do to its server: end it, bring it back, freeze it, change its configuration.
//!
//! Whatever waits, waits on a thread of ours and holds the server's state for as long, so that two faults at a time come
//! one after the other. A future that is dropped does not undo what it began.

use std::fs;
use std::io::{self, Read};
use std::net::TcpStream;
use std::process::ExitStatus;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::error::{FaultError, FaultErrorKind, StartError, StartErrorKind};
use super::launch::{Process, Ready};
use super::owned::{Owned, State, ended_by_itself};
use super::{ExternalNats, config, lock, ready, signal};
use crate::evidence;
use crate::own_thread::on_own_thread;
use crate::poll::{Deadline, until};

impl ExternalNats {
    /// Ends the server in an orderly way, for every handle and for good, and returns its exit status.
    ///
    /// Later calls on other handles give [`FaultErrorKind::Stopped`]. The directory is removed with the last handle. A
    /// server that does not end within its [`stop_timeout`](crate::ExternalNatsBuilder::stop_timeout) is killed. On Windows, where there are no signals, it is killed at once.
    ///
    /// While a [`LeakGuard`](crate::LeakGuard) is alive, clients that were just dropped may leave first, for at most 100 ms: a
    /// client that saw its server vanish would connect again for ever.
    ///
    /// # Errors
    ///
    /// [`FaultErrorKind::Stopped`] when the server does not run any more; [`FaultErrorKind::Attached`].
    pub async fn shutdown(self) -> Result<ExitStatus, FaultError> {
        self.fault("shutdown", |owned, nats| {
            owned.await_farewells();
            owned.finish(nats, || State::Finished)
        })
        .await
    }

    /// Kills the server at once (SIGKILL), as a crash would; its store stays, and [`restart`](Self::restart) brings it
    /// back. Blocks for about two milliseconds, for a tenth of a second when the server is paused, and for as long as
    /// another fault is under way.
    ///
    /// # Errors
    ///
    /// [`FaultErrorKind::Stopped`] when it does not run; [`FaultErrorKind::Attached`]; [`FaultErrorKind::System`].
    pub fn kill(&self) -> Result<(), FaultError> {
        let owned = self.target("kill")?;
        let mut state = lock(&owned.state);
        let process = take_running(&mut state)?;
        *state = State::Down("killed by `kill`".into());
        let _reserved = Reservation::of(self.port());
        process.kill().map_err(|error| FaultError::system("the server could not be killed", error))?;
        Ok(())
    }

    /// Ends the server in an orderly way; its store stays, and [`restart`](Self::restart) brings it back.
    ///
    /// A server that does not end within its [`stop_timeout`](crate::ExternalNatsBuilder::stop_timeout) is killed, and on
    /// Windows it always is.
    ///
    /// # Errors
    ///
    /// [`FaultErrorKind::Stopped`] when it does not run; [`FaultErrorKind::Attached`].
    pub async fn stop(&self) -> Result<(), FaultError> {
        self.fault("stop", |owned, nats| {
            owned.finish(nats, || State::Down("stopped by `stop`".into())).map(drop)
        })
        .await
    }

    /// Starts the server again with the same port, the same store and the same configuration: after
    /// [`kill`](Self::kill), after [`stop`](Self::stop), after its own end, or, while it runs, after an orderly stop.
    ///
    /// Returns once it is ready. The port stays the server's in between on Linux, where a connection in `TIME_WAIT` keeps
    /// others from being given it; a process that asks for that very number can take it, and so can others where the server
    /// does not greet clients before TLS.
    ///
    /// # Errors
    ///
    /// [`FaultErrorKind::PortTaken`] when another process holds the port for the
    /// [`fault_timeout`](crate::ExternalNatsBuilder::fault_timeout); [`FaultErrorKind::Start`] when the
    /// server does not come up, with the [`StartError`] as its cause, and a later call tries again;
    /// [`FaultErrorKind::Stopped`] after [`shutdown`](Self::shutdown); [`FaultErrorKind::Attached`].
    pub async fn restart(&self) -> Result<(), FaultError> {
        self.fault("restart", Owned::restart).await
    }

    /// Freezes the server's process (SIGSTOP): its connections stay open, and nothing is answered. Returns once it has
    /// stopped. Pausing a paused server changes nothing.
    ///
    /// # Errors
    ///
    /// [`FaultErrorKind::Stopped`] when it does not run; [`FaultErrorKind::Unsupported`] on Windows;
    /// [`FaultErrorKind::Attached`]; [`FaultErrorKind::System`].
    pub fn pause(&self) -> Result<(), FaultError> {
        self.signal("pause", signal::pause)
    }

    /// Lets a paused server go on (SIGCONT). Resuming a running server changes nothing.
    ///
    /// # Errors
    ///
    /// The same as of [`pause`](Self::pause).
    pub fn resume(&self) -> Result<(), FaultError> {
        self.signal("resume", signal::resume)
    }

    /// Puts the server into lame-duck mode: it accepts no more clients, tells those it has to go elsewhere, and after
    /// 30 s (or at once without clients) it ends. Returns once it accepts no more.
    ///
    /// # Errors
    ///
    /// [`FaultErrorKind::Stopped`] when it does not run; [`FaultErrorKind::Unsupported`] on Windows;
    /// [`FaultErrorKind::Timeout`] when it still accepts clients after the
    /// [`fault_timeout`](crate::ExternalNatsBuilder::fault_timeout); [`FaultErrorKind::Attached`];
    /// [`FaultErrorKind::System`].
    pub async fn lame_duck(&self) -> Result<(), FaultError> {
        self.fault("lame_duck", Owned::lame_duck).await
    }

    /// Replaces the text given to [`config`](crate::ExternalNatsBuilder::config), and lets the running server read its
    /// configuration again, the user's file included. Returns once the new one is in force. Ports and store stay.
    ///
    /// # Errors
    ///
    /// [`FaultErrorKind::Refused`] with the server's own words when it does not take the new text: the old one stays in
    /// force. [`FaultErrorKind::Stopped`] when it does not run; [`FaultErrorKind::Unsupported`] on Windows;
    /// [`FaultErrorKind::Timeout`], with either text in force, without an answer within the
    /// [`fault_timeout`](crate::ExternalNatsBuilder::fault_timeout); [`FaultErrorKind::Attached`]; [`FaultErrorKind::System`].
    pub async fn reload(&self, config: &str) -> Result<(), FaultError> {
        let text = config.to_owned();
        self.fault("reload", move |owned, nats| owned.reload(nats, text)).await
    }

    /// Whether the process runs, as far as a look at it now tells; an attached server is taken to.
    pub(super) fn is_running(&self) -> bool {
        match self.inner.owned() {
            // Whoever holds the lock is at a fault; a server that is being restarted is taken for running.
            Some(owned) => owned.state.try_lock().map_or(true, |mut state| running(&mut state).is_ok()),
            None => true,
        }
    }

    /// How the process ended, if it does not run; a server at which a fault is under way is taken for running.
    pub(super) fn how_it_ended(&self) -> Option<String> {
        let mut state = self.inner.owned()?.state.try_lock().ok()?;
        running(&mut state).err()?;
        match &*state {
            State::Running(_) => None,
            State::Down(how) => Some(how.clone()),
            State::Finished => Some("ended by `shutdown`".into()),
        }
    }

    fn target(&self, fault: &str) -> Result<&Owned, FaultError> {
        self.inner.owned().ok_or_else(|| {
            let what = format!(
                "`{fault}` needs a server of one's own, and this one is attached (unset ISOLATED_NATS_URL)"
            );
            FaultError::new(FaultErrorKind::Attached, what)
        })
    }

    /// Runs a fault that waits on a thread of ours; the thread's handle keeps the server until it is done.
    async fn fault<T: Send + 'static>(
        &self,
        name: &'static str,
        fault: impl FnOnce(&Owned, &Self) -> Result<T, FaultError> + Send + 'static,
    ) -> Result<T, FaultError> {
        let nats = self.clone();
        on_own_thread("isolated-nats fault", move || fault(nats.target(name)?, &nats)).await
    }

    fn signal(&self, name: &str, send: fn(u32) -> io::Result<()>) -> Result<(), FaultError> {
        let owned = self.target(name)?;
        let mut state = lock(&owned.state);
        let process = running(&mut state)?;
        send(process.id()).map_err(|error| signal_failed(name, error))
    }
}

fn signal_failed(fault: &str, error: io::Error) -> FaultError {
    if error.kind() == io::ErrorKind::Unsupported {
        let what = format!(
            "`{fault}` works by a signal, which this system has not (`kill` and `restart` work everywhere)"
        );
        return FaultError::new(FaultErrorKind::Unsupported, what);
    }
    FaultError::system(&format!("`{fault}` could not signal the server"), error)
}

/// The process, if it runs; one that has ended by itself is found out here.
pub(super) fn running(state: &mut State) -> Result<&mut Process, FaultError> {
    if let State::Running(process) = state
        && let Some(status) = process.ended()
    {
        *state = State::Down(ended_by_itself(&status));
    }
    match state {
        State::Running(process) => Ok(process),
        State::Down(how) => {
            let what = format!("the server does not run: it was {how} (`restart` brings it back)");
            Err(FaultError::new(FaultErrorKind::Stopped, what))
        }
        State::Finished => Err(finished()),
    }
}

fn finished() -> FaultError {
    FaultError::new(
        FaultErrorKind::Stopped,
        "the server was ended for good by `shutdown` (start another one)",
    )
}

/// Takes the process out of a running state, which the caller then replaces.
fn take_running(state: &mut State) -> Result<Process, FaultError> {
    running(state)?;
    match std::mem::replace(state, State::Down("being ended".into())) {
        State::Running(process) => Ok(process),
        State::Down(_) | State::Finished => unreachable!("it was running just now"),
    }
}

impl Owned {
    fn stop_limit(&self) -> Duration {
        lock(&self.plan).stop_limit
    }

    fn fault_limit(&self) -> Duration {
        lock(&self.plan).fault_limit
    }

    fn finish(&self, nats: &ExternalNats, after: fn() -> State) -> Result<ExitStatus, FaultError> {
        let mut state = lock(&self.state);
        let process = take_running(&mut state)?;
        *state = after();
        end(process, nats.port(), self.stop_limit())
    }

    fn restart(&self, nats: &ExternalNats) -> Result<(), FaultError> {
        let mut state = lock(&self.state);
        if matches!(*state, State::Finished) {
            return Err(finished());
        }
        if let Ok(process) = take_running(&mut state) {
            end(process, nats.port(), self.stop_limit())?;
        }
        match self.launch_on(nats.port()) {
            Ok(ready) => {
                *state = self.lives_again(ready);
                Ok(())
            }
            Err(error) => {
                *state = State::Down("stopped, and did not come up again".into());
                Err(not_restarted(nats.port(), error))
            }
        }
    }

    /// Launches, again and again while the port is taken.
    fn launch_on(&self, port: u16) -> Result<Ready, StartError> {
        let mut plan = lock(&self.plan);
        let mut last = None;
        let launched = until(&Deadline::after(plan.fault_limit), || {
            match plan.launch(&self.directory, Some(port), &AtomicBool::new(false)) {
                Err(error) if error.kind() == StartErrorKind::PortTaken => {
                    last = Some(error);
                    None
                }
                result => Some(result),
            }
        });
        launched.or_else(|| last.map(Err)).expect("it was tried at least once")
    }

    fn lame_duck(&self, nats: &ExternalNats) -> Result<(), FaultError> {
        let mut state = lock(&self.state);
        let process = running(&mut state)?;
        signal::lame_duck(process.id()).map_err(|error| signal_failed("lame_duck", error))?;
        let address = ready::local(nats.port());
        let deadline = Deadline::after(self.fault_limit());
        until(&deadline, || {
            let closed =
                TcpStream::connect_timeout(&address, deadline.remaining().max(Duration::from_millis(1)))
                    .is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused);
            (closed || process.ended().is_some()).then_some(())
        })
        .ok_or_else(|| timed_out("the server still accepts clients", &deadline))
    }

    fn reload(&self, nats: &ExternalNats, text: String) -> Result<(), FaultError> {
        let mut state = lock(&self.state);
        let process = running(&mut state)?;
        let mut plan = lock(&self.plan);
        let mut settings = plan.settings.clone();
        settings.text = text;
        let path = self.directory.config();
        let before =
            fs::read(&path).map_err(|error| FaultError::system("the configuration cannot be read", error))?;
        let write = |text: &[u8]| {
            fs::write(&path, text)
                .map_err(|error| FaultError::system("the configuration cannot be written", error))
        };
        write(config::render(&settings).as_bytes())?;
        let outcome = reload_process(nats, process, plan.fault_limit);
        match outcome {
            Ok(()) => plan.settings = settings,
            Err(_) => write(&before)?, // for the next restart
        }
        outcome
    }
}

/// The server says in its log that it refuses; that it has reloaded shows at its monitoring port.
fn reload_process(nats: &ExternalNats, process: &Process, limit: Duration) -> Result<(), FaultError> {
    const REFUSAL: &str = "Failed to reload server configuration";
    let deadline = Deadline::after(limit);
    let loaded = || nats.monitor().config_load_time(deadline.remaining());
    let log_from = fs::metadata(nats.log_path()).map_or(0, |log| log.len());
    let before =
        until(&deadline, loaded).ok_or_else(|| timed_out("the server does not answer", &deadline))?;
    signal::reload(process.id()).map_err(|error| signal_failed("reload", error))?;
    until(&deadline, || {
        let log = evidence::tail_from(nats.log_path(), log_from, usize::MAX);
        if let Some(refusal) = log.lines().find_map(|line| line.split_once(REFUSAL)) {
            let words = refusal.1.trim_start_matches(": ");
            let what = format!("the server keeps its old configuration: {words}");
            return Some(Err(FaultError::new(FaultErrorKind::Refused, what)));
        }
        loaded().is_some_and(|now| now != before).then_some(Ok(()))
    })
    .unwrap_or_else(|| Err(timed_out("the server has not answered the reload", &deadline)))
}

fn timed_out(what: &str, deadline: &Deadline) -> FaultError {
    let what =
        format!("{what} after {:.1?} (a slow machine: set ISOLATED_NATS_TIME_FACTOR)", deadline.elapsed());
    FaultError::new(FaultErrorKind::Timeout, what)
}

fn not_restarted(port: u16, error: StartError) -> FaultError {
    if error.kind() == StartErrorKind::PortTaken {
        let what = format!(
            "port {port} was taken by another process while the server was down (start a new server, or free it)"
        );
        return FaultError::new(FaultErrorKind::PortTaken, what).cause(error);
    }
    FaultError::new(FaultErrorKind::Start, "the server did not come up again").cause(error)
}

/// Ends a process in an orderly way, or by force when it takes too long.
fn end(process: Process, port: u16, limit: Duration) -> Result<ExitStatus, FaultError> {
    let _reserved = Reservation::of(port);
    let force = |process: Process| {
        process.kill().map_err(|error| FaultError::system("the server could not be ended", error))
    };
    match signal::finish(process.id()) {
        Err(error) if error.kind() == io::ErrorKind::Unsupported => return force(process),
        Err(error) => tracing::debug!(%error, "the server ended before it was asked to"),
        Ok(()) => {}
    }
    process.wait(&Deadline::after(limit)).or_else(force)
}

/// Keeps a port from being given to others while its server is down: a connection that the server's side closed first
/// stays in `TIME_WAIT` on the server's port, which Linux gives to nobody who asks for any port.
struct Reservation(Option<TcpStream>);

impl Reservation {
    /// Longest wait for a server to accept; a paused one does not, and is not waited for again.
    const LIMIT: Duration = Duration::from_millis(100);

    fn of(port: u16) -> Self {
        let stream = TcpStream::connect_timeout(&ready::local(port), Self::LIMIT).ok();
        Self(stream.filter(|stream| {
            // The greeting has come: the connection is the server's, and no longer only the kernel's.
            stream.set_read_timeout(Some(Self::LIMIT)).is_ok() && { stream }
                .read(&mut [0])
                .is_ok_and(|count| count == 1)
        }))
    }
}

impl Drop for Reservation {
    /// Reads what is left, up to the end: to close with data unread would reset the connection, and keep nothing.
    fn drop(&mut self) {
        if let Some(stream) = &mut self.0 {
            let _ = io::copy(stream, &mut io::sink()); // at worst the port is not kept, and a restart tries for a while
        }
    }
}
