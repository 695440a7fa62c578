//! The counters of one thread, which no other thread writes, and the domain it belongs to.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::marker::PhantomData;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering};

use super::domain::{Domain, DomainId, Kind};
use super::tag::Owner;
use super::tally::{CLASSES, Own, Tally, class};
use super::window::Gate;

/// Live bytes that a thread may count before it tells the others: the peak of a test is exact but for so many bytes for
/// each further thread that is at work in it at that moment.
pub(crate) const BATCH: i64 = 2 << 10;

/// How a thread came to know its domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The thread that started it said so: `pthread_create` is ours.
    Creation,
    /// The first thing it did was to free a block of the thread that started it.
    FirstFree,
    /// It is the main thread, or was told by hand.
    Known,
    /// Nobody could tell.
    Unknown,
}

/// The counters of one thread; aligned so that no two threads write to one cache line.
/// What every allocation touches comes first, in one line.
#[repr(C, align(128))]
#[derive(Debug)]
pub(super) struct Local {
    /// A copy of the process's gate, which whoever changes that one writes.
    gate: AtomicU32,
    /// `domain`, as it is in tags.
    owner: AtomicU64,
    requested: Own,
    /// The live bytes since the thread last told of them are `requested - flush_at + BATCH`. An allocation thus changes one
    /// number and a free another, which is faster than one that both change.
    flush_at: Own,
    /// The highest that those were, so far as a free has lowered them since.
    high: Own,
    freed: Own,
    classes: [Own; CLASSES],
    resized: Own,
    domain: AtomicPtr<Domain>,
    origin: Cell<Origin>,
    /// Whether this thread began the domain that it then belonged to.
    founder: Cell<bool>,
    in_use: AtomicBool,
    next: AtomicPtr<Local>,
}

// SAFETY: `origin` and `founder` are touched by the one thread that uses the counters; all else is atomic.
unsafe impl Sync for Local {}

/// What stands in for the counters of a thread that has none; nothing in it changes.
static NOBODY: Local = Local::new();

/// All that were ever made; they are used again, and never freed.
static FIRST: AtomicPtr<Local> = AtomicPtr::new(ptr::null_mut());

thread_local! {
    static CURRENT: Cell<&'static Local> = const { Cell::new(&NOBODY) };
    /// The domain of a thread that has none of its own counters, because it has not begun or is ending.
    static BARE: Cell<Bare> = const { Cell::new(Bare::New) };
    static END: End = const { End };
}

