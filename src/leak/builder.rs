//! What a guard may be asked for.

use std::future::Future;
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use tokio::runtime::Handle;

use super::finding::NotChecked;
use super::guard::LeakGuard;
use super::ignore::{Ignored, Ignores};
use super::process::ProcessBaseline;
use super::server::ServerBaseline;
use super::settle;
use super::tasks::TaskBaseline;
use crate::alone::{self, Told};
use crate::memory;
use crate::server::ExternalNats;

/// How many turns the runtime's tasks have before a guard's start, where there is time.
const TURNS: usize = 64;

/// What a guard is asked for.
#[derive(Debug, Default)]
pub(super) struct Settings {
    pub(super) allow_tasks: usize,
    pub(super) ignores: Ignores,
    pub(super) strict: bool,
    pub(super) limit: Option<Duration>,
}

/// Makes a [`LeakGuard`]; from [`LeakGuard::builder`].
///
/// An allowance that allowed nothing is reported, so that it does not stay for ever.
#[derive(Debug, Default)]
#[must_use = "nothing is watched until `start` or `run`"]
pub struct LeakGuardBuilder {
    settings: Settings,
    server: Option<ExternalNats>,
}

impl LeakGuardBuilder {
    /// Also looks at what is made on this server from the guard's start: connections, subscriptions, streams, key-value buckets,
    /// object stores, durable consumers. The guard does not keep the server alive.
    pub fn server(mut self, nats: &ExternalNats) -> Self {
        self.server = Some(nats.clone());
        self
    }

    /// So many tasks may be left. Default: 0.
    pub fn allow_tasks(mut self, count: usize) -> Self {
        self.settings.allow_tasks = count;
        self
    }

    /// Tasks may be left that were spawned by way of a function or file with this text in it, such as `my_crate::pool` or
    /// `src/pool.rs`, and may panic. Needs the [`TrackingAllocator`](crate::TrackingAllocator).
    pub fn ignore_spawned_in(self, part: &str) -> Self {
        self.ignore(Ignored::SpawnedIn, part)
    }

    /// Detached tasks may panic with such a message; `*` is any text.
    pub fn ignore_panics(self, pattern: &str) -> Self {
        self.ignore(Ignored::Panics, pattern)
    }

    /// Threads of such a name may be left; `*` is any text. Linux keeps 15 bytes of a name.
    pub fn ignore_threads(self, pattern: &str) -> Self {
        self.ignore(Ignored::Threads, pattern)
    }

    /// Descriptors of such a file or socket, as the report shows it without its number, may be left; `*` is any text.
    pub fn ignore_descriptors(self, pattern: &str) -> Self {
        self.ignore(Ignored::Descriptors, pattern)
    }

    /// Child processes with such a command line may be left; `*` is any text.
    pub fn ignore_children(self, pattern: &str) -> Self {
        self.ignore(Ignored::Children, pattern)
    }

    /// Subscriptions to subjects that match, with `*` and `>` as in NATS, may be left.
    pub fn ignore_subjects(self, pattern: &str) -> Self {
        self.ignore(Ignored::Subjects, pattern)
    }

    /// Connections, streams, buckets and consumers of such a name may be left; `*` is any text.
    pub fn ignore_names(self, pattern: &str) -> Self {
        self.ignore(Ignored::Names, pattern)
    }

    /// Fails also for what would otherwise be a note: ephemeral consumers, which the server removes by itself; subscriptions of
    /// which it is not known whether they are older than the guard (see [`start`](Self::start)); tasks on other runtimes; panics of
    /// tasks of which it is not known whether somebody looks at them; allowances of no use; and a server or a runtime that was to
    /// be checked and was not.
    pub fn strict(mut self) -> Self {
        self.settings.strict = true;
        self
    }

    /// How long what ends by itself may take, for tasks, threads, descriptors, child processes and the server alike, multiplied by
    /// [`time_factor`](crate::time_factor). Default: 2 s for tasks, 5 s for the server, 500 ms for the rest.
    pub fn settle_within(mut self, limit: Duration) -> Self {
        self.settings.limit = Some(limit);
        self
    }

