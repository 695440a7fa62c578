//! The state of a server of one's own, and its end.

use std::path::Path;
use std::process::ExitStatus;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::directory::ServerDirectory;
use super::launch::{Process, Ready};
use super::ready::Ports;
use super::start::Plan;
use super::{Caller, Credentials, ExternalNats, Files, Inner, Source, lock};
use crate::evidence::{self, Keep, ServerEvidence, TAIL_LINES};

/// A server process that is ours.
#[derive(Debug)]
pub(super) struct Owned {
    pub(super) plan: Mutex<Plan>,
    pub(super) state: Mutex<State>,
    pub(super) directory: ServerDirectory,
    jetstream: bool,
    /// What the process now running has said of itself; of the last one while none runs.
    life: Mutex<Life>,
    pid: AtomicU32,
    failed: AtomicBool,
    /// Whether somebody who sees the test's result, the attribute, says whether it failed.
    judged: AtomicBool,
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
            directory,
            life: Mutex::new(Life { ports, command_line }),
            failed: AtomicBool::new(false),
            judged: AtomicBool::new(false),
        };
        Self::new(Source::Owned(Box::new(owned)), url, port, greeting, caller, files, credentials)
    }

    /// Takes over the verdict on the test: from now on a panic seen by a handle means nothing.
    pub(crate) fn judge(&self) {
        if let Some(owned) = self.inner.owned() {
            owned.judged.store(true, Ordering::Relaxed);
        }
    }

    /// Prints the evidence of a failed test, and keeps the directory.
    pub(crate) fn test_failed(&self, what: &str) {
        if let Some(owned) = self.inner.owned() {
            owned.report(&self.inner, what);
        }
    }
}

impl Owned {
    pub(super) fn pid(&self) -> u32 {
        self.pid.load(Ordering::Relaxed)
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
        *lock(&self.life) = Life { ports, command_line };
        State::Running(process)
    }

    /// A handle was dropped by a panic of the thread that started the server.
    pub(super) fn panicked(&self, inner: &Inner) {
        if !self.judged.load(Ordering::Relaxed) {
            self.report(inner, &format!("`{}` panicked", inner.caller.name));
        }
    }

    /// Keeps the evidence and says where it is, once.
    fn report(&self, inner: &Inner, what: &str) {
        if self.failed.swap(true, Ordering::Relaxed) {
            return;
        }
        let kept = Keep::from_env().applies(true);
        if kept {
            self.directory.keep();
        }
        let title = format!(
            "{what}; its nats-server {} was {} (pid {}{})",
            inner.version,
            inner.url,
            self.pid(),
            self.end_of_its_own().map(|status| format!(", {status}")).unwrap_or_default(),
        );
        evidence::print(&evidence::render(&ServerEvidence {
            title: &title,
            directory: kept.then_some(&inner.files.directory),
            reopen: &self.command_line(),
            log_tail: &evidence::tail(&inner.files.log, TAIL_LINES),
        }));
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
        let Source::Owned(owned) = &mut self.source else { return };
        let state = owned.state.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        drop(std::mem::replace(state, State::Finished)); // ends and reaps the process
        let failed = owned.failed.load(Ordering::Relaxed);
        if Keep::from_env().applies(failed) {
            owned.directory.keep();
            if !failed {
                say_kept(&self.files.directory);
            }
        } else {
            owned.directory.remove();
        }
        tracing::debug!(server = self.server_name, "nats-server has ended");
    }
}

/// `ISOLATED_NATS_KEEP=always` of a test that passed.
fn say_kept(directory: &Path) {
    evidence::print(&format!("isolated-nats: kept `{}` (ISOLATED_NATS_KEEP=always)\n", directory.display()));
}
