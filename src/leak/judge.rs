//! The verdict of a guard: everything is looked at again and again, each within its own limit, until it is at rest.

use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use super::builder::Settings;
use super::finding::{Findings, Leak, LeakKind, NotChecked};
use super::group;
use super::guard::LeakGuard;
use super::process::ProcessBaseline;
use super::report::LeakReport;
use super::server::{ServerBaseline, ServerState};
use super::tasks::{Allowed, Rest, TaskBaseline};
use super::waits::Waits;
use crate::memory;
use crate::poll::Deadline;

const TASK_LIMIT: Duration = Duration::from_secs(2);
/// As long as the end of a whole test's runtime may take.
const BLOCKING_LIMIT: Duration = Duration::from_secs(5);
const PROCESS_LIMIT: Duration = Duration::from_millis(500);
const SERVER_LIMIT: Duration = Duration::from_secs(5);
/// How long the runtime's tasks may take to end before the server is asked all the same.
const HEAD_START: Duration = Duration::from_millis(20);
/// How long what nobody is left to remove may stay: a request to delete it may still be under way on a busy machine.
const LASTING_LIMIT: Duration = Duration::from_millis(500);
/// How long the server is left alone between two questions, at first and at most.
const FIRST_REST: Duration = Duration::from_micros(500);
const LAST_REST: Duration = Duration::from_millis(100);

/// What is looked at, and how far that is.
pub(super) struct Judge<'a> {
    guard: &'a LeakGuard,
    background: Vec<AbortHandle>,
    started: Instant,
    tasks: Option<(&'a TaskBaseline, Deadline)>,
    blocking: Deadline,
    process: Option<(&'a ProcessBaseline, Deadline)>,
    server: Option<Asking<'a>>,
}

impl<'a> Judge<'a> {
    pub(super) fn of(guard: &'a LeakGuard) -> Self {
        let within = |limit| Deadline::after(guard.settings.limit.unwrap_or(limit));
        let process = guard.process.as_ref().and_then(|process| process.as_ref().ok());
        let server = guard.server.as_ref().and_then(|server| server.as_ref().ok());
        Self {
            guard,
            background: guard.lock_background().clone(),
            started: Instant::now(),
            tasks: guard.tasks.as_ref().ok().map(|tasks| (tasks, within(TASK_LIMIT))),
            blocking: within(BLOCKING_LIMIT),
            process: process.map(|process| (process, within(PROCESS_LIMIT))),
            server: server.map(|server| Asking::new(server, within(SERVER_LIMIT))),
        }
    }

    /// Looks once, and says whether there is nothing more to wait for.
    pub(super) fn is_over(&mut self) -> bool {
        let _ours = memory::ours();
        let settings = &self.guard.settings;
        let allowed = allowed(settings, &self.background);
        let tasks =
            self.tasks.as_ref().is_none_or(|(tasks, deadline)| match tasks.rest(&allowed, self.started) {
                Rest::Nothing => true,
                Rest::Blocking => self.blocking.is_over(),
                Rest::Tasks => deadline.is_over(),
            });
        // The server learns that a client has gone when its tasks have ended; asked before, it would be asked twice.
        let may_ask = tasks || self.started.elapsed() >= HEAD_START;
        let server = self.server.as_mut().is_none_or(|server| may_ask && server.is_over(settings, tasks));
        let process = self
            .process
            .as_ref()
            .is_none_or(|(process, deadline)| deadline.is_over() || process.is_clean(&settings.ignores));
        tasks && server && process
    }

    /// The runtime to be asked where its tasks wait, if some are left.
    pub(super) fn runtime(&self) -> Option<Handle> {
        let (tasks, _) = self.tasks.as_ref()?;
        tasks.runtime(&allowed(&self.guard.settings, &self.background))
    }

    /// What there is now.
    pub(super) fn report(self, waits: &Waits) -> LeakReport {
        let _ours = memory::ours();
        let LeakGuard { test, settings, tasks, process, server, .. } = self.guard;
        let mut findings = match tasks {
            Ok(tasks) => tasks.findings(&allowed(settings, &self.background), waits),
            Err(why) => why.clone().into(),
        };
        match process {
            Some(Ok(process)) => findings.leaks.extend(process.leaks(&settings.ignores)),
            Some(Err(why)) => findings.not_checked.push(why.clone()),
            None => {}
        }
        let on_server = match (server, self.server) {
            (Some(Err(why)), _) => Some(Err(why.clone())),
            (_, Some(asking)) => Some(asking.findings(settings)),
            (_, None) => None,
        };
        tell_of_clients(&mut findings, on_server.as_ref());
        match on_server {
            Some(Ok(on_server)) => findings.add(on_server),
            Some(Err(why)) => findings.not_checked.push(why),
            None => {}
        }
        LeakReport::new(test, findings, settings)
    }
}

fn allowed<'a>(settings: &'a Settings, background: &'a [AbortHandle]) -> Allowed<'a> {
    let Settings { allow_tasks, ignores, strict, .. } = settings;
    Allowed { tasks: *allow_tasks, ignores, background, strict: *strict }
}

/// Replaces what may be the reason for a client's tasks by what is, where the server can tell.
fn tell_of_clients(findings: &mut Findings, on_server: Option<&Result<Findings, NotChecked>>) {
    let reason = match on_server {
        None => return,
        Some(Ok(found)) if found.leaks.iter().any(|leak| leak.kind == LeakKind::Connection) => {
            "an async-nats client, or something made from it (a subscription, a context, a store), is still held: drop it \
             before the verdict"
        }
        Some(Ok(_)) => {
            "an async-nats client has no connection: it is held, or was dropped, while reconnecting, and tries for ever (drop it \
             before its server ends, or set `max_reconnects`)"
        }
        Some(Err(_)) => {
            "an async-nats client was held, or dropped, while reconnecting to a server that is no more, and tries for ever (drop it \
             before its server ends, or set `max_reconnects`)"
        }
    };
    for leak in &mut findings.leaks {
        leak.hints
            .iter_mut()
            .filter(|hint| *hint == group::CLIENT)
            .for_each(|hint| *hint = reason.to_owned());
    }
}

/// The server is asked on other threads, since the runtime's tasks have to have their turns meanwhile.
struct Asking<'a> {
    baseline: &'a ServerBaseline,
    deadline: Deadline,
    answer: Option<Receiver<Result<ServerState, NotChecked>>>,
    last: Option<Result<ServerState, NotChecked>>,
    rest: Duration,
    next: Instant,
    is_over: bool,
    /// Runs while there is nothing but what stays.
    lasting: Option<Deadline>,
}

