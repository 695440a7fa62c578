//! Joins, leaves and crashes at random.

use std::time::{SystemTime, UNIX_EPOCH};

use futures_util::future::try_join_all;
use isolated_nats::{ExternalNats, isolated_nats};
use partition_workers::Worker;

use crate::support::{Failure, Group, SHORT};

const STEPS: u32 = 40;
const MOST_WORKERS: usize = 6;

/// Whatever comes, the checker finds no two owners at a time, and the group is stable soon after.
#[isolated_nats(jetstream, timeout = "60s")]
async fn a_group_bears_joins_leaves_and_crashes_in_any_order(nats: ExternalNats) -> Result<(), Failure> {
    let mut random = Random::from_environment();
    let group = Group::open(&nats, 24, SHORT).await?;
    let mut workers = Vec::new();
    for step in 0..STEPS {
        churn(&group, &mut workers, step, &mut random).await?;
        if random.below(8) == 0 && !workers.is_empty() {
            group.stable(workers.len()).await?;
        }
    }
    if workers.is_empty() {
        workers.push(group.start("last").await?);
    }
    let status = group.stable(workers.len()).await?;
    for worker in &workers {
        assert_eq!(worker.owned(), status.workers[worker.id()]);
    }
    Ok(())
}

/// One step: up to three workers join at once, one leaves, or one crashes.
async fn churn(
    group: &Group,
    workers: &mut Vec<Worker>,
    step: u32,
    random: &mut Random,
) -> Result<(), Failure> {
    let room = MOST_WORKERS - workers.len();
    match random.below(4) {
        0 if !workers.is_empty() => workers.swap_remove(random.below(workers.len())).stop().await?,
        1 if !workers.is_empty() => drop(workers.swap_remove(random.below(workers.len()))),
        _ => {
            let count = (1 + random.below(3)).min(room);
            let ids: Vec<_> = (0..count).map(|n| format!("w{step}-{n}")).collect();
            workers.extend(try_join_all(ids.iter().map(|id| group.start(id))).await?);
        }
    }
    Ok(())
}

/// A small generator of numbers that are random enough: xorshift.
struct Random(u64);

impl Random {
    /// Each run has another seed, which it prints; `PARTITION_WORKERS_SEED` repeats one.
    fn from_environment() -> Self {
        let given = std::env::var("PARTITION_WORKERS_SEED").ok();
        let seed = given
            .map_or_else(from_the_clock, |seed| seed.parse().expect("PARTITION_WORKERS_SEED is a number"));
        println!("PARTITION_WORKERS_SEED={seed}");
        Self(seed.max(1)) // of 0 comes nothing but 0
    }

    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).expect("it is below a usize")
    }
}

fn from_the_clock() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::from(now.subsec_nanos()) ^ now.as_secs().rotate_left(30)
}
