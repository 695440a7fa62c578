//! How far the run is: a bar on a terminal, a line for each child elsewhere.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::time::{Duration, Instant};

use super::order::Order;

const BAR: usize = 20;

/// On standard error: standard output is the report's.
#[derive(Debug)]
pub(crate) struct Progress {
    is_terminal: bool,
    begun: Instant,
    expected: Duration,
    done: Duration,
    count: usize,
    children: usize,
}

impl Progress {
    pub(crate) fn new(expected: Duration, children: usize) -> Self {
        let is_terminal = stderr().is_terminal();
        Self { is_terminal, begun: Instant::now(), expected, done: Duration::ZERO, count: 0, children }
    }

    /// Draws the bar while a child runs.
    pub(crate) fn tick(&self, order: &Order, running: Duration) {
        if self.is_terminal {
            let done = self.done + running.min(order.expected());
            let _ = write!(stderr(), "\r{}\x1b[K", self.line(order, done));
        }
    }

    /// A child has ended, well or not.
    pub(crate) fn next(&mut self, order: &Order, took: Duration) {
        self.done += order.expected();
        self.count += 1;
        if self.is_terminal {
            self.tick(order, Duration::ZERO);
        } else {
            let _ = writeln!(stderr(), "{}/{}  {:9} {took:.1?}", self.count, self.children, order.cell);
        }
    }

    /// Leaves the terminal's line to whatever comes next.
    pub(crate) fn clear(&self) {
        if self.is_terminal {
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }

    fn line(&self, order: &Order, done: Duration) -> String {
        let share = (done.as_secs_f64() / self.expected.as_secs_f64()).clamp(0.0, 1.0);
        let left = self.expected.saturating_sub(done);
        let bar = bar(share);
        let (count, children) = (self.count, self.children);
        format!(
            "{bar} {count}/{children} {}, {}, about {} left",
            order.cell,
            text(self.begun.elapsed()),
            text(left)
        )
    }
}

/// `[#####.....]`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "0 to 20"
)]
fn bar(share: f64) -> String {
    let full = ((share * BAR as f64).round() as usize).min(BAR);
    format!("[{}{}]", "#".repeat(full), ".".repeat(BAR - full))
}

/// `45 s`, `2 min 05 s`; a part of a second counts as one.
pub(crate) fn text(time: Duration) -> String {
    match time.as_secs().max(u64::from(!time.is_zero())) {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_and_times_are_short() {
        assert_eq!(bar(0.0), format!("[{}]", ".".repeat(BAR)));
        assert_eq!(bar(0.5), format!("[{}{}]", "#".repeat(BAR / 2), ".".repeat(BAR / 2)));
        assert_eq!(bar(1.0), format!("[{}]", "#".repeat(BAR)));
        assert_eq!([text(Duration::from_secs(45)), text(Duration::from_secs(125))], ["45 s", "2 min 05 s"]);
    }
}