    fn ignore(mut self, ignored: Ignored, pattern: &str) -> Self {
        self.settings.ignores.add(ignored, pattern);
        self
    }

    /// Starts the guard, in the runtime in which it is called; what there is now is never counted.
    ///
    /// With a server, it asks that at its monitoring port, on the calling thread, which takes a millisecond or so. async-nats
    /// sends a subscription later than it is made, so that one from shortly before may look new: a new subscription of an older
    /// connection is therefore a note. [`run`](Self::run), and a guard that is an argument of the test, wait for that at their start,
    /// and call it a leak.
    pub fn start(self) -> LeakGuard {
        let domain = memory::current_domain().owner();
        let _ours = memory::ours();
        let server = self.server.as_ref().map(ServerBaseline::take);
        let process = Some(ProcessBaseline::take());
        LeakGuard {
            test: thread_name(),
            settings: self.settings,
            process,
            server,
            tasks: TaskBaseline::take(domain), // last: what the others need is ours
            background: Mutex::default(),
            is_judged: false,
        }
    }

    /// The same where there is time to let the server know of everything that is older than the guard, so that what is newer can
    /// be told from it.
    pub(crate) async fn start_flushed(self) -> LeakGuard {
        for _ in 0..TURNS {
            tokio::task::yield_now().await; // a client's own task hands on what was asked of it
        }
        let mut guard = self.start();
        guard.let_begin().await;
        if let Some(Ok(server)) = guard.server.take_if(|server| server.is_ok()) {
            guard.server = Some(flushed(server).await);
        }
        guard
    }

    /// Starts a guard over the tasks of a runtime alone, in the name of a test.
    pub(super) fn start_on(self, test: &str, runtime: &Handle) -> LeakGuard {
        let domain = memory::current_domain().owner();
        let _ours = memory::ours();
        LeakGuard {
            test: test.to_owned(),
            settings: self.settings,
            process: None,
            server: None,
            tasks: Ok(TaskBaseline::of(runtime.clone(), domain)),
            background: Mutex::default(),
            is_judged: false,
        }
    }

    /// The same as [`run`](Self::run) in a process of the test's own, so that threads, descriptors and child processes are
    /// checked too.
    ///
    /// Where this process is not the test's own, the whole test is run again, from its beginning, in a child process, and this
    /// waits for that, blocking its thread; the body is not run here. To be called in the test's own async body.
    ///
    /// # Panics
    ///
    /// When something is left behind, when the body panics, and when the test fails in its own process, whose output is
    /// printed.
    pub async fn run_alone(self, body: impl Future<Output = ()>) {
        if alone::alone().is_some_and(alone::Alone::is_for_good) {
            let _told = Told::begin();
            return self.run(body).await;
        }
        if let Err(failure) = alone::run_again("main", None) {
            panic!("test `{}` {failure:?}", thread_name());
        }
    }
}

/// On a thread of ours, while the runtime's tasks have their turns, and a paused clock stands still.
async fn flushed(server: ServerBaseline) -> Result<ServerBaseline, NotChecked> {
    let (sender, answer) = mpsc::channel();
    let ask = move || drop(sender.send(server.flushed())); // nobody may be waiting any more
    let thread = {
        let _ours = memory::ours(); // the thread's, too
        std::thread::Builder::new().name("isolated-nats monitor".into()).spawn(ask)
    };
    drop(thread); // one that cannot be started has dropped the sender
    let mut flushed = None;
    let into = &mut flushed;
    // It owns the receiver, which no two threads may hold.
    let arrives = move || match answer.try_recv() {
        Ok(server) => {
            *into = Some(server);
            true
        }
        Err(error) => error == mpsc::TryRecvError::Disconnected,
    };
    settle::settle(arrives).await;
    flushed.ok_or_else(NotChecked::unanswered)
}

/// The test's, with libtest.
fn thread_name() -> String {
    std::thread::current().name().unwrap_or("main").to_owned()
}
