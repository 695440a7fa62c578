//! Waiting for what ends by itself: in the runtime, without parking it, so that a paused clock stands still.

use std::time::Duration;

use crate::poll::block_for;

/// How many turns the other tasks have before each look.
const TURNS: usize = 16;
/// How many looks there are before the thread blocks for a moment: most tasks have ended by then.
const EAGER: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_micros(100);
const LAST_PAUSE: Duration = Duration::from_millis(1);

/// Gives the runtime's tasks their turns, and now and then other threads and processes theirs, until `is_over`.
pub(super) async fn settle(mut is_over: impl FnMut() -> bool) {
    let mut pauses = Pauses::default();
    loop {
        for _ in 0..TURNS {
            tokio::task::yield_now().await;
        }
        if is_over() {
            return;
        }
        pauses.pause();
    }
}

/// The same where the tasks have threads of their own.
pub(super) fn settle_blocking(mut is_over: impl FnMut() -> bool) {
    let mut pauses = Pauses { looks: EAGER };
    while !is_over() {
        pauses.pause();
    }
}

#[derive(Default)]
struct Pauses {
    looks: u32,
}

impl Pauses {
    fn pause(&mut self) {
        if self.looks >= EAGER {
            let doubled = FIRST_PAUSE * (1 << (self.looks - EAGER).min(4));
            block_for(doubled.min(LAST_PAUSE));
        }
        self.looks = self.looks.saturating_add(1);
    }
}