impl<'a> Asking<'a> {
    fn new(baseline: &'a ServerBaseline, deadline: Deadline) -> Self {
        Self {
            baseline,
            deadline,
            answer: None,
            last: None,
            rest: FIRST_REST,
            next: Instant::now(),
            is_over: false,
            lasting: None,
        }
    }

    /// Asks, or takes an answer, and says whether there is nothing more to ask for.
    fn is_over(&mut self, settings: &Settings, tasks_have_ended: bool) -> bool {
        if self.is_over {
            return true;
        }
        if let Some(answer) = &self.answer {
            match answer.try_recv() {
                Err(TryRecvError::Empty) => return false, // each question has a limit of its own
                Err(TryRecvError::Disconnected) => self.last = Some(Err(NotChecked::unanswered())),
                Ok(answer) => self.last = Some(answer),
            }
            self.answer = None;
            self.next = Instant::now() + self.rest;
            self.rest = (self.rest * 2).min(LAST_REST);
            let leaks = match self.last.as_ref() {
                Some(Ok(state)) => self.baseline.judge(state, &settings.ignores, settings.strict).leaks,
                _ => Vec::new(),
            };
            // Nobody asks for a stream to be removed when no task is left to do so.
            let is_lasting =
                |leak: &Leak| matches!(leak.kind, LeakKind::Stream | LeakKind::Bucket | LeakKind::Consumer);
            let is_final = tasks_have_ended && leaks.iter().all(is_lasting);
            self.lasting = is_final.then(|| self.lasting.unwrap_or_else(|| Deadline::after(LASTING_LIMIT)));
            let has_lasted = self.lasting.is_some_and(|lasting| lasting.is_over());
            self.is_over = leaks.is_empty() || has_lasted || self.deadline.is_over();
            return self.is_over;
        }
        if Instant::now() >= self.next {
            self.ask();
        }
        false
    }

    fn ask(&mut self) {
        let (sender, answer) = mpsc::channel();
        let question = self.baseline.question();
        let ask = move || drop(sender.send(question.ask())); // nobody may be waiting any more
        let thread = std::thread::Builder::new().name("isolated-nats monitor".into()).spawn(ask);
        drop(thread); // one that cannot be started has dropped the sender
        self.answer = Some(answer);
    }

    fn findings(self, settings: &Settings) -> Result<Findings, NotChecked> {
        // Where a guard is dropped, nothing may have been asked yet.
        let last = self.last.unwrap_or_else(|| self.baseline.question().ask());
        last.map(|state| self.baseline.judge(&state, &settings.ignores, settings.strict))
    }
}
