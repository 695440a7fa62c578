//! All that a probe sees of one domain while it is alive.

use super::domain::Domain;
use super::local;
use super::tag::Epoch;
use super::tally::Tally;
use super::window::Number;

/// A window on a domain; dropping it closes it.
#[derive(Debug)]
pub(crate) struct Watch {
    domain: &'static Domain,
    number: Number,
    /// What was counted before.
    base: Tally,
    /// Whether this window can tell older blocks from its own: epochs are counted to their maximum only.
    knows_age: bool,
}

impl Watch {
    /// Begins to watch a domain; `None` when too many watch it already.
    pub(crate) fn open(domain: &'static Domain) -> Option<Self> {
        let _ours = local::enter(Domain::ours()); // also hands over what this thread has counted
        let (number, epoch) = domain.windows.open()?;
        let base = domain.tally();
        domain.windows.take_peak(number, base.live);
        domain.windows.note_threads(domain.threads());
        Some(Self { domain, number, base, knows_age: epoch != Epoch::MAX })
    }

    pub(crate) fn domain(&self) -> &'static Domain {
        self.domain
    }

    /// What was counted since the start.
    pub(crate) fn tally(&self) -> Tally {
        self.domain.tally() - self.base
    }

    /// The change of the live bytes since the start.
    pub(crate) fn growth(&self) -> i64 {
        self.domain.live() - self.base.live
    }

    /// The bytes of blocks allocated since the start, and not freed; `None` when their age is not known.
    pub(crate) fn live(&self) -> Option<i64> {
        self.knows_age.then(|| self.growth() + self.domain.windows.old_freed(self.number))
    }

    /// Returns the most that the live bytes were above those of the start, since then or since the last call.
    pub(crate) fn take_peak(&self) -> i64 {
        let _ours = local::enter(Domain::ours());
        let high = self.domain.recent_high();
        self.domain.windows.take_peak(self.number, self.domain.live()).max(high) - self.base.live
    }

    /// The most threads, but for one, that were at work in the test at a time since the start.
    pub(crate) fn other_threads(&self) -> u64 {
        u64::from(self.domain.windows.most_threads(self.number).saturating_sub(1))
    }

    /// Asks for the stack at which the live bytes are first so many above those of the start.
    pub(crate) fn set_ceiling(&self, bytes: u64) {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.domain.windows.set_ceiling(self.number, self.base.live.saturating_add(bytes));
    }

    /// The return addresses of that stack, innermost first; `None` when the ceiling was not passed.
    pub(crate) fn crossing(&self) -> Option<Vec<usize>> {
        self.domain.windows.crossing(self.number)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.domain.windows.close(self.number);
    }
}
