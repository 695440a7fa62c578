//! What is written behind a block, and what is counted, when it begins, ends, or is resized.

use std::sync::atomic::{AtomicU64, Ordering};

use super::domain::{Domain, DomainId};
use super::local::{self, Local, current_domain};
use super::profile;
use super::tag::{Owner, Tag};
use super::window::Gate;

/// Blocks freed that bear no tag: allocated elsewhere, or written to beyond their end.
static UNTAGGED: AtomicU64 = AtomicU64::new(0);

/// How many blocks were freed, while a probe was alive, that had not been allocated here, or whose end was overwritten.
pub(crate) fn untagged() -> u64 {
    UNTAGGED.load(Ordering::Relaxed)
}

/// Tags and counts a new block. There must be room for the tag behind its bytes.
#[inline(always)]
pub(super) unsafe fn born(block: *mut u8, bytes: usize) {
    let local = local::here();
    let gate = local.gate();
    // SAFETY: the caller's own promise.
    unsafe { write_tag(block, bytes, local.owner(), gate) };
    if gate.is_open() {
        if gate.is_rare() {
            // SAFETY: the caller's own promise.
            return unsafe { born_rare(block, bytes) };
        }
        local.allocated(bytes);
    }
}

/// The same while a profile is taken, or on a thread that had no counters before, and perhaps has none now.
#[cold]
#[inline(never)]
unsafe fn born_rare(block: *mut u8, bytes: usize) {
    let domain = current_domain();
    let gate = local::current().map_or_else(Gate::now, Local::gate);
    // SAFETY: the caller's own promise.
    unsafe { write_tag(block, bytes, Owner::new(domain.id()), gate) };
    if !gate.is_open() {
        return;
    }
    allocated(domain, bytes);
    if gate.profiles() {
        profile::allocated(domain, block.addr(), bytes);
    }
}

/// Counts a new block, on a thread of this domain that perhaps has no counters.
fn allocated(domain: &Domain, bytes: usize) {
    match local::current() {
        Some(local) => local.allocated(bytes),
        None => {
            domain.shared.allocated(bytes);
            domain.add_live(bytes as i64, bytes as i64);
        }
    }
}

/// What is still to be done for a block that ends.
pub(super) enum Rest {
    Nothing,
    /// Its thread has counted it, and is to tell of that.
    Flush,
    /// All: it is another thread's or test's, or older, or this thread has no counters, or a profile is taken.
    Count,
}

/// Counts the end of a block of this thread's test, or says that there is more to do. Its tag must be behind its bytes.
#[inline(always)]
pub(super) unsafe fn died(block: *mut u8, bytes: usize) -> Rest {
    let local = local::here();
    let gate = local.gate();
    if !gate.is_open() {
        return Rest::Nothing;
    }
    // SAFETY: the caller's own promise.
    let (sealed, address) = unsafe { sealed_tag(block, bytes) };
    if gate.is_rare() || sealed != local.owner().seal(gate.epoch(), address) {
        return Rest::Count;
    }
    if local.freed(bytes) { Rest::Flush } else { Rest::Nothing }
}

/// Counts the end of a block of which `died` said so. Its tag must be behind its bytes.
#[cold]
#[inline(never)]
pub(super) unsafe fn died_elsewhere(block: *mut u8, bytes: usize) {
    if Gate::now().profiles() {
        profile::freed(block.addr());
    }
    // SAFETY: the caller's own promise.
    let tag = unsafe { read_tag(block, bytes) };
    let Some(local) = local::current() else { return died_first(tag, bytes) };
    let Some(tag) = tag else {
        UNTAGGED.fetch_add(1, Ordering::Relaxed);
        return;
    };
    if tag.domain == local.owner().domain() {
        if local.freed(bytes) {
            local.flush_live();
        }
    } else {
        freed_elsewhere(tag.domain, bytes);
    }
    if tag.epoch != local.gate().epoch() {
        freed_older(tag, bytes);
    }
}

