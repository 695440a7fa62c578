//! An application of the library, for the benchmark and the tests: it answers requests for the partitions that its worker owns.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_nats::{Client, Subscriber};
use futures_util::StreamExt;
use futures_util::stream::{AbortHandle, Abortable, SelectAll};
use partition_workers::{Grant, Handler, Holdings, Partition};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Answers requests on `<prefix>.<partition>` with the fence, as 8 bytes, little-endian, from one task for all its partitions.
#[derive(Debug)]
pub struct Answering {
    client: Client,
    prefix: String,
    running: Mutex<BTreeMap<Partition, AbortHandle>>,
    streams: mpsc::UnboundedSender<(Partition, Holdings, Abortable<Subscriber>)>,
    task: JoinHandle<()>,
}

impl Answering {
    /// Must be called within a runtime.
    pub fn new(client: Client, prefix: impl Into<String>) -> Self {
        let (streams, incoming) = mpsc::unbounded_channel();
        let task = tokio::spawn(answer(client.clone(), incoming));
        Self { client, prefix: prefix.into(), running: Mutex::default(), streams, task }
    }
}

impl Handler for Answering {
    async fn assigned(&self, grant: Grant) {
        for partition in grant.partitions {
            let subject = format!("{}.{partition}", self.prefix);
            // Refused only when the connection is closed for good: there is nobody to answer then.
            let Ok(subscriber) = self.client.subscribe(subject).await else { return };
            let (handle, registration) = AbortHandle::new_pair();
            let stream = Abortable::new(subscriber, registration);
            if self.streams.send((partition, grant.holdings.clone(), stream)).is_ok() {
                self.running.lock().unwrap_or_else(PoisonError::into_inner).insert(partition, handle);
            }
        }
    }

    async fn revoked(&self, partitions: &[Partition]) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        partitions.iter().filter_map(|partition| running.remove(partition)).for_each(|handle| handle.abort());
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(
    client: Client,
    mut incoming: mpsc::UnboundedReceiver<(Partition, Holdings, Abortable<Subscriber>)>,
) {
    let mut requests = SelectAll::new();
    loop {
        tokio::select! {
            stream = incoming.recv() => {
                let Some((partition, holdings, stream)) = stream else { return };
                requests.push(stream.map(move |request| (partition, holdings.clone(), request)));
            }
            Some((partition, holdings, request)) = requests.next() => {
                // Whoever has lost the partition is silent, and its successor answers.
                if let (Some(reply), Some(fence)) = (request.reply, holdings.holds(partition)) {
                    let _ = client.publish(reply, fence.0.to_le_bytes().to_vec().into()).await;
                }
            }
        }
    }
}
