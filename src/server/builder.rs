//! What a test may ask of its server.

use std::path::PathBuf;
use std::time::Duration;

use super::config::{JetStreamLimits, LogLevel};
use super::error::{Stage, StartError, StartErrorKind};
use super::{ExternalNats, start};

/// How long a server may take to be ready, from its spawn: about a thousand times what `benches/` shows for an idle machine.
pub(crate) const START_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an orderly end may take before it is brought about.
pub(crate) const STOP_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a fault may take to show its effect.
pub(crate) const FAULT_TIMEOUT: Duration = Duration::from_secs(5);

/// Describes a server before it starts; made by [`ExternalNats::builder`].
///
/// Nothing happens until [`start`](Self::start) or [`start_blocking`](Self::start_blocking).
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until `start`"]
pub struct ExternalNatsBuilder {
    pub(crate) options: Options,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    pub(crate) jetstream: Option<JetStreamLimits>,
    pub(crate) name: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) binary: Option<PathBuf>,
    pub(crate) config_file: Option<PathBuf>,
    pub(crate) text: String,
    pub(crate) user: Option<(String, String)>,
    pub(crate) token: Option<String>,
    pub(crate) port: Option<u16>,
    pub(crate) max_payload_bytes: Option<u64>,
    pub(crate) max_connections: Option<u64>,
    pub(crate) max_subscriptions: Option<u64>,
    pub(crate) max_pending_bytes: Option<u64>,
    pub(crate) go_memory_limit_bytes: Option<u64>,
    pub(crate) profiling: bool,
    pub(crate) log: Option<LogLevel>,
    pub(crate) acquire_timeout: Option<Duration>,
    pub(crate) start_timeout: Option<Duration>,
    pub(crate) stop_timeout: Option<Duration>,
    pub(crate) fault_timeout: Option<Duration>,
    pub(crate) arguments: Vec<String>,
}

impl ExternalNatsBuilder {
    /// JetStream, with its store in the server's private directory. Default: off.
    ///
    /// It may keep 256 MiB in memory and 1 GiB in files, unless [`jetstream_limits`](Self::jetstream_limits) or the
    /// user's configuration says otherwise.
    pub fn jetstream(mut self) -> Self {
        self.options.jetstream.get_or_insert_default();
        self
    }

    /// JetStream with room for this many bytes in memory and in files. Default: 256 MiB and 1 GiB.
    pub fn jetstream_limits(mut self, memory_bytes: u64, file_bytes: u64) -> Self {
        self.options.jetstream = Some(JetStreamLimits { memory_bytes, file_bytes });
        self
    }

