//! The heap of one probe.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::memory::allocator::{self, BATCH, Domain, Kind, Profile, Tally, Watch};
use crate::memory::figures::{ComponentFigures, HeapFigures, Inheritance, PhaseHeap, size_classes};
use crate::memory::installed::{self, NoHeap};
use crate::memory::report::Crossing;
use crate::memory::series::Series;

#[derive(Debug)]
pub(super) struct Heap {
    watch: Watch,
    inheritance: Inheritance,
    unattributed: Tally,
    untagged: u64,
    profile: Option<Profile>,
    ceiling: Option<u64>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// The highest of the phases that have ended.
    peak: i64,
    phase: Tally,
    components: Vec<Watch>,
}

impl Heap {
    /// Begins to measure the test that the calling thread belongs to.
    pub(super) fn start(profile: bool, ceiling: Option<u64>) -> Result<Self, NoHeap> {
        let inheritance = installed::inheritance()?;
        let domain = own_test();
        let watch = Watch::open(domain).ok_or(NoHeap::TooManyProbes)?;
        if let Some(bytes) = ceiling {
            watch.set_ceiling(bytes);
        }
        let state = State { peak: 0, phase: watch.tally(), components: Vec::new() };
        Ok(Self {
            inheritance,
            unattributed: Domain::unattributed().tally(),
            untagged: allocator::untagged(),
            ceiling,
            profile: profile.then(|| Profile::start(domain)).flatten(),
            state: Mutex::new(state),
            watch,
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn domain(&self) -> &'static Domain {
        self.watch.domain()
    }

    pub(super) fn growth(&self) -> i64 {
        self.watch.growth()
    }

    pub(super) fn profile(&self) -> Option<&Profile> {
        self.profile.as_ref()
    }

    pub(super) fn crossing(&self) -> Option<Crossing> {
        Some(Crossing { ceiling: self.ceiling?, addresses: self.watch.crossing()? })
    }

    /// The component of this name, measured from now on unless it is already.
    pub(super) fn component(&self, name: &str) -> &'static Domain {
        let component = self.domain().component(name);
        let mut state = self.lock();
        let known = state.components.iter().any(|watch| watch.domain() == component);
        if !known && component != self.domain() {
            state.components.extend(Watch::open(component));
        }
        component
    }

    /// Ends a phase.
    pub(super) fn end_phase(&self) -> PhaseHeap {
        let mut state = self.lock();
        let (tally, peak) = (self.watch.tally(), self.watch.take_peak());
        let counted = tally - state.phase;
        state.phase = tally;
        state.peak = state.peak.max(peak);
        PhaseHeap {
            peak_bytes: peak.max(0).cast_unsigned(),
            growth_bytes: counted.live,
            allocations: counted.classes.iter().sum(),
            allocated_bytes: counted.requested,
        }
    }

    /// All figures; the last phase must have ended.
    pub(super) fn figures(&self, series: &Series, sampled: bool) -> HeapFigures {
        let (state, tally) = (self.lock(), self.watch.tally());
        let unattributed = match self.domain().kind() {
            Kind::Process => 0, // theirs are among the process's own
            _ => (Domain::unattributed().tally() - self.unattributed).requested,
        };
        HeapFigures {
            // Other threads may have gone on since the last phase ended: no figure may belie another.
            peak_bytes: state.peak.max(tally.live).max(0).cast_unsigned(),
            peak_error_bytes: BATCH.cast_unsigned() * self.watch.other_threads(),
            live_bytes: self.watch.live().map(|live| live.max(0).cast_unsigned()),
            growth_bytes: tally.live,
            mean_bytes: series.mean().filter(|_| sampled),
            slope: series.slope_per_hour(),
            allocations: tally.classes.iter().sum(),
            reallocations: tally.resized,
            deallocations: tally.freed,
            allocated_bytes: tally.requested,
            freed_bytes: tally.requested.saturating_add_signed(-tally.live),
            size_classes: size_classes(&tally),
            unattributed_bytes: unattributed,
            untagged_frees: allocator::untagged() - self.untagged,
            inheritance: self.inheritance,
        }
    }

    pub(super) fn components(&self) -> Vec<ComponentFigures> {
        let state = self.lock();
        let mut components: Vec<_> = state.components.iter().map(component).collect();
        components.sort_by(|a, b| b.peak_bytes.cmp(&a.peak_bytes).then_with(|| a.name.cmp(&b.name)));
        components
    }
}

fn component(watch: &Watch) -> ComponentFigures {
    let tally = watch.tally();
    ComponentFigures {
        name: watch.domain().name().to_owned(),
        peak_bytes: watch.take_peak().max(0).cast_unsigned(),
        live_bytes: watch.live().map(|live| live.max(0).cast_unsigned()),
        allocations: tally.classes.iter().sum(),
        allocated_bytes: tally.requested,
    }
}

/// The test of this thread. Where threads do not inherit, this one is made a test of its own now.
pub(in crate::memory) fn own_test() -> &'static Domain {
    let owner = allocator::current_domain().owner();
    match owner.kind() {
        Kind::Unattributed => {
            let test = Domain::test();
            allocator::change_to(test);
            test
        }
        // A program's worker, which would else measure itself alone.
        Kind::Test if allocator::is_founder() && !is_libtests(std::thread::current().name()) => {
            Domain::process()
        }
        _ => owner,
    }
}

/// Whether a thread that the main thread has started may be libtest's: it is then called after its test, which is a path
/// of identifiers, raw ones among them.
fn is_libtests(name: Option<&str>) -> bool {
    let is_identifier = |part: &str| {
        let plain = part.strip_prefix("r#").unwrap_or(part);
        !plain.is_empty() && plain.chars().all(|c| c.is_alphanumeric() || c == '_')
    };
    name.is_some_and(|name| name.split("::").all(is_identifier))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_is_called_by_a_path_and_a_worker_is_not() {
        for test in ["works", "orders::are_kept", "a::case_1_small", "größe", "keywords::r#try"] {
            assert!(is_libtests(Some(test)), "{test}");
        }
        for worker in [None, Some("tokio-rt-worker"), Some("pool 3"), Some(""), Some("a::"), Some("r#")] {
            assert!(!is_libtests(worker), "{worker:?}");
        }
    }
}
