//! The server's monitoring port, typed.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{ExternalNats, Source, ready, write_chain};
use crate::own_thread::on_own_thread;
use crate::poll::scaled;

/// How long the server may take to answer one question.
const LIMIT: Duration = Duration::from_secs(5);

/// Asks a server about itself, at its monitoring port; made by [`ExternalNats::monitor`].
///
/// Each call asks anew, over a connection of its own, on a thread of ours. It holds a handle of the server. Fields that a
/// server does not send (older versions send fewer) have their type's empty value; [`json`](Self::json) has all of them.
/// The endpoints are described at <https://docs.nats.io/running-a-nats-service/nats_admin/monitoring>.
#[derive(Clone, Debug)]
pub struct Monitor {
    nats: ExternalNats,
    limit: Duration,
}

/// General figures of the server: `/varz`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Varz {
    /// The server's id, new with each start.
    pub server_id: String,
    /// The server's name.
    pub server_name: String,
    /// The server's version.
    pub version: String,
    /// Most bytes of one message.
    pub max_payload: u64,
    /// Most client connections at a time.
    pub max_connections: u64,
    /// Client connections now.
    pub connections: u64,
    /// Client connections since the start.
    pub total_connections: u64,
    /// Subscriptions now, the server's own included.
    pub subscriptions: u64,
    /// Clients dropped for being slow, since the start.
    pub slow_consumers: u64,
    /// Messages received from clients, since the start.
    pub in_msgs: u64,
    /// Messages sent to clients, since the start.
    pub out_msgs: u64,
    /// Payload bytes received from clients, since the start.
    pub in_bytes: u64,
    /// Payload bytes sent to clients, since the start.
    pub out_bytes: u64,
    /// Bytes resident in memory when asked, as the server reads them itself.
    pub mem: u64,
    /// Share of one CPU used lately, in percent, as the server reads it itself.
    pub cpu: f64,
    /// CPUs the server may use.
    pub cores: u32,
    /// When the configuration was read, as RFC 3339 text; new with each reload.
    pub config_load_time: String,
}

/// Client connections: `/connz?subs=1`, up to 65 536 of them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Connz {
    /// Connections in [`connections`](Self::connections).
    pub num_connections: u64,
    /// Connections in all.
    pub total: u64,
    /// The open connections, oldest first.
    pub connections: Vec<Connection>,
}

/// One client connection.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Connection {
    /// The connection's number on this server, never used again.
    pub cid: u64,
    /// The name the client gave itself; empty when it gave none.
    pub name: String,
    /// The client's address.
    pub ip: String,
    /// The client's port.
    pub port: u16,
    /// The client library's language.
    pub lang: String,
    /// The client library's version.
    pub version: String,
    /// Bytes that wait to be sent to the client.
    pub pending_bytes: u64,
    /// Messages received from the client.
    pub in_msgs: u64,
    /// Messages sent to the client.
    pub out_msgs: u64,
    /// Payload bytes received from the client.
    pub in_bytes: u64,
    /// Payload bytes sent to the client.
    pub out_bytes: u64,
    /// The client's subscriptions.
    pub subscriptions: u64,
    /// Their subjects, in no order.
    pub subscriptions_list: Vec<String>,
}

/// The subscription table: `/subsz`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Subsz {
    /// Subscriptions now, the server's own included.
    pub num_subscriptions: u64,
    /// Subjects in the cache of matches.
    pub num_cache: u64,
    /// Subscriptions made since the start.
    pub num_inserts: u64,
    /// Subscriptions ended since the start.
    pub num_removes: u64,
    /// Subjects matched since the start.
    pub num_matches: u64,
}

/// JetStream: `/jsz`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Jsz {
    /// Whether JetStream is off.
    pub disabled: bool,
    /// What it was configured with.
    pub config: JszConfig,
    /// Bytes stored in memory.
    pub memory: u64,
    /// Bytes stored in files.
    pub storage: u64,
    /// Streams.
    pub streams: u64,
    /// Consumers.
    pub consumers: u64,
    /// Messages stored.
    pub messages: u64,
    /// Bytes stored.
    pub bytes: u64,
}

/// What JetStream was configured with.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct JszConfig {
    /// Most bytes in memory.
    pub max_memory: u64,
    /// Most bytes in files.
    pub max_storage: u64,
    /// The directory of its files.
    pub store_dir: String,
    /// Its domain; empty when it has none.
    pub domain: String,
}

/// The server's own judgement of its health: `/healthz`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Healthz {
    /// `ok`, or what else it says.
    pub status: String,
    /// What is wrong; empty when nothing is.
    pub error: String,
}

impl Healthz {
    /// Returns whether the server is healthy.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.status == "ok"
    }
}

impl Monitor {
    pub(super) fn new(nats: ExternalNats) -> Self {
        Self { nats, limit: LIMIT }
    }

    /// How long the server may take to answer one question, multiplied by [`time_factor`](crate::time_factor). Default:
    /// 5 s.
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Reads general figures.
    ///
    /// # Errors
    ///
    /// [`MonitorErrorKind::NoPort`] for an attached server without `ISOLATED_NATS_MONITOR_URL`;
    /// [`MonitorErrorKind::Unreachable`] when the server does not answer in time, as when it is stopped or paused;
    /// [`MonitorErrorKind::Unexpected`] when its answer is not what it should be.
    pub async fn varz(&self) -> Result<Varz, MonitorError> {
        self.ask("/varz").await
    }

    /// Reads the open client connections with their subjects.
    ///
    /// # Errors
    ///
    /// The same as of [`varz`](Self::varz).
    pub async fn connz(&self) -> Result<Connz, MonitorError> {
        self.ask("/connz?subs=1&limit=65536").await
    }

