//! Blocks aligned as tokio aligns its tasks, each with the stack that allocated it, while somebody watches.
//!
//! tokio keeps a task in one block, its cell, with an alignment that hardly anything else asks for. Which blocks are cells, and
//! what stands in them, is judged by the leak check, not here.

use std::collections::BTreeMap;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::{self, Handle};
use tokio::task;

use super::domain::Domain;
use super::local;
use super::stack;

/// How a cell is aligned: the size of a cache line and its neighbour, as tokio's `runtime/task/core.rs` has it.
pub(super) const ALIGN: usize =
    if cfg!(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "powerpc64")) {
        128
    } else if cfg!(any(
        target_arch = "arm",
        target_arch = "mips",
        target_arch = "mips64",
        target_arch = "sparc",
        target_arch = "hexagon"
    )) {
        32
    } else if cfg!(target_arch = "m68k") {
        16
    } else if cfg!(target_arch = "s390x") {
        256
    } else {
        64
    };

/// How many of a cell's first words are shown: its state, its links, its scheduler, its number.
pub(crate) const WORDS: usize = 12;

/// How many words are shown from the block's own alignment on, where a future with an alignment of its own makes tokio put them.
const FAR_WORDS: usize = 2;

/// How many watch. Blocks are noted, and forgotten when they are freed, while it is not 0.
static WATCHES: AtomicUsize = AtomicUsize::new(0);
/// Held while it changes, so that nobody sees what a former watch has left.
static CHANGING: Mutex<()> = Mutex::new(());
static NEXT: AtomicU64 = AtomicU64::new(1);

const SHARDS: usize = 16;
static BLOCKS: [Mutex<BTreeMap<usize, Block>>; SHARDS] = [const { Mutex::new(BTreeMap::new()) }; SHARDS];

/// One block that was noted.
struct Block {
    place: NonNull<usize>,
    bytes: usize,
    align: usize,
    number: u64,
    domain: &'static Domain,
    parent: Option<task::Id>,
    runtime: Option<runtime::Id>,
    stack: Arc<[usize]>,
}

// SAFETY: the place is only read, and while the block is in the table, from which it is taken before it is freed.
unsafe impl Send for Block {}

/// What is known of one block that may be a task's.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    /// Later blocks have higher numbers.
    pub(crate) number: u64,
    pub(crate) domain: &'static Domain,
    /// The task that allocated it.
    pub(crate) parent: Option<task::Id>,
    /// The runtime in which it was allocated; a handle may spawn from outside of its own.
    pub(crate) runtime: Option<runtime::Id>,
    /// Its first words now; indeterminate where its owner has not written them, as between fields.
    pub(crate) words: [usize; WORDS],
    /// The same from the block's alignment on.
    pub(crate) far: [usize; FAR_WORDS],
    /// Return addresses, innermost first.
    pub(crate) stack: Arc<[usize]>,
}

/// While it is alive, cells are noted.
#[derive(Debug)]
pub(crate) struct CellWatch {
    from: u64,
}

impl CellWatch {
    pub(crate) fn start() -> Self {
        let _changing = CHANGING.lock().unwrap_or_else(PoisonError::into_inner);
        // A block that was noted when the last watch had just ended was not forgotten when it was freed.
        if WATCHES.load(Ordering::SeqCst) == 0 {
            clear();
        }
        WATCHES.fetch_add(1, Ordering::SeqCst);
        Self { from: NEXT.load(Ordering::SeqCst) }
    }

    /// The number from which on blocks are newer than this watch.
    pub(crate) fn from(&self) -> u64 {
        self.from
    }

    /// The number that the next block gets.
    #[expect(clippy::unused_self, reason = "numbers are given only while somebody watches")]
    pub(crate) fn next(&self) -> u64 {
        NEXT.load(Ordering::SeqCst)
    }

    /// The newest one of a test that fits.
    pub(crate) fn find(&self, test: &Domain, fits: impl Fn(&Cell) -> bool) -> Option<Cell> {
        let _ours = local::enter(Domain::ours());
        let newest = |shard: &Mutex<BTreeMap<usize, Block>>| {
            let blocks = lock(shard);
            let cells = blocks.values().filter(|block| block.domain.is_within(test)).map(Block::look);
            cells.filter(|cell| fits(cell)).max_by_key(|cell| cell.number)
        };
        BLOCKS.iter().filter_map(newest).max_by_key(|cell| cell.number)
    }