    /// A name that the server's own name and its directory begin with. Default: the name of the calling thread, which in
    /// a test is the test's.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.options.name = Some(name.into());
        self
    }

    /// The version of `nats-server`: exact (`2.14.5`), or the newest known of a line (`2.12`). Default: the one version
    /// this release is tested with, or `ISOLATED_NATS_VERSION`.
    pub fn version(mut self, requirement: impl Into<String>) -> Self {
        self.options.version = Some(requirement.into());
        self
    }

    /// The program to run, used as it is. Default: found as the README describes.
    pub fn binary(mut self, path: impl Into<PathBuf>) -> Self {
        self.options.binary = Some(path.into());
        self
    }

    /// A configuration file of yours, read by the server where it lies, so that its own `include`s work. Default: none.
    ///
    /// It is used as it stands but for the address and the ports of clients and monitoring, the store's directory, the
    /// server's name, its log and its pid file, which are this server's own, and for what is asked for by another method
    /// of this builder. Other listeners in it (cluster, leaf nodes, gateways, WebSocket, MQTT) are opened as it says: give
    /// them `127.0.0.1` and port `-1`. A path is relative to the working directory, which for a test is its package's; so
    /// are the paths in the file, such as a certificate's.
    pub fn config_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.options.config_file = Some(path.into());
        self
    }

    /// Configuration text, appended to ours and to that of [`config_file`](Self::config_file), and bound as that file is;
    /// called again, it adds more. Default: none.
    pub fn config(mut self, text: impl Into<String>) -> Self {
        if !self.options.text.is_empty() {
            self.options.text.push('\n');
        }
        self.options.text.push_str(&text.into());
        self
    }

    /// A user and password that clients must give; [`ExternalNats::connect_options`] carries them. Default: none.
    pub fn user(mut self, user: impl Into<String>, password: impl Into<String>) -> Self {
        self.options.user = Some((user.into(), password.into()));
        self
    }

    /// A token that clients must give; [`ExternalNats::connect_options`] carries it. Default: none.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.options.token = Some(token.into());
        self
    }

    /// A fixed client port. Default: one that the server picks, which no other process can have.
    ///
    /// Two tests that ask for the same port cannot run at the same time.
    pub fn port(mut self, port: u16) -> Self {
        self.options.port = Some(port);
        self
    }

    /// The largest message, in bytes. Default: the server's, 1 MiB.
    pub fn max_payload_bytes(mut self, bytes: u64) -> Self {
        self.options.max_payload_bytes = Some(bytes);
        self
    }

    /// The most client connections at a time. Default: the server's, 65 536.
    pub fn max_connections(mut self, connections: u64) -> Self {
        self.options.max_connections = Some(connections);
        self
    }

    /// The most subscriptions of one connection. Default: the server's, no limit.
    pub fn max_subscriptions(mut self, subscriptions: u64) -> Self {
        self.options.max_subscriptions = Some(subscriptions);
        self
    }

    /// The most bytes that wait for one slow client before the server drops it. Default: the server's, 64 MiB.
    pub fn max_pending_bytes(mut self, bytes: u64) -> Self {
        self.options.max_pending_bytes = Some(bytes);
        self
    }

    /// The server's soft limit of memory, in bytes, as `GOMEMLIMIT`. Default: the environment's.
    pub fn go_memory_limit_bytes(mut self, bytes: u64) -> Self {
        self.options.go_memory_limit_bytes = Some(bytes);
        self
    }

    /// A port for Go's profiler, picked by the server; see [`ExternalNats::profiling_url`]. Default: off.
    pub fn profiling(mut self) -> Self {
        self.options.profiling = true;
        self
    }

    /// The server's debug messages in its log. Default: off, or `ISOLATED_NATS_LOG=debug`.
    pub fn debug_log(mut self) -> Self {
        self.options.log = self.options.log.max(Some(LogLevel::Debug));
        self
    }

    /// Every protocol line in the server's log, and its debug messages. It slows the server. Default: off, or
    /// `ISOLATED_NATS_LOG=trace`.
    pub fn trace_log(mut self) -> Self {
        self.options.log = Some(LogLevel::Trace);
        self
    }

    /// How long finding, and if need be fetching, the program may take. Default: 120 s.
    ///
    /// The limit is multiplied by [`time_factor`](crate::time_factor), as are those of the next three methods.
    pub fn acquire_timeout(mut self, limit: Duration) -> Self {
        self.options.acquire_timeout = Some(limit);
        self
    }

    /// How long the server may take to be ready once its program has been found. Default: 10 s.
    pub fn start_timeout(mut self, limit: Duration) -> Self {
        self.options.start_timeout = Some(limit);
        self
    }

    /// How long an orderly end may take before the server is killed. Default: 10 s.
    pub fn stop_timeout(mut self, limit: Duration) -> Self {
        self.options.stop_timeout = Some(limit);
        self
    }

    /// How long a fault may take to show its effect: a reload to be in force, a lame duck to turn clients away, a restart
    /// to get its port back from another process. Default: 5 s.
    pub fn fault_timeout(mut self, limit: Duration) -> Self {
        self.options.fault_timeout = Some(limit);
        self
    }

    /// A further argument for the command line, after ours; called again, it adds another. Default: none.
    pub fn arg(mut self, argument: impl Into<String>) -> Self {
        self.options.arguments.push(argument.into());
        self
    }

    /// Starts the server, on a thread of ours, and returns once it is ready.
    ///
    /// It works in any async runtime. A `nats-server` that is not in the cache yet is fetched first, which has a limit of
    /// its own (120 s).
    ///
    /// # Errors
    ///
    /// [`StartError`]; its [`kind`](StartError::kind) says which of them and what to do.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends a server that has been spawned by then and removes its directory.
    pub async fn start(self) -> Result<ExternalNats, StartError> {
        start::start(self.options).await
    }

    /// Starts the server on the calling thread, and returns once it is ready: for tests without a runtime.
    ///
    /// # Errors
    ///
    /// The same as of [`start`](Self::start).
    pub fn start_blocking(self) -> Result<ExternalNats, StartError> {
        start::start_blocking(&self.options)
    }
}