#[derive(Clone, Copy)]
enum Bare {
    New,
    /// The thread that started this one has said where it belongs.
    #[cfg_attr(not(isolated_nats_pthread), expect(dead_code, reason = "nobody tells"))]
    Told(&'static Domain),
    Ending(&'static Domain),
}

/// Gives the counters back when the thread ends; set up first, it goes last.
struct End;

impl Drop for End {
    fn drop(&mut self) {
        let local = CURRENT.with(|current| current.replace(&NOBODY));
        if !ptr::eq(local, &NOBODY) {
            BARE.with(|bare| bare.set(Bare::Ending(local.domain())));
            local.flush();
            local.domain().leave();
            local.in_use.store(false, Ordering::Release);
        }
    }
}

impl Local {
    const fn new() -> Self {
        Self {
            gate: AtomicU32::new(Gate::NOBODY.bits()),
            owner: AtomicU64::new(Owner::NOBODY.bits()),
            requested: Own::new(0),
            flush_at: Own::new(BATCH),
            high: Own::new(0),
            freed: Own::new(0),
            classes: [const { Own::new(0) }; CLASSES],
            resized: Own::new(0),
            domain: AtomicPtr::new(ptr::null_mut()),
            origin: Cell::new(Origin::Unknown),
            founder: Cell::new(false),
            in_use: AtomicBool::new(true),
            next: AtomicPtr::new(ptr::null_mut()),
        }
    }

    #[inline]
    pub(super) fn domain(&self) -> &'static Domain {
        // SAFETY: it is set before the counters can be reached, and domains are never freed.
        unsafe { &*self.domain.load(Ordering::Relaxed) }
    }

    #[inline(always)]
    pub(super) fn owner(&self) -> Owner {
        Owner::from_bits(self.owner.load(Ordering::Relaxed))
    }

    #[inline(always)]
    pub(super) fn gate(&self) -> Gate {
        Gate::from_bits(self.gate.load(Ordering::Relaxed))
    }

    fn belong_to(&self, domain: &'static Domain) {
        self.domain.store(ptr::from_ref(domain).cast_mut(), Ordering::Relaxed);
        self.owner.store(Owner::new(domain.id()).bits(), Ordering::Relaxed);
    }

    /// Brings the copy of the gate up to date. Called for one thread by itself and by another, the last to write has
    /// seen the gate of that moment.
    pub(super) fn copy_gate(&self) {
        loop {
            let gate = Gate::now();
            self.gate.store(gate.bits(), Ordering::SeqCst);
            if Gate::now() == gate {
                return;
            }
        }
    }

    #[inline(always)]
    pub(super) fn allocated(&self, bytes: usize) {
        self.classes[class(bytes)].add(1);
        self.grow(bytes as i64);
    }

    /// Returns whether it is time to [flush](Self::flush_live).
    #[inline(always)]
    #[must_use]
    pub(super) fn freed(&self, bytes: usize) -> bool {
        self.freed.add(1);
        self.shrink(bytes as i64)
    }

    pub(super) fn resized(&self, old: usize, new: usize) {
        self.classes[class(new)].add(1);
        self.resized.add(1);
        // What stays is asked for anew, and was never given back in between: the peak sees the difference alone.
        let stays = old.min(new) as i64;
        self.requested.add(stays);
        self.flush_at.add(stays);
        if new > old {
            self.grow((new - old) as i64);
        } else if self.shrink((old - new) as i64) {
            self.flush_live();
        }
    }

    #[inline(always)]
    fn grow(&self, bytes: i64) {
        let requested = self.requested.get() + bytes;
        self.requested.set(requested);
        if requested >= self.flush_at.get() {
            self.flush_live();
        }
    }

    #[inline(always)]
    fn shrink(&self, bytes: i64) -> bool {
        let (requested, flush_at) = (self.requested.get(), self.flush_at.get());
        let live = requested - flush_at + BATCH;
        if live > self.high.get() {
            self.high.set(live);
        }
        self.flush_at.set(flush_at + bytes);
        live - bytes <= -BATCH
    }

    #[cold]
    #[inline(never)]
    pub(super) fn flush_live(&self) {
        let (live, high) = (self.pending_live(), self.pending_high());
        self.flush_at.set(self.requested.get() + BATCH);
        self.high.set(0);
        if live != 0 || high != 0 {
            self.domain().add_live(live, high);
        }
    }

    /// Hands everything over to the domain.
    fn flush(&self) {
        self.flush_live();
        self.domain().shared.add_counts(&self.pending());
        self.requested.set(0);
        self.flush_at.set(BATCH);
        self.resized.set(0);
        self.freed.set(0);
        self.classes.iter().for_each(|class| class.set(0));
    }

    pub(super) fn pending_live(&self) -> i64 {
        self.requested.get() - self.flush_at.get() + BATCH
    }

    /// The highest that the live bytes were since the thread last told.
    pub(super) fn pending_high(&self) -> i64 {
        self.high.get().max(self.pending_live())
    }

    /// What is not yet handed over, but for the live bytes.
    pub(super) fn pending(&self) -> Tally {
        Tally {
            live: 0,
            requested: self.requested.get().cast_unsigned(),
            resized: self.resized.get().cast_unsigned(),
            freed: self.freed.get().cast_unsigned(),
            classes: std::array::from_fn(|class| self.classes[class].get().cast_unsigned()),
        }
    }
}

/// The counters of this thread, or those of nobody, whose gate and owner tell.
#[inline(always)]
pub(super) fn here() -> &'static Local {
    CURRENT.with(Cell::get)
}

/// The counters of this thread; `None` when it has none (any more).
#[inline]
pub(super) fn current() -> Option<&'static Local> {
    let local = here();
    (!ptr::eq(local, &NOBODY)).then_some(local)
}

/// The first event of a thread: gives it counters and a domain, and returns the domain. Also called while the thread ends,
/// when its counters are gone already.
///
/// `freed` is the owner of a block, if the event is that it is freed: in std since 1.93, a new thread frees a box of the
/// thread that started it before it does anything else.
#[cold]
pub(super) fn begin(freed: Option<DomainId>) -> &'static Domain {
    let (domain, origin) = match BARE.with(Cell::get) {
        Bare::Ending(domain) => return domain,
        Bare::Told(domain) => (domain, Origin::Creation),
        Bare::New if is_first_of_process() => (Domain::process(), Origin::Known),
        Bare::New => match freed.and_then(Domain::of) {
            Some(parent) => (child_of(parent), Origin::FirstFree),
            None => (Domain::unattributed(), Origin::Unknown),
        },
    };
    let Some(local) = acquire() else {
        BARE.with(|bare| bare.set(Bare::Ending(domain))); // without memory for counters: count in the open
        return domain;
    };
    local.belong_to(domain);
    local.founder.set(domain.kind() == Kind::Test && domain.threads() == 0);
    domain.join();
    local.origin.set(origin);
    CURRENT.with(|current| current.set(local));
    // On Windows, std keeps what it has to do at a thread's end in a vector, which must not be touched from here.
    #[cfg(not(windows))]
    END.with(|_| ());
    domain
}

