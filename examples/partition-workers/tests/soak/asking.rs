//! The load: requests to random partitions, each repeated until the partition's owner answers.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_nats::{Client, Request, RequestErrorKind};
use isolated_nats::{OperationError, eventually};

use crate::crew::PATIENCE;

/// How long a single try may take: a request that reaches a worker which has just lost the partition is answered by nobody.
const TRY: Duration = Duration::from_millis(250);

/// Asks partitions, and knows what each has answered.
#[derive(Debug)]
pub struct Asking {
    client: Client,
    prefix: String,
    /// The greatest fence that each partition has answered with.
    fences: Vec<AtomicU64>,
    retries: Mutex<BTreeMap<&'static str, u64>>,
}

impl Asking {
    pub fn new(client: Client, prefix: &str, partitions: u32) -> Self {
        let fences = (0..partitions).map(|_| AtomicU64::new(0)).collect();
        Self { client, prefix: prefix.to_owned(), fences, retries: Mutex::default() }
    }

    /// Asks one partition, until it answers.
    ///
    /// A library that promises one owner at a time promises no delivery: while a partition changes hands nobody answers. But somebody
    /// does in the end, and never an owner from before one that has answered already.
    pub async fn ask(&self, random: u64) -> Result<(), OperationError> {
        let partition = usize::try_from(random % self.fences.len() as u64)?;
        let known = self.fences[partition].load(Ordering::Acquire);
        let fence =
            eventually("the partition's owner answers", PATIENCE, async || self.try_once(partition).await)
                .await?;
        if fence < known {
            return Err(format!("partition {partition} answered with fence {fence} after {known}").into());
        }
        self.fences[partition].fetch_max(fence, Ordering::AcqRel);
        Ok(())
    }

    async fn try_once(&self, partition: usize) -> Result<u64, &'static str> {
        let subject = format!("{}.{partition}", self.prefix);
        let request = Request::new().timeout(Some(TRY));
        match self.client.send_request(subject, request).await {
            Ok(answer) => {
                answer.payload.as_ref().try_into().map(u64::from_le_bytes).map_err(|_| "not a fence")
            }
            Err(error) => Err(self.count(match error.kind() {
                RequestErrorKind::NoResponders => "no responders",
                RequestErrorKind::TimedOut => "timed out",
                _ => "other",
            })),
        }
    }

    fn count(&self, kind: &'static str) -> &'static str {
        let mut retries = self.retries.lock().unwrap_or_else(PoisonError::into_inner);
        *retries.entry(kind).or_default() += 1;
        kind
    }

    /// How many tries were in vain, by kind.
    pub fn retries(&self) -> BTreeMap<&'static str, u64> {
        self.retries.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
