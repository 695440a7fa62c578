//! A group on the server of a test.

use std::time::Duration;

use async_nats::{Client, jetstream};
use isolated_nats::{Condition, ExternalNats, eventually};
use partition_workers::{Config, Error, Handler, Manager, State, Status, Worker};

use super::{Failure, Ownership, Recorder};

/// How long a test waits for what must come; far longer than it ever takes.
pub const LIMIT: Duration = Duration::from_secs(30);

/// A lease that runs out in no test: what comes before [`LIMIT`] has not waited for it.
pub const LONG: Duration = Duration::from_secs(3600);

/// A lease to be run out of.
pub const SHORT: Duration = Duration::from_millis(600);

/// A group whose handlers report to a checker; dropped, it fails the test if a partition ever had two owners.
pub struct Group {
    pub manager: Manager,
    pub ownership: Ownership,
    seat: Seat,
}

/// What it takes to start a worker, on any thread.
#[derive(Clone)]
pub struct Seat {
    nats: ExternalNats,
    config: Config,
    ownership: Ownership,
}

impl Group {
    pub async fn open(nats: &ExternalNats, partitions: u32, lease: Duration) -> Result<Self, Error> {
        Self::open_named(nats, "orders", partitions, lease).await
    }

    pub async fn open_named(
        nats: &ExternalNats,
        name: &str,
        partitions: u32,
        lease: Duration,
    ) -> Result<Self, Error> {
        let config = Config::new(name, partitions).lease(lease);
        let seat = Seat { nats: nats.clone(), config, ownership: Ownership::default() };
        Ok(Self { manager: seat.open().await?, ownership: seat.ownership.clone(), seat })
    }

    /// Starts a worker with a connection of its own.
    pub async fn start(&self, id: &str) -> Result<Worker, Error> {
        self.start_with(id, self.recorder(id)).await
    }

    pub async fn start_with(&self, id: &str, handler: impl Handler) -> Result<Worker, Error> {
        self.seat.open().await?.start_worker(id, handler).await
    }

    /// Starts a worker with this connection.
    pub async fn start_by(&self, client: Client, id: &str) -> Result<Worker, Error> {
        self.seat.open_by(client).await?.start_worker(id, self.recorder(id)).await
    }

    pub fn recorder(&self, id: &str) -> Recorder {
        self.seat.recorder(id)
    }

    pub fn seat(&self) -> Seat {
        self.seat.clone()
    }

    /// Waits until the group is stable with so many workers, and their handlers know.
    pub async fn stable(&self, workers: usize) -> Result<Status, Failure> {
        let what = format!("a stable group of {workers}");
        let stable = eventually(&what, LIMIT, async || {
            let status = self.manager.wait_until_stable(workers).await.map_err(|error| error.to_string())?;
            let (said, told) = (status.owners(), self.ownership.owners());
            if said == told { Ok(status) } else { Err(format!("assigned are {said:?}, told were {told:?}")) }
        });
        stable
            .await
            .map_err(|error| format!("{error}\nwhat the handlers were told:\n{}", self.ownership).into())
    }
}

/// A condition to wait for: this worker is at this.
pub fn is(worker: &Worker, wanted: State) -> Condition<'_> {
    Condition::new(format!("`{}` is {wanted:?}", worker.id()), move || async move {
        let state = worker.state();
        if state == wanted { Ok(()) } else { Err(format!("{state:?}")) }
    })
}

impl Drop for Group {
    fn drop(&mut self) {
        let faults = self.ownership.faults();
        if std::thread::panicking() || faults.is_empty() {
            return;
        }
        panic!("{}\nwhat the handlers were told:\n{}", faults.join("\n"), self.ownership);
    }
}

impl Seat {
    /// Opens the group by a connection of its own.
    pub async fn open(&self) -> Result<Manager, Error> {
        let client = self.nats.client().await.expect("the server of a test can be reached");
        self.open_by(client).await
    }

    async fn open_by(&self, client: Client) -> Result<Manager, Error> {
        Manager::open(jetstream::new(client), self.config.clone()).await
    }

    pub fn recorder(&self, id: &str) -> Recorder {
        Recorder::new(&self.ownership, id)
    }
}