/// The first thread that allocates is the main thread: it does so before any code of the program runs.
fn is_first_of_process() -> bool {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    !TAKEN.load(Ordering::Relaxed) && !TAKEN.swap(true, Ordering::Relaxed)
}

/// Where a thread belongs that was started from this domain: a test of its own, below the main thread.
fn child_of(parent: &'static Domain) -> &'static Domain {
    if parent.kind() == Kind::Process { Domain::test() } else { parent }
}

/// The domain of a thread that this thread is about to start; `None` while nothing was allocated through us.
#[cfg(isolated_nats_pthread)]
pub(super) fn for_new_thread() -> Option<&'static Domain> {
    match (current(), BARE.with(Cell::get)) {
        (Some(local), _) => Some(child_of(local.domain())),
        (None, Bare::Ending(domain) | Bare::Told(domain)) => Some(child_of(domain)),
        (None, Bare::New) => None,
    }
}

/// Tells a thread that has just begun where it belongs.
#[cfg(isolated_nats_pthread)]
pub(super) fn tell(domain: &'static Domain) {
    if current().is_none() {
        BARE.with(|bare| bare.set(Bare::Told(domain)));
    }
}

/// Counters for a thread: those of one that has ended, or new ones.
fn acquire() -> Option<&'static Local> {
    let idle = all()
        .find(|local| !local.in_use.load(Ordering::Relaxed) && !local.in_use.swap(true, Ordering::Acquire));
    idle.or_else(add)
}

fn add() -> Option<&'static Local> {
    // SAFETY: the layout is not of size zero.
    let made = unsafe { System.alloc(Layout::new::<Local>()) }.cast::<Local>();
    if made.is_null() {
        return None;
    }
    // The list may be walked at once: by then they must belong somewhere.
    let local = Local::new();
    local.belong_to(Domain::unattributed());
    // SAFETY: it was just allocated for this type, and is never freed.
    let local = unsafe {
        made.write(local);
        &*made
    };
    let mut first = FIRST.load(Ordering::Acquire);
    loop {
        local.next.store(first, Ordering::Relaxed);
        match FIRST.compare_exchange_weak(first, made, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => {
                local.copy_gate(); // in the list, it misses no change after this one
                return Some(local);
            }
            Err(others) => first = others,
        }
    }
}

fn all() -> impl Iterator<Item = &'static Local> {
    // SAFETY: each is null or one of the counters, which are never freed.
    let at = |place: &AtomicPtr<Local>| unsafe { place.load(Ordering::Acquire).as_ref() };
    std::iter::successors(at(&FIRST), move |local| at(&local.next))
}

/// Looks at the counters of every thread, and at some that are not in use, which are zero.
pub(super) fn for_each(look: impl FnMut(&'static Local)) {
    all().for_each(look);
}

/// Makes this thread belong to a domain until the guard is dropped.
pub(crate) fn enter(domain: &'static Domain) -> Entered {
    let before = change_to(domain);
    Entered { before, _not_send: PhantomData }
}

/// Makes this thread belong to a domain for good, and returns that of before.
pub(crate) fn change_to(domain: &'static Domain) -> &'static Domain {
    let before = current_domain();
    if let Some(local) = current().filter(|_| !ptr::eq(before, domain)) {
        local.flush();
        local.belong_to(domain);
        if !ptr::eq(before.owner(), domain.owner()) {
            before.leave();
            domain.join();
        }
    }
    before
}

/// The domain of this thread.
pub(crate) fn current_domain() -> &'static Domain {
    current().map_or_else(|| begin(None), Local::domain)
}

/// How this thread came to know its domain.
pub(crate) fn origin() -> Origin {
    current().map_or(Origin::Unknown, |local| local.origin.get())
}

/// Whether this thread was started by the main thread: by libtest, or by a program.
pub(crate) fn is_founder() -> bool {
    current().is_some_and(|local| local.founder.get())
}

/// While it is alive, what this thread allocates belongs to another domain.
#[derive(Debug)]
pub(crate) struct Entered {
    before: &'static Domain,
    /// It must be dropped on the thread it was made on.
    _not_send: PhantomData<*const ()>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        change_to(self.before);
    }
}
