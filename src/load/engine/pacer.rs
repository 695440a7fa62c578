//! Releases arrivals when they are due: a thread, so that neither tokio's millisecond nor a busy runtime makes them late.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::shared::Shared;
use crate::load::schedule::Plan;
use crate::{memory, poll};

/// Between two looks, so that arrivals at a high rate are released some at a time.
pub(super) const GAP: Duration = Duration::from_micros(50);
/// So long at most it does not look whether the run was ended.
const LONGEST: Duration = Duration::from_millis(20);

/// Starts the pacer of one segment. It ends with its last arrival, or with the run.
pub(super) fn start(shared: &Arc<Shared>, plan: &Plan, from: Instant, gap: Duration, wakes: usize) {
    let _ours = memory::ours();
    shared.source.set_pacing(true);
    let (shared, arrivals) = (Arc::clone(shared), plan.arrivals());
    std::thread::Builder::new()
        .name("isolated-nats pacer".into())
        .spawn(move || {
            let _ours = memory::ours();
            poll::without_slack();
            let paced = Paced(shared);
            pace(&paced.0, arrivals, from, gap, wakes);
        })
        .expect("a thread can be started");
}

/// Dropped, it says that the pacer has ended, well or not.
struct Paced(Arc<Shared>);

impl Drop for Paced {
    fn drop(&mut self) {
        self.0.source.set_pacing(false);
        self.0.source.end();
    }
}

fn pace(
    shared: &Shared,
    mut arrivals: impl Iterator<Item = u64>,
    from: Instant,
    gap: Duration,
    wakes: usize,
) {
    let source = &shared.source;
    let start = shared.since_epoch(from);
    let (mut number, mut full) = (0, false);
    let mut next = arrivals.next();
    while let Some(at) = next.filter(|_| !shared.is_stopping()) {
        let due = start + at;
        if due > shared.now() {
            let earliest = Instant::now() + gap;
            let wanted = (shared.epoch + Duration::from_nanos(due)).max(earliest);
            poll::block_until(wanted.min(Instant::now() + LONGEST));
            continue;
        }
        let now = shared.now();
        let mut released = 0;
        while let Some(at) = next.filter(|at| start + at <= now) {
            full = !source.release(number, start + at, |number| shared.mixture.operation(number));
            if full {
                break; // it is looked at again after the gap
            }
            (number, released, next) = (number + 1, released + 1, arrivals.next());
        }
        source.wake(wakes);
        if released == 0 {
            poll::block_for(GAP);
        }
    }
    // The run was ended: what the ring had no room for was due all the same.
    let now = shared.now();
    while full && next.is_some_and(|at| start + at <= now) {
        source.leave_over(number, |number| shared.mixture.operation(number));
        (number, next) = (number + 1, arrivals.next());
    }
}
