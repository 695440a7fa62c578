//! `ExternalNats`: a real nats-server in a process of its own.
//!
//! | module | what it decides or does |
//! | --- | --- |
//! | `builder` | what a test may ask for |
//! | `config` | the configuration's text (pure) |
//! | `directory` | the private directory, its owner's lock, the sweep of the dead |
//! | `lifeline` | what ends the server with this process |
//! | `launch`, `ready` | one process, from spawn to ready |
//! | `start`, `attach`, `shared` | a handle from options: a server of one's own, one that runs already, one for all |
//! | `owned`, `verdict` | the state of a server of one's own, its end, and what is left for evidence |
//! | `ours` | which children, descriptors and ports of the test's process are this crate's own |
//! | `farewell` | lets dropped clients leave before the server is ended, for a check for leaks |
//! | `faults` | kill, stop, restart, pause, resume, lame duck, reload |
//! | `monitor` | the monitoring port, typed |
//! | `views` | the same for a check for leaks, without keeping the server |

mod attach;
mod builder;
mod config;
mod directory;
mod error;
mod farewell;
mod faults;
mod launch;
mod lifeline;
mod monitor;
mod ours;
mod owned;
mod ready;
mod shared;
mod signal;
mod start;
mod verdict;
mod views;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;

pub use builder::ExternalNatsBuilder;
pub(crate) use error::write_chain;
pub use error::{FaultError, FaultErrorKind, Stage, StartError, StartErrorKind};
pub(crate) use launch::Process;
pub use monitor::{
    Connection, Connz, Healthz, Jsz, JszConfig, Monitor, MonitorError, MonitorErrorKind, Subsz, Varz,
};
pub(crate) use ours::{Mark, Thing, Watched};

use crate::evidence;
use crate::process::ProcessProbe;
use owned::Owned;
use ready::Greeting;
pub(crate) use verdict::Scope;
use verdict::Verdict;
pub(crate) use views::{
    ConnectionView, ConnectionsView, JetStreamView, Silent, StreamView, SubscriptionView, Views, WeakNats,
};

/// A running nats-server. Cheap to clone; the process ends with the last handle.
///
/// It listens on `127.0.0.1` only, on a port that it picked itself, with a private directory for its configuration, its
/// store and its log. Ends, and what each covers:
///
/// - the last handle is dropped: the server is killed and its directory removed; `Drop` blocks for that, a millisecond or two;
///   on a multi-thread runtime, while a [`LeakGuard`](crate::LeakGuard) is alive, it first lets clients that were just dropped
///   leave, and a client that is held then costs 100 ms;
/// - [`shutdown`](Self::shutdown): the same, orderly, with the exit status;
/// - the process ends with a handle alive, as in a `static`, by a panic, an abort, SIGKILL or a runner's timeout: the
///   system ends the server, and the next start of any test of this user removes its directory.
///
/// When a panic unwinds the thread that started the server through a handle of it, the test is taken for failed: the
/// directory is kept, and its path, a command that starts a server on it again, and the end of the log are printed.
///
/// # Examples
///
/// ```no_run
/// // `no_run`: a documentation test would fetch a server.
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let nats = isolated_nats::ExternalNats::start().await?;
/// let client = nats.client().await?;
/// client.publish("greetings", "hello".into()).await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[must_use = "the server ends when its last handle is dropped; bind it to a name"]
pub struct ExternalNats {
    inner: Arc<Inner>,
}

/// Who started a server: for its name, and to tell the test's own panic from others.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    name: String,
    thread: ThreadId,
    /// That of a test with the attribute, for servers started on its thread.
    verdict: Option<Arc<Verdict>>,
}

impl Caller {
    fn current() -> Self {
        let thread = std::thread::current();
        Self {
            name: thread.name().unwrap_or("test").to_owned(),
            thread: thread.id(),
            verdict: Verdict::current(),
        }
    }
}

#[derive(Debug)]
struct Inner {
    url: String,
    port: u16,
    server_name: String,
    version: String,
    caller: Caller,
    credentials: Credentials,
    files: Files,
    /// Whether it is that of [`ExternalNats::shared`].
    shared: AtomicBool,
    source: Source,
}

