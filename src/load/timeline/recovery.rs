//! What an event did to a run: steady before, outage, recovery, steady after. Pure reckoning over windows.

mod display;
mod normal;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::super::figures::LoadEvent;
use super::super::report::LoadReport;
use super::{Timeline, Window};
use normal::Normal;

/// Windows that must be steady, one after the other, to count as recovered.
const STEADY_WINDOWS: usize = 3;
/// Most windows before the event that are looked at.
const BEFORE: usize = 50;
/// Operations that one window should have, so that half of them missing is no accident: at low rates, windows are taken
/// together.
const ENOUGH: f64 = 10.0;

/// What an event did to a run. All times are from the start of the run and as exact as a window is long; at rates below ten
/// operations in a window, as exact as ten operations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Recovery {
    /// What the event was called.
    pub event: String,
    /// When the event was begun.
    pub at: Duration,
    /// The run before the event, without what was disturbed by an earlier one: at most 50 windows.
    pub before: Steady,
    /// What the event broke; `None` when nothing was.
    pub outage: Option<Outage>,
    /// When the run was steady again: the start of the first three windows after the outage began in which the rate was within 10 %
    /// of what was due (in a closed loop: of the rate before), no more failed than before, and the p99 was at most twice that before, or
    /// below 5 ms. `None` without an outage, and when that never came.
    pub steady_again: Option<Duration>,
    /// The run from then on; `None` when `steady_again` is.
    pub after: Option<Steady>,
}

/// Windows without a disturbance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Steady {
    /// How long they were together.
    pub length: Duration,
    /// Operations that ended well in them, per second.
    pub succeeded_per_second: f64,
    /// The median of the windows' medians; `None` when no operation ended well.
    pub p50: Option<Duration>,
    /// The median of the windows' p99; `None` when no operation ended well.
    pub p99: Option<Duration>,
}

/// The time in which operations were not served.
///
/// It begins with the first window after the event in which fewer than half of the operations ended well that were due (in a closed
/// loop, and in bursts: that ended well before), or one in ten failed and that is more than before. Fewer failures than
/// that, or a p99 above ten times that before and 5 ms, begin it too, unless they are in one window alone. It ends after the last window
/// before the run was steady again in which fewer than half ended well, or more failed than did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Outage {
    /// When it began: not before the event.
    pub from: Duration,
    /// When it ended; `None` when it lasted to the end of the run.
    pub until: Option<Duration>,
    /// Operations that failed in it.
    pub failed: u64,
    /// Operations that were due in it and did not end well in it: failed, or served only afterwards. `None` in a closed
    /// loop.
    pub unserved: Option<u64>,
    /// The longest time from intended start to end of an operation that ended well between its begin and `steady_again`; `None` when
    /// none did.
    pub slowest: Option<Duration>,
}

impl Outage {
    /// Returns how long it lasted; `None` when that was to the end of the run.
    #[must_use]
    pub fn length(&self) -> Option<Duration> {
        self.until.map(|until| until.saturating_sub(self.from))
    }
}

impl Recovery {
    /// Returns the time from the end of the outage until the run was steady again; `None` without an outage, and when it never was.
    #[must_use]
    pub fn after_outage(&self) -> Option<Duration> {
        Some(self.steady_again?.saturating_sub(self.outage.as_ref()?.until?))
    }

    /// Returns the time from the event until the run was steady again; `None` without an outage, and when it never was.
    #[must_use]
    pub fn after_event(&self) -> Option<Duration> {
        Some(self.steady_again?.saturating_sub(self.at))
    }
}

impl Timeline {
    /// Returns what an event did to the run.
    ///
    /// `None` when there is nothing to compare with: fewer than three windows before the event in which operations ended well, or no
    /// window after it.
    #[must_use]
    pub fn recovery(&self, event: &LoadEvent) -> Option<Recovery> {
        self.recovery_before(event, Duration::MAX)
    }

    /// The same where the outage begins before `next`, so that what another event broke is not put down to this one.
    fn recovery_before(&self, event: &LoadEvent, next: Duration) -> Option<Recovery> {
        // Behind the schedule's end nothing is due, and what ends there is left over.
        let left_over = self.windows.iter().rev().take_while(|window| window.due == Some(0)).count();
        let windows = &self.windows[..self.windows.len() - left_over];
        let first = windows.iter().position(|window| window.end() > event.at)?;
        let (before, after) = windows.split_at(first);
        let together = Normal::of(before)?.windows_for(ENOUGH);
        // Counted from the event, in both directions.
        let before: Vec<_> = before.rchunks(together).take(BEFORE).filter_map(Window::merged).collect();
        let after: Vec<_> = after.chunks(together).filter_map(Window::merged).collect();
        let normal = Normal::of(&before)?;
        let mut recovery = Recovery {
            event: event.name.clone(),
            at: event.at,
            before: normal.steady(&before)?,
            outage: None,
            steady_again: None,
            after: None,
        };
        let begin = (0..after.len()).find(|at| normal.is_disturbed(&after[*at..]));
        let begin = begin.filter(|begin| after[*begin].at < next);
        if let Some(begin) = begin {
            recovery.note_outage(&normal, &after[begin..]);
        }
        Some(recovery)
    }
}

impl Recovery {
    /// Notes an outage, which begins with the first of the windows.
    fn note_outage(&mut self, normal: &Normal, windows: &[Window]) {
        let again = (1..windows.len())
            .find(|at| windows.get(*at..at + STEADY_WINDOWS).is_some_and(|three| normal.is_steady(three)));
        let unsteady = &windows[..again.unwrap_or(windows.len())];
        let down = unsteady.iter().rposition(|window| normal.is_down(window)).map(|last| last + 1);
        let calm = (1..windows.len()).find(|at| normal.is_calm(&windows[*at]));
        let end = down.or(calm).unwrap_or(windows.len());
        let outage = &windows[..end];
        let missing = |window: &Window| Some(window.due?.saturating_sub(window.succeeded));
        self.outage = Some(Outage {
            from: windows[0].at.max(self.at),
            until: windows.get(end).map(|window| window.at),
            failed: outage.iter().map(|window| window.failed).sum(),
            unserved: outage.iter().map(missing).sum(),
            slowest: unsteady.iter().filter_map(|window| window.max).max(),
        });
        self.steady_again = again.map(|again| windows[again].at);
        self.after = again.and_then(|again| normal.steady(&windows[again..]));
    }
}

impl LoadReport {
    /// Returns what each event of the run did to it, in their order; those are left out for which there was nothing to compare with.
    ///
    /// An outage is put down to the last event before it.
    #[must_use]
    pub fn recoveries(&self) -> Vec<Recovery> {
        let mut events: Vec<_> = self.events().iter().collect();
        events.sort_by_key(|event| event.at);
        let next = events.iter().skip(1).map(|event| event.at).chain([Duration::MAX]);
        let recovery = |(event, next): (&&LoadEvent, _)| self.timeline().recovery_before(event, next);
        events.iter().zip(next).filter_map(recovery).collect()
    }
}

#[cfg(test)]
mod tests;
