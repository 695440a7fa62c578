//! Domains: the tests, and the components of tests, to which blocks belong.
//!
//! They form a tree: the process, below it the tests, below them their components. A domain is never removed and its
//! number never given again, for a block may outlive the test that allocated it. What is counted in a domain counts in
//! those above it, too: `live` at once, since its peak is watched there; the rest when it is read.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering};

use super::local;
use super::tally::{Shared, Tally};
use super::window::Windows;

/// The number of a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DomainId(u32);

impl DomainId {
    pub(super) const fn from_number(number: u32) -> Self {
        Self(number)
    }

    #[inline]
    pub(super) const fn number(self) -> u32 {
        self.0
    }
}

/// What a domain stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The main thread, and, as the top of the tree, the process.
    Process,
    /// Threads of which nobody could tell who started them.
    Unattributed,
    /// This crate's own work, which belongs to no test.
    Ours,
    /// A thread that the main thread started, with all it started: with libtest, a test.
    Test,
    /// A part of a test that was given a name.
    Component,
}

/// One test, or one component of it.
#[derive(Debug)]
pub(crate) struct Domain {
    id: DomainId,
    kind: Kind,
    name: &'static str,
    parent: Option<&'static Domain>,
    pub(super) shared: Shared,
    pub(super) windows: Windows,
    /// Threads at work here and below; kept for tests and for the process.
    threads: AtomicU32,
}

static PROCESS: Domain = Domain::new(0, Kind::Process, None, "");
static UNATTRIBUTED: Domain = Domain::new(1, Kind::Unattributed, Some(&PROCESS), "");
static OURS: Domain = Domain::new(2, Kind::Ours, None, "");
const FIRST: u32 = 3;
/// Beyond this many, a thread that the main thread starts belongs to the process: some program starts threads for ever.
const MOST: u32 = 1 << 16;

/// A place for a domain, written once; chunks are zeroed, so that `ready` can be read before.
struct Slot {
    ready: AtomicBool,
    domain: UnsafeCell<MaybeUninit<Domain>>,
}

const CHUNK: usize = 64;
type Chunk = [Slot; CHUNK];
/// Domains from the third on, in chunks that are made when needed and never freed.
static CHUNKS: [AtomicPtr<Chunk>; MOST as usize / CHUNK] =
    [const { AtomicPtr::new(ptr::null_mut()) }; MOST as usize / CHUNK];
static COUNT: AtomicU32 = AtomicU32::new(0);

impl PartialEq for Domain {
    fn eq(&self, other: &Self) -> bool {
        ptr::eq(self, other)
    }
}

impl Eq for Domain {}

impl Domain {
    const fn new(id: u32, kind: Kind, parent: Option<&'static Domain>, name: &'static str) -> Self {
        Self {
            id: DomainId(id),
            kind,
            name,
            parent,
            shared: Shared::new(),
            windows: Windows::new(),
            threads: AtomicU32::new(0),
        }
    }