/// Where the server's files are; for an attached server paths at which nothing is.
#[derive(Debug)]
struct Files {
    directory: PathBuf,
    store: PathBuf,
    log: PathBuf,
}

#[derive(Debug)]
enum Source {
    Owned(Box<Owned>),
    Attached(attach::Attached),
}

#[derive(Clone, Default)]
struct Credentials {
    user: Option<(String, String)>,
    token: Option<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.user.as_ref().map(|(user, _)| user);
        f.debug_struct("Credentials").field("user", &user).field("token", &self.token.is_some()).finish()
    }
}

impl ExternalNats {
    /// Starts a server with the defaults and returns once it is ready: [`builder`](Self::builder) and
    /// [`start`](ExternalNatsBuilder::start) in one.
    ///
    /// # Errors
    ///
    /// The same as of [`ExternalNatsBuilder::start`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends a server that has been spawned by then and removes its directory.
    pub async fn start() -> Result<Self, StartError> {
        Self::builder().start().await
    }

    /// Starts a server with the defaults on the calling thread: for tests without a runtime.
    ///
    /// # Errors
    ///
    /// The same as of [`ExternalNatsBuilder::start`].
    pub fn start_blocking() -> Result<Self, StartError> {
        Self::builder().start_blocking()
    }

    /// Returns a builder, to ask for JetStream, a version, a configuration and more.
    pub fn builder() -> ExternalNatsBuilder {
        ExternalNatsBuilder::default()
    }

    /// Returns the one server of this process, with JetStream on; it is started for the first caller and ends when nobody
    /// holds it.
    ///
    /// Tests that share a server share its subjects and streams: let each use names of its own. A runner with a process
    /// for each test, such as nextest, makes this a server for each test.
    ///
    /// # Errors
    ///
    /// The same as of [`ExternalNatsBuilder::start`]; the next call tries again.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends a server that only this call waited for.
    pub async fn shared() -> Result<Self, StartError> {
        shared::shared().await
    }

    /// Removes every `nats-server` that this crate has fetched or built for this user.
    ///
    /// # Errors
    ///
    /// The error of the file system when something cannot be removed, such as a program that is running on Windows.
    pub fn clean_cache() -> std::io::Result<()> {
        isolated_nats_server_binary::clean_cache()
    }

    fn new(
        source: Source,
        url: String,
        port: u16,
        greeting: Greeting,
        caller: Caller,
        files: Files,
        credentials: Credentials,
    ) -> Self {
        let Greeting { server_name, version, .. } = greeting;
        Self {
            inner: Arc::new(Inner {
                url,
                port,
                server_name,
                version,
                caller,
                credentials,
                files,
                shared: AtomicBool::new(false),
                source,
            }),
        }
    }