    /// What is alive now, of all tests, for which `of_interest` says so by number and domain; oldest first.
    #[expect(clippy::unused_self, reason = "as above")]
    pub(crate) fn cells(&self, of_interest: impl Fn(u64, &'static Domain) -> bool) -> Vec<Cell> {
        let _ours = local::enter(Domain::ours());
        let mut cells = Vec::new();
        for shard in &BLOCKS {
            let blocks = lock(shard);
            cells.extend(
                blocks.values().filter(|block| of_interest(block.number, block.domain)).map(Block::look),
            );
        }
        cells.sort_unstable_by_key(|cell| cell.number);
        cells
    }
}

impl Drop for CellWatch {
    fn drop(&mut self) {
        let _changing = CHANGING.lock().unwrap_or_else(PoisonError::into_inner);
        if WATCHES.fetch_sub(1, Ordering::SeqCst) == 1 {
            clear();
        }
    }
}

/// Forgets all blocks of former watches.
fn clear() {
    let _ours = local::enter(Domain::ours());
    for shard in &BLOCKS {
        let old = std::mem::take(&mut *lock(shard));
        drop(old);
    }
}

impl Block {
    fn look(&self) -> Cell {
        let Self { number, domain, parent, runtime, .. } = *self;
        let (words, far) = (self.words(0), self.words(self.align / size_of::<usize>()));
        Cell { number, domain, parent, runtime, words, far, stack: Arc::clone(&self.stack) }
    }

    /// Words from this one on; 0 for those that the block does not have.
    fn words<const COUNT: usize>(&self, first: usize) -> [usize; COUNT] {
        std::array::from_fn(|index| {
            if first + index >= self.bytes / size_of::<usize>() {
                return 0;
            }
            // SAFETY: the block has this word, which is aligned, and is not freed while its shard is locked, as it is here. Its
            // owner may write to it meanwhile, and may never have written to it: the language promises nothing of such a
            // value, and nothing is made of it but comparisons of a number, which a verdict never rests on alone.
            unsafe { self.place.add(first + index).read_volatile() }
        })
    }
}

/// Whether a block of this layout may be a cell, and somebody wants to know.
#[inline]
pub(super) fn wants(align: usize) -> bool {
    align >= ALIGN && WATCHES.load(Ordering::Relaxed) > 0
}

/// Notes a new block.
#[cold]
#[inline(never)]
pub(super) fn allocated(block: *mut u8, bytes: usize, align: usize) {
    let Some(place) = NonNull::new(block.cast::<usize>()) else { return };
    let domain = local::current_domain();
    let _ours = local::enter(Domain::ours());
    let mut addresses = [0; stack::FRAMES];
    let count = stack::capture(&mut addresses);
    let noted = Block {
        place,
        bytes,
        align,
        number: NEXT.fetch_add(1, Ordering::SeqCst),
        domain,
        parent: task::try_id(),
        runtime: Handle::try_current().ok().map(|handle| handle.id()),
        stack: addresses[..count].into(),
    };
    let mut blocks = lock(shard(block.addr()));
    // Asked again within the lock: the last watch lets go first, and clears then.
    let not_kept =
        if WATCHES.load(Ordering::SeqCst) > 0 { blocks.insert(block.addr(), noted) } else { Some(noted) };
    drop(blocks);
    drop(not_kept); // outside of the lock, which is held for as little as can be
}

/// Forgets a block that is about to be freed or moved.
#[cold]
#[inline(never)]
pub(super) fn freed(block: *mut u8) {
    let _ours = local::enter(Domain::ours());
    let noted = lock(shard(block.addr())).remove(&block.addr());
    drop(noted);
}

fn shard(address: usize) -> &'static Mutex<BTreeMap<usize, Block>> {
    &BLOCKS[address / ALIGN % SHARDS]
}

fn lock(shard: &Mutex<BTreeMap<usize, Block>>) -> MutexGuard<'_, BTreeMap<usize, Block>> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
