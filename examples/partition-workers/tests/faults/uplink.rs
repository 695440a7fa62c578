//! A connection on which messages to the server can be held up, as by a network that stalls. Those from the server come through.

use std::io;
use std::sync::{Arc, Mutex};

use async_nats::{Client, ConnectError};
use isolated_nats::ExternalNats;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub struct Uplink {
    address: String,
    flows: watch::Sender<bool>,
    held: Arc<Mutex<Vec<u8>>>,
    task: JoinHandle<io::Result<()>>,
}

impl Uplink {
    pub async fn to(nats: &ExternalNats) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let (flows, is_flowing) = watch::channel(true);
        let held = Arc::<Mutex<Vec<u8>>>::default();
        let task = tokio::spawn(relay(listener, nats.port(), is_flowing, held.clone()));
        Ok(Self { address, flows, held, task })
    }

    /// Connects by it; it takes one client.
    pub async fn client(&self) -> Result<Client, ConnectError> {
        async_nats::connect(&self.address).await
    }

    pub fn hold(&self) {
        self.flows.send_replace(false);
    }

    /// Lets everything through again, and returns what was held up.
    pub fn release(&self) -> String {
        let held = String::from_utf8_lossy(&self.held.lock().unwrap()).into_owned();
        self.flows.send_replace(true);
        held
    }
}

impl Drop for Uplink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn relay(
    listener: TcpListener,
    port: u16,
    mut flows: watch::Receiver<bool>,
    held: Arc<Mutex<Vec<u8>>>,
) -> io::Result<()> {
    let (client, _) = listener.accept().await?;
    let server = TcpStream::connect(("127.0.0.1", port)).await?;
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
        (client.into_split(), server.into_split());
    let up = async {
        let mut buffer = [0; 4096];
        loop {
            tokio::select! {
                read = from_client.read(&mut buffer) => match read? {
                    0 => return Ok(()),
                    count => held.lock().unwrap().extend(&buffer[..count]),
                },
                _ = flows.changed() => {}
            }
            if *flows.borrow() {
                let due = std::mem::take(&mut *held.lock().unwrap());
                to_server.write_all(&due).await?;
            }
        }
    };
    tokio::select! {
        ended = up => ended,
        ended = copy(&mut from_server, &mut to_client) => ended.map(drop),
    }
}