    /// Returns the URL for clients, such as `nats://127.0.0.1:40117`, the same after a restart; of an attached list, that of
    /// the server which answered. It holds no password: use [`connect_options`](Self::connect_options) where the server asks
    /// for one.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.inner.url
    }

    /// Returns the port for clients, the same after a restart.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.inner.port
    }

    /// Returns the server's process id: another one after a restart, that of the last process while it is down, and 0 for
    /// an attached server, whose process is unknown.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.inner.owned().map_or(0, Owned::pid)
    }

    /// Returns the server's version, such as `2.14.5`: what its program says of itself, or an attached server's greeting.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.inner.version
    }

    /// Returns the server's name, which no other server has.
    #[must_use]
    pub fn server_name(&self) -> &str {
        &self.inner.server_name
    }

    /// Returns the server's private directory; for an attached server a path at which nothing is.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.inner.files.directory
    }

    /// Returns the directory of JetStream's data, below [`dir`](Self::dir); `None` for a server without JetStream and for
    /// an attached one.
    #[must_use]
    pub fn store_dir(&self) -> Option<&Path> {
        let store = &self.inner.files.store;
        // A configuration of the user's may have turned JetStream on; the server then makes this directory at once.
        (self.inner.owned()?.asked_for_jetstream() || store.join("jetstream").exists())
            .then_some(store.as_path())
    }

    /// Returns the path of the server's log, which holds all it wrote to its standard output and error since its first
    /// start; a configuration that sends the log elsewhere leaves it empty.
    #[must_use]
    pub fn log_path(&self) -> &Path {
        &self.inner.files.log
    }

    /// Returns the last lines of the log, oldest first; empty when there are none, and for an attached server.
    #[must_use]
    pub fn log_tail(&self, lines: usize) -> String {
        evidence::tail(self.log_path(), lines)
    }

    /// Returns the command line of the server's process, quoted for a shell; empty for an attached server.
    #[must_use]
    pub fn command_line(&self) -> String {
        self.inner.owned().map(Owned::command_line).unwrap_or_default()
    }

    /// Returns the URL of Go's profiler in the server, such as `http://127.0.0.1:40119`, for
    /// `go tool pprof <url>/debug/pprof/heap`; `None` without [`ExternalNatsBuilder::profiling`].
    #[must_use]
    pub fn profiling_url(&self) -> Option<String> {
        let port = self.inner.owned()?.ports().profile?;
        Some(format!("http://{}", ready::local(port)))
    }

    /// Returns options for a client that hold what this server asks for: the user and password, or the token.
    ///
    /// Add to them what the test needs, and connect to [`url`](Self::url).
    #[must_use]
    pub fn connect_options(&self) -> async_nats::ConnectOptions {
        let options = async_nats::ConnectOptions::new();
        let Credentials { user, token } = self.inner.credentials.clone();
        match (user, token) {
            (Some((user, password)), _) => options.user_and_password(user, password),
            (None, Some(token)) => options.token(token),
            (None, None) => options,
        }
    }

    /// Connects a new client; it does not keep the server alive.
    ///
    /// # Errors
    ///
    /// The client's own, as when the server has been stopped, or its configuration asks for what
    /// [`connect_options`](Self::connect_options) does not know, such as a certificate.
    pub async fn client(&self) -> Result<async_nats::Client, async_nats::ConnectError> {
        match &self.inner.source {
            Source::Owned(_) => self.connect_options().connect(self.url()).await,
            Source::Attached(attached) => self.connect_options().connect(&attached.addresses[..]).await,
        }
    }

    /// Connects a new client, and returns a JetStream context over it.
    ///
    /// # Errors
    ///
    /// The same as of [`client`](Self::client). Whether the server has JetStream shows with the first request.
    pub async fn jetstream(&self) -> Result<async_nats::jetstream::Context, async_nats::ConnectError> {
        Ok(async_nats::jetstream::new(self.client().await?))
    }

    /// Returns a client of the server's monitoring port.
    #[must_use]
    pub fn monitor(&self) -> Monitor {
        Monitor::new(self.clone())
    }

    /// Returns a probe of the server's own process: its memory, CPU time, threads and descriptors.
    ///
    /// For an attached server, whose process is unknown, its samples are errors.
    #[must_use]
    pub fn process(&self) -> ProcessProbe {
        ProcessProbe::new(self.pid())
    }
}

impl Inner {
    fn owned(&self) -> Option<&Owned> {
        match &self.source {
            Source::Owned(owned) => Some(owned),
            Source::Attached(_) => None,
        }
    }
}

impl fmt::Debug for ExternalNats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExternalNats")
            .field("url", &self.url())
            .field("pid", &self.pid())
            .field("server_name", &self.server_name())
            .field("version", &self.version())
            .field("dir", &self.dir())
            .finish_non_exhaustive()
    }
}

impl Drop for ExternalNats {
    fn drop(&mut self) {
        let caller = &self.inner.caller;
        let by_hand = caller.verdict.is_none(); // else the attribute sees the test's end, and a panic may be expected
        let own_panic = by_hand && std::thread::panicking() && std::thread::current().id() == caller.thread;
        if let (true, Some(owned)) = (own_panic, self.inner.owned()) {
            owned.panicked(&self.inner);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner) // a panic elsewhere must not keep a server from being ended
}
