//! Do heartbeats and requests leave something behind, and where in the program?
//!
//! Live bytes jump by whole buffers of the connections, and would hide a small leak. The blocks that each place in the program holds
//! do not: a place that holds more of them each time is a leak. What grows within one block, such as a vector that is pushed to for
//! ever, is not found here.

use std::error::Error;
use std::time::Duration;

use async_nats::Client;
use isolated_nats::{ExternalNats, HeapPlace, HeapPlaces, MemoryProbe};

use super::application::{Application, ask};
use super::order::{Held, Order};

/// In each round every worker is heard once, as it is four times in a lease, and some partitions are asked for.
const LEASE: Duration = Duration::from_millis(500);
const REQUESTS: u64 = 20;
/// Rounds before each look at the heap; what is there at the first look is warm-up.
const ROUNDS: u32 = 8;
/// Fewer are no leak: one for every second round.
const LEAST_BLOCKS: i64 = 4;
/// How many places are named.
const NAMED: usize = 3;

/// About how long it takes, from the first look's rounds to the last name.
pub(crate) fn expected() -> Duration {
    LEASE / 4 * ROUNDS * 3 + NAMING
}

/// To read the debug information, and name what differs.
const NAMING: Duration = Duration::from_millis(200);

/// Runs the rounds with every allocation noted, and returns the places that hold more and more.
pub(crate) async fn seek(order: &Order) -> Result<Vec<Held>, Box<dyn Error>> {
    let nats = ExternalNats::builder().jetstream().start().await?;
    let probe = MemoryProbe::builder().without_samples().heap_profile().start();
    let client = nats.client().await?;
    let mut application = start(&nats, order).await?;
    let first = look(&probe, order, &mut application, &client).await?;
    let second = look(&probe, order, &mut application, &client).await?;
    let third = look(&probe, order, &mut application, &client).await?;
    drop(probe.finish());
    application.stop().await?;
    nats.shutdown().await?;
    Ok(growing(&more(&second, &first), more(&third, &second)))
}

async fn start(nats: &ExternalNats, order: &Order) -> Result<Application, Box<dyn Error>> {
    Application::start(nats, order, "leaks", Some(LEASE)).await
}

/// What is held after some more rounds. A request that fails leaves all as it is: it is memory that is measured here.
async fn look(
    probe: &MemoryProbe,
    order: &Order,
    application: &mut Application,
    client: &Client,
) -> Result<HeapPlaces, Box<dyn Error>> {
    for _ in 0..ROUNDS {
        application.beats().await;
        for number in 0..REQUESTS {
            let _ = ask(client, number % u64::from(order.cell.partitions)).await;
        }
    }
    Ok(probe.heap_places()?)
}

/// By how much the user's own code holds more than before, place by place.
fn more(now: &HeapPlaces, before: &HeapPlaces) -> Vec<Held> {
    let own = now.since(before).into_iter().filter(|place| place.is_own);
    own.map(|HeapPlace { place, bytes, blocks, .. }| Held { place, bytes, blocks }).collect()
}

/// The places that hold more blocks at each look than at the one before, one for every second round or more; with what is more at the last.
fn growing(before: &[Held], last: Vec<Held>) -> Vec<Held> {
    let grows = |held: &Held| held.blocks >= LEAST_BLOCKS;
    let grew = |held: &Held| before.iter().any(|before| before.place == held.place && grows(before));
    last.into_iter().filter(|held| grows(held) && grew(held)).take(NAMED).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held((place, bytes, blocks): (&str, i64, i64)) -> Held {
        Held { place: place.into(), bytes, blocks }
    }

    #[test]
    fn only_places_that_hold_more_at_each_look_are_named() {
        let leak = ("leaks", 800, 8);
        let before =
            [leak, ("grew once", 900, 90), ("a buffer", 64_512, 0), ("shrinks", -300, -30)].map(held);
        let last = [("a buffer", 65_536, 0), leak, ("grew late", 500, 50), ("a few", 20, 2)].map(held);
        assert_eq!(growing(&before, last.into()), [held(leak)]);
        assert_eq!(growing(&before, Vec::new()), []);
    }
}
