//! Every block of one test with the stack that allocated it: for a file that dhat's viewer opens. Slow, and so on request.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::domain::Domain;
use super::local;
use super::stack;
use super::window::Gate;

static STATE: Mutex<Option<State>> = Mutex::new(None);

thread_local! {
    /// Whether this thread is at work here, so that what it allocates for that is not looked at.
    static WITHIN: Cell<bool> = const { Cell::new(false) };
}

/// The blocks of one test so far.
#[derive(Debug)]
struct State {
    domain: &'static Domain,
    started: Instant,
    places: HashMap<Box<[usize]>, usize>,
    sites: Vec<Site>,
    blocks: HashMap<usize, Block>,
    live: u64,
    peak: u64,
    peak_at: Duration,
    /// Whether the live bytes are at their peak, so that each site's part in it has yet to be noted.
    at_peak: bool,
}

/// What was allocated with one stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Site {
    /// Return addresses, innermost first.
    pub(crate) addresses: Vec<usize>,
    pub(crate) total: Amount,
    /// At the moment when this site held most.
    pub(crate) own_peak: Amount,
    /// At the moment when the test held most.
    pub(crate) peak: Amount,
    /// Now.
    pub(crate) live: Amount,
    /// How long its blocks have lived, all together.
    pub(crate) lifetimes: Duration,
}

/// Bytes, and the blocks they are in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Amount {
    pub(crate) bytes: u64,
    pub(crate) blocks: u64,
}

#[derive(Debug)]
struct Block {
    site: usize,
    bytes: u64,
    born: Instant,
}

/// What a profile holds.
#[derive(Debug)]
pub(crate) struct Sites {
    pub(crate) sites: Vec<Site>,
    /// When the test held most.
    pub(crate) peak_at: Duration,
    pub(crate) taken: Duration,
}

/// A profile that is being taken; dropping it ends it. There is one at a time.
#[derive(Debug)]
pub(crate) struct Profile(());

impl Profile {
    /// Begins to note the blocks of a domain; `None` while another profile is taken.
    pub(crate) fn start(domain: &'static Domain) -> Option<Self> {
        let mut state = lock();
        if state.is_some() {
            return None;
        }
        *state = Some(State {
            domain,
            started: Instant::now(),
            places: HashMap::new(),
            sites: Vec::new(),
            blocks: HashMap::new(),
            live: 0,
            peak: 0,
            peak_at: Duration::ZERO,
            at_peak: false,
        });
        Gate::set_profiling(true);
        Some(Self(()))
    }

    /// What was noted so far.
    pub(crate) fn sites(&self) -> Sites {
        within(|| {
            let mut state = lock();
            let Some(state) = state.as_mut() else { return Sites::default() };
            state.note_peak();
            let now = Instant::now();
            let mut sites = state.sites.clone();
            for block in state.blocks.values() {
                sites[block.site].lifetimes += now - block.born;
            }
            Sites { sites, peak_at: state.peak_at, taken: state.started.elapsed() }
        })
        .unwrap_or_default()
    }
}

impl Default for Sites {
    fn default() -> Self {
        Self { sites: Vec::new(), peak_at: Duration::ZERO, taken: Duration::ZERO }
    }
}

impl Drop for Profile {
    fn drop(&mut self) {
        Gate::set_profiling(false);
        let state = within(|| lock().take());
        within(|| drop(state));
    }
}

fn lock() -> MutexGuard<'static, Option<State>> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs work whose own allocations are not looked at, and belong to no test; `None` when this thread is at such work.
fn within<T>(work: impl FnOnce() -> T) -> Option<T> {
    if WITHIN.replace(true) {
        return None;
    }
    let entered = local::enter(Domain::ours());
    let result = work();
    drop(entered);
    WITHIN.set(false);
    Some(result)
}

/// Notes a new block of the domain.
#[cold]
#[inline(never)]
pub(super) fn allocated(domain: &Domain, address: usize, bytes: usize) {
    within(|| {
        let mut addresses = [0; stack::FRAMES];
        let count = stack::capture(&mut addresses);
        if let Some(state) = lock().as_mut().filter(|state| domain.is_within(state.domain)) {
            state.allocated(&addresses[..count], address, bytes as u64);
        }
    });
}

/// Notes the end of a block, if it was noted.
#[cold]
#[inline(never)]
pub(super) fn freed(address: usize) {
    within(|| {
        if let Some(state) = lock().as_mut() {
            state.freed(address);
        }
    });
}

impl State {
    fn allocated(&mut self, addresses: &[usize], address: usize, bytes: u64) {
        let known = self.places.get(addresses).copied();
        let site = known.unwrap_or_else(|| {
            self.sites.push(Site { addresses: addresses.to_vec(), ..Site::default() });
            self.places.insert(addresses.into(), self.sites.len() - 1);
            self.sites.len() - 1
        });
        self.sites[site].allocated(bytes);
        self.blocks.insert(address, Block { site, bytes, born: Instant::now() });
        self.live += bytes;
        if self.live >= self.peak {
            self.peak = self.live;
            self.peak_at = self.started.elapsed();
            self.at_peak = true;
        }
    }

    fn freed(&mut self, address: usize) {
        let Some(block) = self.blocks.remove(&address) else { return };
        self.note_peak();
        self.live -= block.bytes;
        let site = &mut self.sites[block.site];
        site.live.bytes -= block.bytes;
        site.live.blocks -= 1;
        site.lifetimes += block.born.elapsed();
    }

    /// Notes what each site holds at the peak, before it is left.
    fn note_peak(&mut self) {
        if std::mem::take(&mut self.at_peak) {
            self.sites.iter_mut().for_each(|site| site.peak = site.live);
        }
    }
}

impl Site {
    fn allocated(&mut self, bytes: u64) {
        for amount in [&mut self.total, &mut self.live] {
            amount.bytes += bytes;
            amount.blocks += 1;
        }
        if self.live.bytes > self.own_peak.bytes {
            self.own_peak = self.live;
        }
    }
}
