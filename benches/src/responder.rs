//! Somebody who answers requests with what they brought.

use async_nats::{Client, Subscriber};
use futures_util::StreamExt as _;
use isolated_nats::ExternalNats;
use tokio::sync::oneshot;

use crate::Error;

/// Answers on a thread and a connection of its own, so that it is in nobody's loop.
#[derive(Debug)]
pub struct Responder {
    thread: std::thread::JoinHandle<()>,
    end: oneshot::Sender<()>,
}

impl Responder {
    /// Starts one, and returns once the server knows of its subscription.
    pub async fn start(nats: &ExternalNats, subject: &'static str) -> Result<Self, Error> {
        let (options, url) = (nats.connect_options(), nats.url().to_owned());
        let (end, ended) = oneshot::channel();
        let (ready, is_ready) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::spawn(move || {
            runtime.block_on(async move {
                let connected = async {
                    let client = options.connect(url).await?;
                    let subscriber = client.subscribe(subject).await?;
                    // Nobody listens there; the answer says that the server knows of the subscription before it.
                    let _ = client.request("nobody", "".into()).await;
                    Ok::<_, Error>((client, subscriber))
                };
                match connected.await {
                    Ok((client, subscriber)) => {
                        let _ = ready.send(Ok(()));
                        answer(&client, subscriber, ended).await;
                    }
                    Err(error) => drop(ready.send(Err(error))),
                }
            });
        });
        is_ready.await.map_err(|_| "the responder panicked")??;
        Ok(Self { thread, end })
    }

    /// Ends it, and its thread.
    pub fn end(self) -> Result<(), Error> {
        let _ = self.end.send(());
        self.thread.join().map_err(|_| "the responder panicked".into())
    }
}

async fn answer(client: &Client, mut subscriber: Subscriber, mut ended: oneshot::Receiver<()>) {
    loop {
        tokio::select! {
            biased;
            message = subscriber.next() => {
                let Some(message) = message else { return };
                let Some(reply) = message.reply else { continue };
                if client.publish(reply, message.payload).await.is_err() {
                    return;
                }
            }
            _ = &mut ended => return,
        }
    }
}