    pub(crate) fn process() -> &'static Self {
        &PROCESS
    }

    pub(crate) fn unattributed() -> &'static Self {
        &UNATTRIBUTED
    }

    pub(crate) fn ours() -> &'static Self {
        &OURS
    }

    /// Makes a domain for a test; that of the process when there are too many.
    pub(crate) fn test() -> &'static Self {
        Self::add(Kind::Test, &PROCESS, "").unwrap_or(&PROCESS)
    }

    /// Makes a component of this domain, or finds the one of that name; this domain itself when there are too many.
    pub(crate) fn component(&'static self, name: &str) -> &'static Self {
        static ONE_AT_A_TIME: std::sync::Mutex<()> = std::sync::Mutex::new(());
        let _ours = local::enter(Self::ours());
        let _one = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let known = all().find(|domain| domain.is_child_of(self) && domain.name == name);
        known.unwrap_or_else(|| {
            let name = Box::leak(name.to_owned().into_boxed_str());
            Self::add(Kind::Component, self, name).unwrap_or(self)
        })
    }

    fn add(kind: Kind, parent: &'static Self, name: &'static str) -> Option<&'static Self> {
        let index = COUNT.fetch_update(Ordering::AcqRel, Ordering::Acquire, |count| {
            (count < MOST - FIRST).then_some(count + 1)
        });
        let index = index.ok()?;
        let slot = slot(chunk_for(index)?, index);
        // SAFETY: the index was given to this call alone, and nobody looks at the domain before it is ready.
        unsafe { *slot.domain.get() = MaybeUninit::new(Self::new(index + FIRST, kind, Some(parent), name)) };
        slot.ready.store(true, Ordering::Release);
        slot.get()
    }

    #[inline]
    pub(super) fn of(id: DomainId) -> Option<&'static Self> {
        match id.0 {
            0 => Some(&PROCESS),
            1 => Some(&UNATTRIBUTED),
            2 => Some(&OURS),
            number => entry(number - FIRST),
        }
    }

    #[inline]
    pub(super) fn id(&self) -> DomainId {
        self.id
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    fn is_child_of(&self, parent: &Self) -> bool {
        self.parent.is_some_and(|own| ptr::eq(own, parent))
    }

    /// Whether this domain is the other, or somewhere below it.
    pub(crate) fn is_within(&self, other: &Self) -> bool {
        self.and_above().any(|domain| ptr::eq(domain, other))
    }

    /// The test that this domain is, or is a component of.
    pub(crate) fn owner(&'static self) -> &'static Self {
        self.and_above().find(|domain| domain.kind != Kind::Component).unwrap_or(self)
    }

    /// This domain, and each one above it.
    pub(super) fn and_above(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |domain| domain.parent)
    }

    /// Counts a thread in, which begins or comes from elsewhere.
    pub(super) fn join(&'static self) {
        for domain in self.owner().and_above() {
            let threads = domain.threads.fetch_add(1, Ordering::Relaxed) + 1;
            domain.windows.note_threads(threads);
        }
    }

    /// Counts a thread out.
    pub(super) fn leave(&'static self) {
        for domain in self.owner().and_above() {
            domain.threads.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// How many threads are at work here and below.
    pub(super) fn threads(&self) -> u32 {
        self.threads.load(Ordering::Relaxed)
    }

    /// Adds to the live bytes here and above, and raises the peaks: `high` is the most that was added at a time.
    pub(super) fn add_live(&self, delta: i64, high: i64) {
        let mut domain = self;
        loop {
            let before = domain.shared.live.fetch_add(delta, Ordering::Relaxed);
            if high > 0 {
                domain.windows.note(before + high);
            }
            match domain.parent {
                // The process's own is kept while somebody watches it, since a window begins with a difference; a test's
                // always, since its components are watched apart.
                Some(parent) if parent.kind != Kind::Process || parent.windows.any_open() => domain = parent,
                _ => return,
            }
        }
    }

    /// What was counted here and below; exact when the threads concerned are at rest.
    pub(crate) fn tally(&'static self) -> Tally {
        let live = self.live();
        let mut tally = self.shared.read();
        for domain in all().filter(|domain| !ptr::eq(*domain, self) && domain.is_within(self)) {
            tally += domain.shared.read();
        }
        local::for_each(|local| {
            if local.domain().is_within(self) {
                tally += local.pending();
            }
        });
        Tally { live, ..tally }
    }

    /// The most live bytes here and below since each thread last told of its own.
    pub(super) fn recent_high(&self) -> i64 {
        let (mut live, mut above) = (self.shared.live.load(Ordering::Relaxed), 0);
        local::for_each(|local| {
            if local.domain().is_within(self) {
                live += local.pending_live();
                above = above.max(local.pending_high() - local.pending_live());
            }
        });
        live + above
    }

    /// The live bytes here and below.
    pub(crate) fn live(&self) -> i64 {
        let mut live = self.shared.live.load(Ordering::Relaxed);
        local::for_each(|local| {
            if local.domain().is_within(self) {
                live += local.pending_live();
            }
        });
        live
    }
}

/// All domains but the process's and ours.
fn all() -> impl Iterator<Item = &'static Domain> {
    let count = COUNT.load(Ordering::Acquire);
    std::iter::once(&UNATTRIBUTED).chain((0..count).filter_map(entry))
}

fn entry(index: u32) -> Option<&'static Domain> {
    let chunk = CHUNKS.get(index as usize / CHUNK)?.load(Ordering::Acquire);
    (!chunk.is_null()).then(|| slot(chunk, index))?.get()
}

fn slot(chunk: *mut Chunk, index: u32) -> &'static Slot {
    // SAFETY: chunks are whole arrays of slots, for which zeroes are valid, and are never freed; the index is within one.
    unsafe { &*chunk.cast::<Slot>().add(index as usize % CHUNK) }
}

impl Slot {
    fn get(&'static self) -> Option<&'static Domain> {
        // SAFETY: once ready, the domain is written, and is not written again.
        self.ready.load(Ordering::Acquire).then(|| unsafe { (*self.domain.get()).assume_init_ref() })
    }
}

/// The chunk of an entry, made when it is the first; `None` when there is no memory for it.
fn chunk_for(index: u32) -> Option<*mut Chunk> {
    let place = CHUNKS.get(index as usize / CHUNK)?;
    let known = place.load(Ordering::Acquire);
    if !known.is_null() {
        return Some(known);
    }
    let layout = Layout::new::<Chunk>();
    // SAFETY: the layout is not of size zero.
    let made = unsafe { System.alloc_zeroed(layout) }.cast::<Chunk>();
    if made.is_null() {
        return None;
    }
    match place.compare_exchange(ptr::null_mut(), made, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => Some(made),
        Err(others) => {
            // SAFETY: it was allocated above with this layout, and nobody has seen it.
            unsafe { System.dealloc(made.cast(), layout) };
            Some(others)
        }
    }
}