impl Options {
    /// Refuses what could not work before anything is done.
    pub(crate) fn check(&self) -> Result<(), StartError> {
        let refuse = |what: &str| Err(StartError::new(StartErrorKind::Builder, Stage::Prepare, what));
        if self.user.is_some() && self.token.is_some() {
            return refuse(
                "both a user and a token are asked for, and a server takes one of them (drop `user` or `token`)",
            );
        }
        if self.port == Some(0) {
            return refuse("port 0 is no port (leave out `port`, and the server picks a free one)");
        }
        let limits = [self.acquire_timeout, self.start_timeout, self.stop_timeout, self.fault_timeout];
        if limits.contains(&Some(Duration::ZERO)) {
            return refuse("a timeout of zero leaves no time for anything (leave it out for the default)");
        }
        if self.has_nul() {
            return refuse(
                "a path, a password, an argument or the configuration holds a NUL character (take it out)",
            );
        }
        let secret = self.user.as_ref().map(|(_, password)| password).or(self.token.as_ref());
        if secret.is_some_and(|secret| secret.starts_with("$2")) {
            return refuse(
                "the server takes a password that begins with `$2` for a bcrypt hash (choose another)",
            );
        }
        Ok(())
    }

    fn has_nul(&self) -> bool {
        let texts = [self.token.as_ref(), Some(&self.text)].into_iter().flatten();
        let texts = texts
            .chain(self.user.iter().flat_map(|(user, password)| [user, password]))
            .chain(&self.arguments);
        let paths = [&self.binary, &self.config_file].into_iter().flatten();
        let paths = paths.map(|path| path.as_os_str().as_encoded_bytes());
        texts.map(String::as_bytes).chain(paths).any(|text| text.contains(&0))
    }

    /// The names of what is asked for that only a server of one's own can give.
    pub(crate) fn own_server_only(&self) -> Vec<&'static str> {
        let asked = [
            ("binary", self.binary.is_some()),
            ("config_file", self.config_file.is_some()),
            ("config", !self.text.is_empty()),
            ("user", self.user.is_some()),
            ("token", self.token.is_some()),
            ("port", self.port.is_some()),
            ("max_payload_bytes", self.max_payload_bytes.is_some()),
            ("max_connections", self.max_connections.is_some()),
            ("max_subscriptions", self.max_subscriptions.is_some()),
            ("max_pending_bytes", self.max_pending_bytes.is_some()),
            ("go_memory_limit_bytes", self.go_memory_limit_bytes.is_some()),
            ("jetstream_limits", self.jetstream.is_some_and(|limits| limits != JetStreamLimits::default())),
            ("debug_log` or `trace_log", self.log.is_some()),
            ("profiling", self.profiling),
            ("arg", !self.arguments.is_empty()),
        ];
        asked.into_iter().filter_map(|(name, asked)| asked.then_some(name)).collect()
    }
}