    /// Reads figures of the subscription table.
    ///
    /// # Errors
    ///
    /// The same as of [`varz`](Self::varz).
    pub async fn subsz(&self) -> Result<Subsz, MonitorError> {
        self.ask("/subsz").await
    }

    /// Reads figures of JetStream.
    ///
    /// # Errors
    ///
    /// The same as of [`varz`](Self::varz).
    pub async fn jsz(&self) -> Result<Jsz, MonitorError> {
        self.ask("/jsz?config=1").await
    }

    /// Reads the server's judgement of its health, JetStream and its streams included.
    ///
    /// # Errors
    ///
    /// The same as of [`varz`](Self::varz); a server that says that it is ill is no error.
    pub async fn healthz(&self) -> Result<Healthz, MonitorError> {
        self.ask("/healthz").await
    }

    /// Reads any endpoint of the monitoring port, such as `/routez` or `/jsz?streams=1`, as JSON.
    ///
    /// # Errors
    ///
    /// The same as of [`varz`](Self::varz).
    pub async fn json(&self, path: &str) -> Result<serde_json::Value, MonitorError> {
        self.ask(path).await
    }

    async fn ask<T: DeserializeOwned + Send + 'static>(&self, path: &str) -> Result<T, MonitorError> {
        let (url, limit) = (self.url(path)?, scaled(self.limit));
        // Without a handle: a question that nobody waits for any more must not keep the server.
        on_own_thread("isolated-nats monitor", move || ask(&url, limit)).await
    }

    fn url(&self, path: &str) -> Result<String, MonitorError> {
        Ok(format!("{}/{}", self.base()?, path.trim_start_matches('/')))
    }

    /// Where the port is now; another one after a restart.
    pub(super) fn base(&self) -> Result<String, MonitorError> {
        let url = match &self.nats.inner.source {
            Source::Owned(owned) => {
                owned.ports().monitor.map(|port| format!("http://{}", ready::local(port)))
            }
            Source::Attached(attached) => attached.monitor_url.clone(),
        };
        url.ok_or_else(|| MonitorError {
            kind: MonitorErrorKind::NoPort,
            url: self.nats.url().to_owned(),
            cause: None,
        })
    }

    /// The same as [`varz`](Self::varz), on the calling thread.
    pub(crate) fn varz_blocking(&self) -> Result<Varz, MonitorError> {
        ask(&self.url("/varz")?, scaled(self.limit))
    }

    /// What an endpoint that answers in plain text says, on the calling thread.
    pub(crate) fn text_blocking(&self, path: &str) -> Result<String, MonitorError> {
        text(&ready::http(scaled(self.limit)), &self.url(path)?)
    }

    /// When the configuration was read; `None` when the server does not say.
    pub(super) fn config_load_time(&self, limit: Duration) -> Option<String> {
        ask::<Varz>(&self.url("/varz").ok()?, limit).ok().map(|varz| varz.config_load_time)
    }
}

fn ask<T: DeserializeOwned>(url: &str, limit: Duration) -> Result<T, MonitorError> {
    read(&ready::http(limit), url)
}

/// One question of several over the same connection.
pub(super) fn read<T: DeserializeOwned>(agent: &ureq::Agent, url: &str) -> Result<T, MonitorError> {
    let text = text(agent, url)?;
    serde_json::from_str(&text).map_err(|error| MonitorError::new(MonitorErrorKind::Unexpected, url, error))
}

fn text(agent: &ureq::Agent, url: &str) -> Result<String, MonitorError> {
    let answer = agent.get(url).call().and_then(|mut response| {
        let text = response.body_mut().with_config().limit(u64::MAX).read_to_string()?;
        Ok((response.status(), text))
    });
    let (status, text) =
        answer.map_err(|error| MonitorError::new(MonitorErrorKind::Unreachable, url, error))?;
    if status == 404 {
        let cause = "status 404 (is the path right, and `http_base_path` not set?)";
        return Err(MonitorError::new(MonitorErrorKind::Unexpected, url, cause));
    }
    Ok(text)
}

/// Why a server could not be asked.
pub struct MonitorError {
    kind: MonitorErrorKind,
    url: String,
    cause: Option<Box<dyn Error + Send + Sync>>,
}

/// What kind of [`MonitorError`] it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MonitorErrorKind {
    /// The attached server's monitoring port is not known: set `ISOLATED_NATS_MONITOR_URL`, such as `http://host:port`.
    NoPort,
    /// Nobody answers: the server is stopped or paused, or the variable names another port.
    Unreachable,
    /// The answer is not the JSON it should be: look at the URL in the text with a browser.
    Unexpected,
}

impl MonitorError {
    pub(super) fn new(
        kind: MonitorErrorKind,
        url: &str,
        cause: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self { kind, url: url.to_owned(), cause: Some(cause.into()) }
    }

    /// Returns what kind of error it is.
    #[must_use]
    pub fn kind(&self) -> MonitorErrorKind {
        self.kind
    }
}

impl fmt::Display for MonitorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = &self.url;
        match self.kind {
            MonitorErrorKind::NoPort => {
                write!(f, "the monitoring port of `{url}` is not known (set ISOLATED_NATS_MONITOR_URL)")
            }
            MonitorErrorKind::Unreachable => {
                write!(f, "`{url}` does not answer (is the server stopped or paused?)")
            }
            MonitorErrorKind::Unexpected => write!(f, "`{url}` answers something unexpected"),
        }
    }
}

impl fmt::Debug for MonitorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            let Self { kind, url, cause } = self;
            return f
                .debug_struct("MonitorError")
                .field("kind", kind)
                .field("url", url)
                .field("cause", cause)
                .finish();
        }
        write_chain(self, f)
    }
}

impl Error for MonitorError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn Error + 'static))
    }
}
