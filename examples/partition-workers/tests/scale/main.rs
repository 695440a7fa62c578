//! How the library scales with its workers: one at a time, ten at a time, and faster than the group becomes stable.
//!
//! Short versions run with every `cargo test`. The long ones print their tables:
//!
//! ```text
//! PARTITION_WORKERS_LONG=1 cargo test --release --test scale -- --nocapture --test-threads=1
//! ```
//!
//! Each test has a process of its own, so that its threads are its own, and no load beside it.

mod checks;
#[path = "../support/crew.rs"]
mod crew;
mod fit;
mod handlers;
mod steps;
mod table;

use isolated_nats::{ExternalNats, LeakGuard, TrackingAllocator, isolated_nats, skip_unless};

use crew::{GROUP, Outcome};
use steps::{Steps, moved_one_by_one};

#[global_allocator]
static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();

const LONG: &str = "PARTITION_WORKERS_LONG";

#[isolated_nats(jetstream, process)]
async fn a_few_workers_join_one_by_one(nats: ExternalNats) -> Outcome {
    gradually(&nats, 20, &[1, 2, 3]).await
}

#[isolated_nats(jetstream, process)]
async fn a_few_workers_join_at_a_time(nats: ExternalNats) -> Outcome {
    gradually(&nats, 60, &[2, 4, 6]).await
}

#[isolated_nats(jetstream, process)]
async fn a_few_workers_join_before_the_group_is_stable(nats: ExternalNats) -> Outcome {
    rapidly(&nats, 20, &[1, 2, 3]).await
}

#[isolated_nats(jetstream, process)]
async fn small(nats: ExternalNats) -> Outcome {
    if skip_unless(LONG) {
        return Ok(());
    }
    println!("1 to 10 workers, 100 partitions: about 1 s");
    gradually(&nats, 100, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]).await
}

#[isolated_nats(jetstream, process)]
async fn large(nats: ExternalNats) -> Outcome {
    if skip_unless(LONG) {
        return Ok(());
    }
    println!("10 to 50 workers, 500 partitions: about 4 s");
    gradually(&nats, 500, &[10, 20, 30, 40, 50]).await
}

#[isolated_nats(jetstream, process)]
async fn rapid(nats: ExternalNats) -> Outcome {
    if skip_unless(LONG) {
        return Ok(());
    }
    println!("1, 5, 10 workers in quick succession, 100 partitions: about 1 s");
    rapidly(&nats, 100, &[1, 5, 10]).await
}

/// Up, each step from a stable group, down again, and the same way once more in two steps.
async fn gradually(nats: &ExternalNats, partitions: u32, workers: &[usize]) -> Outcome {
    let leaks = guard(nats);
    let mut steps = Steps::begin(nats, partitions).await?;
    steps.handlers.open_gate();
    let (fewest, most) = (workers[0], workers[workers.len() - 1]);
    for count in workers.iter().copied().chain([fewest, most, fewest]) {
        steps.step_to(count).await?;
    }
    let (up, again) = steps.taken.split_at(workers.len() + 1);
    println!("{}{}", table::table(&steps.taken), table::summary(up));
    for pair in steps.taken.windows(2) {
        checks::moved_least(&pair[1], &pair[0]);
        checks::has_its_tasks(&pair[1], &up[0]);
    }
    checks::costs_little(up)?;
    checks::came_back(&again[2], &again[0]);
    steps.end().await?;
    leaks.verify().await;
    Ok(())
}

/// Each step is begun while the one before cannot be stable, since the handlers wait.
async fn rapidly(nats: &ExternalNats, partitions: u32, workers: &[usize]) -> Outcome {
    let leaks = guard(nats);
    let mut steps = Steps::begin(nats, partitions).await?;
    for &count in workers {
        steps.half_step_to(count).await?;
    }
    steps.handlers.open_gate();
    steps.step_to(steps.crew.len()).await?;
    println!("{}", table::table(&steps.taken));
    steps.taken.iter().for_each(|step| checks::has_its_tasks(step, &steps.taken[0]));
    let (moved, one_by_one) = (steps.handlers.let_go(), moved_one_by_one(partitions, steps.crew.len()));
    println!("taken from workers on the way: {moved} partitions; {one_by_one} had they joined one by one");
    assert!(moved <= one_by_one, "{moved} partitions were taken from workers, more than {one_by_one}");
    steps.end().await?;
    leaks.verify().await;
    Ok(())
}

/// Watches that nothing is left on the server after the last worker, but for the group itself, which stays.
fn guard(nats: &ExternalNats) -> LeakGuard {
    LeakGuard::builder().server(nats).ignore_names(GROUP).start()
}
