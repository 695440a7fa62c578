//! What holds after each step, on any machine.

use crate::crew::Outcome;
use crate::steps::Step;
use crate::table::fits;

/// Tasks of a worker: one serves, and one is heard. One of all leads, which is a task more.
const TASKS_OF_A_WORKER: u64 = 2;
const TASKS_OF_THE_LEADER: u64 = 1;
/// About twice what was measured.
const MOST_HEAP_OF_A_WORKER: f64 = 64.0 * 1024.0;
/// What a connection's buffers differ by from step to step.
const BUFFERS: i64 = 64 * 1024;

/// A worker that joins alone, or leaves alone, takes or gives no more than it must. Of several that join one after the other, each
/// evens out the shares for itself: where these do not come out even, each of the older workers may end one partition off.
pub fn moved_least(step: &Step, before: &Step) {
    let allowed =
        if step.workers.abs_diff(before.workers) == 1 { 0 } else { step.workers.min(before.workers) };
    assert!(
        (step.least..=step.least + allowed).contains(&step.moved),
        "{} workers after {}: {} partitions changed hands, {} had to",
        step.workers,
        before.workers,
        step.moved,
        step.least
    );
}

/// A worker has as many tasks as the library says, however many there are.
pub fn has_its_tasks(step: &Step, without: &Step) {
    let tasks = step.tasks.zip(without.tasks).map(|(with, without)| with - without);
    let leading = if step.workers > 0 { TASKS_OF_THE_LEADER } else { 0 };
    let documented = TASKS_OF_A_WORKER * step.workers as u64 + leading;
    assert_eq!(tasks, Some(documented), "tasks of {} workers", step.workers);
}

/// A worker does not hold more than it should.
pub fn costs_little(steps: &[Step]) -> Outcome {
    let (heap, _) = fits(steps);
    let each = heap.ok_or("the heap per worker was not measured")?.each;
    assert!(
        each <= MOST_HEAP_OF_A_WORKER,
        "each worker holds {each:.0} bytes, more than {MOST_HEAP_OF_A_WORKER:.0}"
    );
    Ok(())
}

/// After as many have left as had joined, no more is held than the last time. The first time does not count: tables that have grown
/// keep their room, once.
pub fn came_back(now: &Step, then: &Step) {
    assert_eq!((now.tasks, now.threads), (then.tasks, then.threads), "tasks and threads");
    let kept = now.heap.zip(then.heap).map(|(now, then)| now - then);
    assert!(kept.is_some_and(|kept| kept <= BUFFERS), "{kept:?} bytes more are held than the last time");
}
