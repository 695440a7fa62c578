//! A program as tests are: tasks that make, send, parse and keep JSON documents.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;

use crate::Error;

const PRODUCERS: usize = 16;
const QUEUE: usize = 64;
/// The consumer keeps so many of the documents it was sent last.
const KEPT: usize = 512;

/// The wall clock and the CPU time of the whole process.
#[derive(Clone, Copy, Debug)]
pub struct Took {
    /// By the wall clock.
    pub wall: Duration,
    /// By all threads together.
    pub cpu: Duration,
}

/// Makes the runtime: `current_thread`, or `multi_thread` with two workers.
///
/// # Errors
///
/// When there is no such flavor, or the runtime cannot be made.
pub fn runtime(flavor: &str) -> Result<Runtime, Error> {
    match flavor {
        "current_thread" => Ok(Builder::new_current_thread().build()?),
        "multi_thread" => Ok(Builder::new_multi_thread().worker_threads(2).build()?),
        _ => Err(format!("`{flavor}` is no flavor of a runtime").into()),
    }
}

/// Sends so many documents from 16 tasks to one that parses and keeps them, and says how long that took.
///
/// # Errors
///
/// When a document cannot be parsed, or a task panics.
pub fn run(runtime: &Runtime, documents: usize) -> Result<Took, Error> {
    let (begin, cpu) = (Instant::now(), cpu_time());
    let kept = runtime.block_on(exchange(documents))?;
    let took = Took { wall: begin.elapsed(), cpu: cpu_time().saturating_sub(cpu) };
    if kept != KEPT.min(documents) {
        return Err(format!("{kept} documents were kept").into());
    }
    Ok(took)
}

/// Spawns and joins so many tasks that do nothing, one after the other, and says how long that took.
///
/// # Errors
///
/// When a task panics.
pub fn spawn_and_join(runtime: &Runtime, tasks: u32) -> Result<Duration, Error> {
    let begin = Instant::now();
    runtime.block_on(async {
        for _ in 0..tasks {
            tokio::spawn(async {}).await?;
        }
        Ok::<_, Error>(())
    })?;
    Ok(begin.elapsed())
}

async fn exchange(documents: usize) -> Result<usize, Error> {
    let (sender, mut receiver) = mpsc::channel::<Vec<u8>>(QUEUE);
    for producer in 0..PRODUCERS {
        let sender = sender.clone();
        tokio::spawn(async move {
            for number in (producer..documents).step_by(PRODUCERS) {
                let Ok(bytes) = serde_json::to_vec(&document(number)) else { return };
                if sender.send(bytes).await.is_err() {
                    return;
                }
            }
        });
    }
    drop(sender);
    let consumer = tokio::spawn(async move {
        let mut kept = HashMap::new();
        let mut received = 0_usize;
        while let Some(bytes) = receiver.recv().await {
            let value: Value = serde_json::from_slice(&bytes)?;
            kept.insert(format!("slot-{}", received % KEPT), value);
            received += 1;
        }
        Ok::<_, serde_json::Error>(kept.len())
    });
    Ok(consumer.await??)
}

fn document(number: usize) -> Value {
    let items: Vec<Value> = (0..8)
        .map(|item| json!({ "sku": format!("sku-{number}-{item}"), "quantity": item, "price": 1.25 * item as f64 }))
        .collect();
    json!({
        "id": number,
        "subject": format!("orders.{}.created", number % 97),
        "customer": { "name": format!("customer {number}"), "tags": ["new", "eu", "web"] },
        "items": items,
        "note": "x".repeat(number % 200),
    })
}

fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap_or(0), time.tv_nsec.try_into().unwrap_or(0))
}
