//! The state of a server of one's own, and its end.

use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::directory::ServerDirectory;
use super::launch::{Process, Ready};
use super::ours::{Mark, Thing};
use super::ready::Ports;
use super::start::Plan;
use super::verdict::Ended;
use super::{Caller, Credentials, ExternalNats, Files, Inner, Source, lock};
use crate::evidence;

/// A server process that is ours.
#[derive(Debug)]
pub(super) struct Owned {
    pub(super) plan: Mutex<Plan>,
    pub(super) state: Mutex<State>,
    pub(super) directory: Arc<ServerDirectory>,
    jetstream: bool,
    /// What the process now running has said of itself; of the last one while none runs.
    life: Mutex<Life>,
    pid: AtomicU32,
    /// The same after a restart.
    _port: Mark,
    restarted: AtomicBool,
    /// Whether a failed test has been reported with this server's evidence.
    reported: AtomicBool,
}

#[derive(Debug)]
struct Life {
    ports: Ports,
    command_line: String,
}

/// What a server process is doing.
///
/// ```text
///            kill, stop, its own end            restart
///  Running ───────────────────────────▶ Down ───────────▶ Running
///     └──────────────── shutdown ────────┴──▶ Finished (for good)
/// ```
#[derive(Debug)]
pub(super) enum State {
    Running(Process),
    /// With how it ended, for the text of an error.
    Down(String),
    Finished,
}

impl ExternalNats {
    pub(super) fn owned(plan: Plan, directory: ServerDirectory, ready: Ready, caller: Caller) -> Self {
        let Ready { process, ports, greeting, command_line } = ready;
        let files =
            Files { directory: directory.path().to_owned(), store: directory.store(), log: directory.log() };
        let credentials =
            Credentials { user: plan.settings.user.clone(), token: plan.settings.token.clone() };
        let (url, port) = (format!("{}://127.0.0.1:{}", ports.scheme, ports.client), ports.client);
        tracing::debug!(pid = process.id(), %url, server = greeting.server_name, "nats-server is ready");
        let owned = Owned {
            jetstream: plan.launch.jetstream,
            plan: Mutex::new(plan),
            pid: AtomicU32::new(process.id()),
            state: Mutex::new(State::Running(process)),
            directory: Arc::new(directory),
            life: Mutex::new(Life { ports, command_line }),
            _port: Mark::new(Thing::Port(port)),
            restarted: AtomicBool::new(false),
            reported: AtomicBool::new(false),
        };
        Self::new(Source::Owned(Box::new(owned)), url, port, greeting, caller, files, credentials)
    }

    /// Prints the evidence of a failed test, and keeps the directory.
    pub(crate) fn test_failed(&self, what: &str) {
        match self.inner.owned() {
            Some(owned) => owned.report(&self.inner, what),
            None => evidence::print(&format!(
                "isolated-nats: {what}; it ran against {} of ISOLATED_NATS_URL\n",
                self.url()
            )),
        }
    }
}

impl Owned {
    pub(super) fn pid(&self) -> u32 {
        self.pid.load(Ordering::Relaxed)
    }

    /// Whether the process is not the first: clients of an earlier one may come back at any time.
    pub(super) fn was_restarted(&self) -> bool {
        self.restarted.load(Ordering::Relaxed)
    }

    pub(super) fn ports(&self) -> Ports {
        lock(&self.life).ports.clone()
    }

    pub(super) fn command_line(&self) -> String {
        lock(&self.life).command_line.clone()
    }

    pub(super) fn asked_for_jetstream(&self) -> bool {
        self.jetstream
    }

    /// Takes on a new process after a restart.
    pub(super) fn lives_again(&self, ready: Ready) -> State {
        let Ready { process, ports, command_line, .. } = ready;
        tracing::debug!(pid = process.id(), port = ports.client, "nats-server is back");
        self.pid.store(process.id(), Ordering::Relaxed);
        self.restarted.store(true, Ordering::Relaxed);
        *lock(&self.life) = Life { ports, command_line };
        State::Running(process)
    }

    /// A handle was dropped by a panic of the thread that started the server, in a test by hand.
    pub(super) fn panicked(&self, inner: &Inner) {
        self.report(inner, &format!("`{}` panicked", inner.caller.name));
    }

    /// Keeps the evidence and says where it is, once.
    fn report(&self, inner: &Inner, what: &str) {
        if !self.reported.swap(true, Ordering::Relaxed) {
            let end = self.end_of_its_own();
            self.ended(inner, end, false).settle(Some(what));
        }
    }

    /// What a verdict is to know of this server.
    fn ended(&self, inner: &Inner, end: Option<String>, reported: bool) -> Ended {
        let (version, url, pid) = (&inner.version, &inner.url, self.pid());
        let end = end.map(|end| format!(", {end}")).unwrap_or_default();
        Ended {
            directory: Arc::clone(&self.directory),
            title: format!("nats-server {version} was {url} (pid {pid}{end})"),
            reopen: self.command_line(),
            reported,
        }
    }

    /// How the process ended, if it did and nobody here ended it: often the very cause of a failed test.
    fn end_of_its_own(&self) -> Option<String> {
        // Whoever holds the lock is ending or starting it on purpose.
        match &mut *self.state.try_lock().ok()? {
            State::Running(process) => process.ended().map(|status| ended_by_itself(&status)),
            State::Down(how) => Some(how.clone()),
            State::Finished => None,
        }
    }
}

pub(super) fn ended_by_itself(status: &ExitStatus) -> String {
    format!("ended by itself with {status}")
}

/// The last handle has gone.
impl Drop for Inner {
    fn drop(&mut self) {
        let Some(owned) = self.owned() else { return };
        owned.await_farewells_in_drop();
        let state = std::mem::replace(
            &mut *owned.state.lock().unwrap_or_else(PoisonError::into_inner),
            State::Finished,
        );
        drop(state); // ends and reaps the process
        let ended = owned.ended(self, None, owned.reported.load(Ordering::Relaxed));
        match &self.caller.verdict {
            Some(verdict) => verdict.await_for(ended),
            None => ended.settle(None),
        }
        tracing::debug!(server = self.server_name, "nats-server has ended");
    }
}