/// A free on a thread without counters: it has not begun, or is ending.
fn died_first(tag: Option<Tag>, bytes: usize) {
    let gate = Gate::now();
    // Where a thread is told at once where it belongs, a free that nobody counts need not begin it.
    if cfg!(isolated_nats_pthread) && !gate.is_open() {
        return;
    }
    local::begin(tag.map(|tag| tag.domain));
    if !gate.is_open() {
        return;
    }
    let Some(tag) = tag else {
        UNTAGGED.fetch_add(1, Ordering::Relaxed);
        return;
    };
    freed_elsewhere(tag.domain, bytes);
    if tag.epoch != gate.epoch() {
        freed_older(tag, bytes);
    }
}

#[cold]
#[inline(never)]
fn freed_elsewhere(domain: DomainId, bytes: usize) {
    if let Some(domain) = Domain::of(domain) {
        domain.shared.count_freed();
        domain.add_live(-(bytes as i64), 0);
    }
}

/// A block from before an open window, perhaps: what it gives back was not taken in the window.
#[cold]
#[inline(never)]
fn freed_older(tag: Tag, bytes: usize) {
    if let Some(domain) = Domain::of(tag.domain) {
        for domain in domain.and_above().filter(|domain| domain.windows.any_open()) {
            domain.windows.freed(tag.epoch, bytes as i64);
        }
    }
}

/// Tags and counts a block that has another size now. There must be room for the tag behind its bytes.
pub(super) unsafe fn resized(block: *mut u8, tag: Option<Tag>, old: usize, new: usize) {
    let gate = local::current().map_or_else(Gate::now, Local::gate);
    let Some(tag) = tag else {
        // What it was cannot be told; from now on it is a new block of this thread's.
        let domain = current_domain();
        // SAFETY: the caller's own promise.
        unsafe { write_tag(block, new, Owner::new(domain.id()), gate) };
        if gate.is_open() {
            UNTAGGED.fetch_add(1, Ordering::Relaxed);
            allocated(domain, new);
        }
        return;
    };
    let (owner, ours) = (tag.domain, Domain::ours().id());
    if owner != ours && current_domain().id() == ours {
        // In a pause, a buffer that grows leaves its test: what it grows by must not count.
        // SAFETY: the caller's own promise.
        unsafe { write_tag(block, new, Owner::new(ours), gate) };
        if gate.is_open() {
            freed_elsewhere(owner, old);
            if tag.epoch != gate.epoch() {
                freed_older(tag, old);
            }
            allocated(Domain::ours(), new);
        }
        return;
    }
    // SAFETY: the caller's own promise.
    unsafe { write_tag(block, new, Owner::new(owner), gate) };
    if !gate.is_open() {
        return;
    }
    match local::current() {
        Some(local) if local.owner().domain() == owner => local.resized(old, new),
        _ => {
            if let Some(domain) = Domain::of(owner) {
                let delta = new as i64 - old as i64;
                domain.shared.allocated(new);
                domain.shared.count_resized();
                domain.add_live(delta, delta.max(0));
            }
        }
    }
    if tag.epoch != gate.epoch() {
        freed_older(tag, old);
    }
}

#[inline(always)]
unsafe fn write_tag(block: *mut u8, bytes: usize, owner: Owner, gate: Gate) {
    // SAFETY: the caller has a block with this much room.
    let place = unsafe { block.add(bytes) };
    // SAFETY: as above; the place need not be aligned.
    unsafe { place.cast::<u64>().write_unaligned(owner.seal(gate.epoch(), place.addr())) };
}

/// What stands behind a block, and where.
#[inline(always)]
unsafe fn sealed_tag(block: *mut u8, bytes: usize) -> (u64, usize) {
    // SAFETY: the caller has a block with a tag behind so many bytes.
    let place = unsafe { block.add(bytes) };
    // SAFETY: as above; the place need not be aligned.
    (unsafe { place.cast::<u64>().read_unaligned() }, place.addr())
}

pub(super) unsafe fn read_tag(block: *mut u8, bytes: usize) -> Option<Tag> {
    // SAFETY: the caller's own promise.
    let (sealed, address) = unsafe { sealed_tag(block, bytes) };
    Tag::open(sealed, address)
}
