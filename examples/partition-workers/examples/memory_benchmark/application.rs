//! The application that is measured: workers of the library that answer requests, and, if asked, hold or lose more than they need.

use std::error::Error;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use async_nats::{Client, jetstream};
use isolated_nats::{ExternalNats, LoadGenerator, LoadReport, OperationError, Rate, Schedule};
use partition_workers::{Config, Grant, Handler, Manager, Partition, Worker};
use tokio::sync::watch;

use super::answering::Answering;
use super::order::Order;

/// What requests begin with; the partition follows.
const SUBJECT: &str = "work";
/// Modest: memory is measured, and what it takes to be fast is another question.
const REQUESTS_PER_SECOND: f64 = 500.0;
/// A request that is not answered by then has failed, and a group that is not stable by then never will be.
const PATIENCE: Duration = Duration::from_secs(20);

/// All workers of a cell, on one connection.
pub(crate) struct Application {
    workers: Vec<Worker>,
    heartbeats: watch::Receiver<u64>,
    _client: Client,
}

impl Application {
    /// Connects, starts all workers, and waits until every partition has its owner. The lease is the library's own unless given.
    pub(crate) async fn start(
        nats: &ExternalNats,
        order: &Order,
        group: &str,
        lease: Option<Duration>,
    ) -> Result<Self, Box<dyn Error>> {
        let client = nats.client().await?;
        let config = Config::new(group, order.cell.partitions);
        let config = match lease {
            Some(lease) => config.lease(lease),
            None => config,
        };
        let manager = Manager::open(jetstream::new(client.clone()), config).await?;
        let (sender, heartbeats) = watch::channel(0);
        let sender = Arc::new(sender);
        let mut workers = Vec::new();
        for number in 0..order.cell.workers {
            let answering = Answering::new(client.clone(), SUBJECT);
            let handler = Beating { answering, heartbeats: sender.clone(), leak: order.leak };
            workers.push(manager.start_worker(format!("w{number}"), handler).await?);
        }
        stable(&manager, workers.len()).await?;
        Ok(Self { workers, heartbeats, _client: client })
    }

    /// Waits for as many heartbeats as there are workers.
    pub(crate) async fn beats(&mut self) {
        let until = *self.heartbeats.borrow() + self.workers.len() as u64;
        // It ends only with the last worker, and these are here.
        let _ = self.heartbeats.wait_for(|heartbeats| *heartbeats >= until).await;
    }

    /// Stops all workers, one after the other.
    pub(crate) async fn stop(self) -> Result<(), partition_workers::Error> {
        for worker in self.workers {
            worker.stop().await?;
        }
        Ok(())
    }
}

/// Waits until every partition has its owner; the library itself waits without a limit.
async fn stable(manager: &Manager, workers: usize) -> Result<(), Box<dyn Error>> {
    let limit = PATIENCE.mul_f64(isolated_nats::time_factor());
    match tokio::time::timeout(limit, manager.wait_until_stable(workers)).await {
        Ok(stable) => stable.map(|_| ()).map_err(Into::into),
        Err(_) => {
            Err(format!("the group was not stable within {limit:?}: {:?}", manager.status().await?).into())
        }
    }
}

/// Answers requests, counts heartbeats, and loses `leak` bytes at each.
struct Beating {
    answering: Answering,
    heartbeats: Arc<watch::Sender<u64>>,
    leak: usize,
}

impl Handler for Beating {
    async fn assigned(&self, grant: Grant) {
        self.answering.assigned(grant).await;
    }

    async fn revoked(&self, partitions: &[Partition]) {
        self.answering.revoked(partitions).await;
    }

    fn renewed(&self) {
        if self.leak > 0 {
            lose(self.leak);
        }
        self.heartbeats.send_modify(|heartbeats| *heartbeats += 1);
    }
}

/// The bug that `--leak` puts into the application: this is the line that the benchmark must name.
#[inline(never)]
fn lose(bytes: usize) {
    black_box(Vec::leak(black_box(vec![1_u8; bytes])));
}

/// Asks for random partitions for so long, each request at its time, and counts an answer without a fence as failed.
pub(crate) async fn load(
    client: &Client,
    order: &Order,
    length: Duration,
) -> Result<LoadReport, isolated_nats::LoadError> {
    let partitions = u64::from(order.cell.partitions);
    LoadGenerator::builder()
        .schedule(Schedule::steady(Rate::per_second(REQUESTS_PER_SECOND), length))
        .seed(order.seed)
        .operation_timeout(PATIENCE.mul_f64(isolated_nats::time_factor()))
        .operation_with("request", 1, client.clone(), move |client, context| async move {
            ask(&client, context.random() % partitions).await
        })
        .run()
        .await
}

/// Asks for one partition.
pub(crate) async fn ask(client: &Client, partition: u64) -> Result<(), OperationError> {
    let answer = client.request(format!("{SUBJECT}.{partition}"), "".into()).await?;
    match answer.payload.first_chunk() {
        Some(fence) if u64::from_le_bytes(*fence) > 0 => Ok(()),
        _ => Err("the answer has no fence".into()),
    }
}
