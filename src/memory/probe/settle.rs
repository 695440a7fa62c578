//! Waiting until a test is at rest.

use std::time::{Duration, Instant};

use super::shared::Shared;
use crate::memory::trim;
use crate::poll::{Deadline, block_for, until};

const LIMIT: Duration = Duration::from_secs(2);
/// How long nothing may change.
const REST: Duration = Duration::from_millis(5);
const LOOK: Duration = Duration::from_micros(500);
/// How many turns the other tasks have before each look.
const TURNS: usize = 16;

/// What has to stay as it is.
#[derive(Clone, Copy, PartialEq)]
struct Seen {
    heap: Option<i64>,
    tasks: Option<u64>,
}

/// Notices when nothing has changed for long enough.
struct Rest {
    seen: Seen,
    since: Instant,
}

impl Rest {
    fn new(shared: &Shared) -> Self {
        Self { seen: look(shared), since: Instant::now() }
    }

    fn has_come(&mut self, shared: &Shared) -> bool {
        let now = look(shared);
        if now != self.seen {
            *self = Self { seen: now, since: Instant::now() };
        }
        self.since.elapsed() >= REST
    }
}

fn look(shared: &Shared) -> Seen {
    Seen { heap: shared.live_heap(), tasks: shared.live_tasks() }
}

pub(super) async fn settle(shared: &Shared) {
    let deadline = Deadline::after(LIMIT);
    let mut rest = Rest::new(shared);
    while !rest.has_come(shared) && !deadline.is_over() {
        // The runtime's other tasks have their turn. It never idles, so that a paused clock stands still; and it blocks
        // for a moment, so that other processes and threads have theirs.
        for _ in 0..TURNS {
            tokio::task::yield_now().await;
        }
        block_for(LOOK);
    }
    give_back(shared);
}

pub(super) fn settle_blocking(shared: &Shared) {
    let mut rest = Rest::new(shared);
    let _: Option<()> = until(&Deadline::after(LIMIT), || rest.has_come(shared).then_some(()));
    give_back(shared);
}

fn give_back(shared: &Shared) {
    if shared.is_alone() {
        trim::give_back();
    }
}
