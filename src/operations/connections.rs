//! Handles that workers share, and connections of their own.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use async_nats::client::RequestErrorKind;
use async_nats::connection::State;
use async_nats::jetstream::consumer::PullConsumer;
use async_nats::jetstream::{self, kv};
use async_nats::{Client, ConnectOptions, Request, Subject};

use crate::load::{OperationError, chain};
use crate::poll;
use crate::server::ExternalNats;

/// How workers that own a connection make it: [`connections`], or [`Connections::to`].
#[derive(Clone)]
pub struct Connections {
    urls: Vec<String>,
    options: ConnectOptions,
}

/// Returns how to connect to a server, with its credentials.
#[must_use]
pub fn connections(nats: &ExternalNats) -> Connections {
    Connections::to(nats.url(), nats.connect_options())
}

impl Connections {
    /// Returns how to connect to `url`, or to one of several separated by commas, with options of one's own.
    #[must_use]
    pub fn to(url: &str, options: ConnectOptions) -> Self {
        Self { urls: url.split(',').map(|url| url.trim().to_owned()).collect(), options }
    }

    /// Connects once.
    pub(super) async fn connect(&self) -> Result<Client, OperationError> {
        let error = match self.options.clone().connect(&self.urls[..]).await {
            Ok(client) => return Ok(client),
            Err(error) => error,
        };
        Err(format!("cannot connect: {}", chain(&error)).into())
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The options hold credentials.
        f.debug_struct("Connections").field("urls", &self.urls).finish_non_exhaustive()
    }
}

/// Returns when the server has read all that this connection sent before.
///
/// A flush of the client ends at the socket. A request that nobody can answer comes back from the server itself.
pub(super) async fn round_trip(client: &Client, nobody: &Subject) -> Result<(), OperationError> {
    match client.request(nobody.clone(), bytes::Bytes::new()).await {
        Err(error) if error.kind() == RequestErrorKind::NoResponders => Ok(()),
        Err(error) => Err(error.into()),
        Ok(_) => Err(format!("somebody answers on `{nobody}`, where nobody should").into()),
    }
}

/// The same at the end of a run, where a server that does not answer must not be waited for: for one second, and only while
/// connected.
pub(super) async fn closing_round_trip(client: &Client, nobody: &Subject) -> Result<(), OperationError> {
    if client.connection_state() != State::Connected {
        return Ok(());
    }
    let request = Request::new().timeout(Some(poll::scaled(Duration::from_secs(1))));
    match client.send_request(nobody.clone(), request).await {
        Err(error) if error.kind() == RequestErrorKind::NoResponders => Ok(()),
        Err(error) => Err(error.into()),
        Ok(_) => Ok(()),
    }
}

/// A subject on which nobody answers.
pub(super) fn nobody(client: &Client) -> Subject {
    client.new_inbox().into()
}

/// What an operation calls, and how the same is had over another connection.
pub(super) trait Handle: Clone + fmt::Debug + Send + Sync + 'static {
    /// Returns the same over `client`.
    fn over(&self, client: Client) -> impl Future<Output = Result<Self, OperationError>> + Send;
}

impl Handle for Client {
    async fn over(&self, client: Client) -> Result<Self, OperationError> {
        Ok(client)
    }
}

impl Handle for jetstream::Context {
    async fn over(&self, client: Client) -> Result<Self, OperationError> {
        Ok(jetstream::new(client))
    }
}

impl Handle for kv::Store {
    async fn over(&self, client: Client) -> Result<Self, OperationError> {
        Ok(jetstream::new(client).get_key_value(&self.name).await?)
    }
}

impl Handle for PullConsumer {
    async fn over(&self, client: Client) -> Result<Self, OperationError> {
        let info = self.cached_info();
        Ok(jetstream::new(client).get_consumer_from_stream(&info.name, &info.stream_name).await?)
    }
}

/// One handle for all workers, or one for each.
#[derive(Clone, Debug)]
pub(super) struct Source<H> {
    pub(super) shared: H,
    pub(super) own: Option<Connections>,
}

impl<H: Handle> Source<H> {
    pub(super) fn new(shared: H) -> Self {
        Self { shared, own: None }
    }

    /// What a worker keeps: cloned or made once, not for each operation.
    pub(super) async fn hold(&self) -> Result<Held<H>, OperationError> {
        let Some(own) = &self.own else { return Ok(Held { handle: self.shared.clone(), own: None }) };
        let client = own.connect().await?;
        Ok(Held { handle: self.shared.over(client.clone()).await?, own: Some(client) })
    }
}

/// A worker's handle, and its connection if it has one of its own.
#[derive(Debug)]
pub struct Held<H> {
    pub(super) handle: H,
    own: Option<Client>,
}

impl<H> Held<H> {
    /// Ends the connection once all that was published is sent.
    pub(super) async fn release(self) {
        let Self { handle, own } = self;
        drop(handle);
        if let Some(client) = own {
            // A connection that is gone has nothing to send.
            let _ = client.flush().await;
            let _ = client.drain().await;
        }
    }
}
