//! Pairs of an allocation and a free, one allocator after the other in short slices.
//!
//! Every allocator is called by `&dyn GlobalAlloc` that the compiler cannot see through, so that none is inlined into the
//! loop and all pay for the same call.

#![expect(unsafe_code, reason = "allocators are called by hand; each use says why it is sound")]

use std::alloc::{GlobalAlloc, Layout};
use std::any::Any;
use std::fmt;
use std::hint::{black_box, spin_loop};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::random::Random;
use crate::stats::median;

/// Slices are made about so long for `System`: far below what a scheduler gives at a time.
const SLICE: Duration = Duration::from_micros(40);
const SLICES: usize = 5;
/// At two threads, a slice counts only if they ran side by side for this share of it.
const TOGETHER: f64 = 0.8;
const LINE: usize = 64;
const ORDERS: usize = 4096;

/// What is done between an allocation and its free.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shape {
    /// One block: allocate, write its first byte, free.
    Tight,
    /// The same, with one byte in each cache line written.
    Written,
    /// So many live blocks; one at random is freed, and allocated anew, its first byte written.
    Ring(usize),
}

/// One column of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    /// The size of the blocks.
    pub bytes: usize,
    /// What is done with them.
    pub shape: Shape,
    /// One thread, or two of the same test.
    pub threads: usize,
}

impl Cell {
    /// All cells, in the order of the tables.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let shapes = [
            (64, Shape::Tight),
            (64, Shape::Ring(1024)),
            (4 << 10, Shape::Tight),
            (4 << 10, Shape::Ring(256)),
            (4 << 10, Shape::Written),
            (1 << 20, Shape::Tight),
            (1 << 20, Shape::Ring(4)),
            (1 << 20, Shape::Written),
        ];
        let both = |(bytes, shape)| [1, 2].map(|threads| Self { bytes, shape, threads });
        shapes.into_iter().flat_map(both).collect()
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, unit) = match self.bytes {
            bytes if bytes >= 1 << 20 => (bytes >> 20, "MiB"),
            bytes if bytes >= 1 << 10 => (bytes >> 10, "KiB"),
            bytes => (bytes, "B"),
        };
        let shape = match self.shape {
            Shape::Tight => "tight",
            Shape::Written => "written",
            Shape::Ring(_) => "ring",
        };
        write!(f, "{number} {unit} {shape} {}T", self.threads)
    }
}

/// An allocator to be measured.
pub struct Subject {
    /// Its name in the tables.
    pub name: &'static str,
    /// The allocator itself.
    pub allocator: &'static (dyn GlobalAlloc + Sync),
    /// Makes what has to be alive meanwhile, on the first thread.
    pub during: fn() -> Box<dyn Any>,
    /// Makes what has to be alive on each thread.
    pub on_thread: fn() -> Box<dyn Any>,
    /// How many times fewer pairs are made in a slice, of an allocator so slow that slices would become long.
    pub fewer: usize,
    /// It takes part in every so many rounds.
    pub every: usize,
}

impl Subject {
    /// An allocator that needs nothing else.
    #[must_use]
    pub fn plain(name: &'static str, allocator: &'static (dyn GlobalAlloc + Sync)) -> Self {
        let nothing = || Box::new(()) as Box<dyn Any>;
        Self { name, allocator, during: nothing, on_thread: nothing, fewer: 1, every: 1 }
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The nanoseconds of a pair: the median of the slices of one allocator in one cell and one round.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// The number of the allocator.
    pub subject: usize,
    /// Where it was measured.
    pub cell: Cell,
    /// When it was measured.
    pub round: usize,
    /// What was measured.
    pub nanoseconds: f64,
}

/// All samples, and how many slices at two threads did not count.
#[derive(Clone, Debug, Default)]
pub struct Pairs {
    /// In the order in which they were taken.
    pub samples: Vec<Sample>,
    /// Slices at two threads.
    pub slices_at_two: usize,
    /// Those of them in which the threads did not run side by side.
    pub apart: usize,
    /// Rounds that were completed.
    pub rounds: usize,
}

impl Pairs {
    /// One allocator over another in a cell, round by round, for the rounds that have both.
    #[must_use]
    pub fn ratios(&self, cell: Cell, over: usize, under: usize) -> Vec<f64> {
        let of = |subject| self.samples.iter().filter(move |one| one.cell == cell && one.subject == subject);
        let below = |round| of(under).find(|one| one.round == round);
        of(over).filter_map(|one| Some(one.nanoseconds / below(one.round)?.nanoseconds)).collect()
    }

    /// The nanoseconds of one allocator in a cell, round by round.
    #[must_use]
    pub fn nanoseconds(&self, cell: Cell, subject: usize) -> Vec<f64> {
        let of = self.samples.iter().filter(|one| one.cell == cell && one.subject == subject);
        of.map(|one| one.nanoseconds).collect()
    }
}

/// Measures all allocators in all cells, in each round in another order, until the rounds or the time are over. The first
/// allocator is the one by which slices are sized.
#[must_use]
pub fn measure(subjects: &[Subject], rounds: usize, longest: Duration, random: &mut Random) -> Pairs {
    let started = Instant::now();
    let orders: Vec<usize> = (0..ORDERS).map(|_| random.below(ORDERS)).collect();
    let Some(first) = subjects.first() else { return Pairs::default() };
    let cells: Vec<(Cell, usize)> =
        Cell::all().into_iter().map(|cell| (cell, calibrate(first, cell, &orders))).collect();
    let mut measured = Pairs::default();
    while measured.rounds < rounds && started.elapsed() < longest {
        for &(cell, pairs) in &cells {
            let mut turn: Vec<usize> = (0..subjects.len()).collect();
            random.shuffle(&mut turn);
            for subject in turn {
                if measured.rounds.is_multiple_of(subjects[subject].every) {
                    one(&subjects[subject], subject, cell, pairs, &orders, &mut measured);
                }
            }
        }
        measured.rounds += 1;
    }
    measured
}

fn calibrate(subject: &Subject, cell: Cell, orders: &[usize]) -> usize {
    let work = Work::new(subject, cell, 4, orders);
    let single = (0..20).map(|_| work.slice().1.as_secs_f64() / 4.0);
    let seconds = median(&single.collect::<Vec<_>>()).unwrap_or_default().max(1e-9);
    let shared = if cell.threads == 2 { 1.5 } else { 1.0 };
    ((SLICE.as_secs_f64() / seconds / shared) as usize).clamp(2, 10_000)
}

fn one(subject: &Subject, number: usize, cell: Cell, pairs: usize, orders: &[usize], measured: &mut Pairs) {
    let _during = (subject.during)();
    let pairs = (pairs / subject.fewer).max(2);
    let slices = if cell.threads == 1 {
        alone(&Work::new(subject, cell, pairs, orders))
    } else {
        let (slices, apart) = together(subject, cell, pairs, orders);
        measured.slices_at_two += SLICES;
        measured.apart += apart;
        slices
    };
    let sample = |seconds| Sample {
        subject: number,
        cell,
        round: measured.rounds,
        nanoseconds: seconds / pairs as f64 * 1e9,
    };
    measured.samples.extend(median(&slices).map(sample));
}

/// The seconds of each slice.
fn alone(work: &Work<'_>) -> Vec<f64> {
    work.slice(); // once for nothing
    (0..SLICES).map(|_| work.slice().1.as_secs_f64()).collect()
}

/// The seconds of each slice in which both threads ran side by side, and how many others there were.
fn together(subject: &Subject, cell: Cell, pairs: usize, orders: &[usize]) -> (Vec<f64>, usize) {
    let arrived = AtomicUsize::new(0);
    let run = || {
        let _on_thread = (subject.on_thread)();
        let work = Work::new(subject, cell, pairs, orders);
        let slices = (1..=SLICES + 1).map(|number| {
            arrived.fetch_add(1, Ordering::AcqRel);
            meet(&arrived, 2 * number);
            work.slice()
        });
        let slices: Vec<_> = slices.collect();
        drop(work);
        slices
    };
    let (first, second) = thread::scope(|scope| {
        let other = scope.spawn(run);
        let first = run();
        (first, other.join().unwrap_or_default())
    });
    let both = first.into_iter().zip(second).skip(1);
    let seconds: Vec<f64> = both.filter_map(|(first, second)| side_by_side(first, second)).collect();
    let apart = SLICES - seconds.len();
    (seconds, apart)
}

fn meet(arrived: &AtomicUsize, wanted: usize) {
    let mut turns = 0_u32;
    while arrived.load(Ordering::Acquire) < wanted {
        turns += 1;
        if turns.is_multiple_of(2000) { thread::yield_now() } else { spin_loop() }
    }
}

type Slice = (Instant, Duration);

/// The mean of two slices, if neither ran alone for long.
fn side_by_side(first: Slice, second: Slice) -> Option<f64> {
    let (begin, end) = (first.0.max(second.0), (first.0 + first.1).min(second.0 + second.1));
    let shared = end.checked_duration_since(begin)?.as_secs_f64();
    let longest = first.1.max(second.1).as_secs_f64();
    (shared >= TOGETHER * longest).then_some((first.1 + second.1).as_secs_f64() / 2.0)
}

/// What one thread does again and again.
struct Work<'a> {
    allocator: &'static (dyn GlobalAlloc + Sync),
    layout: Layout,
    shape: Shape,
    pairs: usize,
    orders: &'a [usize],
    live: std::cell::RefCell<Vec<*mut u8>>,
    _on_thread: Box<dyn Any>,
}

impl<'a> Work<'a> {
    fn new(subject: &Subject, cell: Cell, pairs: usize, orders: &'a [usize]) -> Self {
        let on_thread = if cell.threads == 1 { (subject.on_thread)() } else { Box::new(()) };
        let allocator = black_box(subject.allocator);
        let layout = Layout::array::<u8>(cell.bytes).and_then(|layout| layout.align_to(8));
        let layout = layout.unwrap_or_else(|_| Layout::new::<u64>());
        let live = match cell.shape {
            Shape::Ring(blocks) => (0..blocks).map(|_| allocate(allocator, layout)).collect(),
            Shape::Tight | Shape::Written => Vec::new(),
        };
        let live = std::cell::RefCell::new(live);
        Self { allocator, layout, shape: cell.shape, pairs, orders, live, _on_thread: on_thread }
    }

    /// Makes the pairs of one slice, and says when it began and how long it took.
    fn slice(&self) -> Slice {
        let begin = Instant::now();
        match self.shape {
            Shape::Tight => tight(self.allocator, self.layout, self.pairs),
            Shape::Written => written(self.allocator, self.layout, self.pairs),
            Shape::Ring(blocks) => {
                let mut live = self.live.borrow_mut();
                ring(self.allocator, self.layout, self.pairs, &mut live[..blocks], self.orders);
            }
        }
        (begin, begin.elapsed())
    }
}

impl Drop for Work<'_> {
    fn drop(&mut self) {
        for block in self.live.borrow_mut().drain(..) {
            // SAFETY: each was allocated by this allocator with this layout.
            unsafe { self.allocator.dealloc(block, self.layout) };
        }
    }
}

#[inline(always)]
fn allocate(allocator: &dyn GlobalAlloc, layout: Layout) -> *mut u8 {
    // SAFETY: the layout is not of size zero.
    let block = unsafe { allocator.alloc(layout) };
    if block.is_null() {
        std::alloc::handle_alloc_error(layout);
    }
    // SAFETY: it is a block of at least one byte.
    unsafe { block.write_volatile(1) };
    block
}

#[inline(never)]
fn tight(allocator: &dyn GlobalAlloc, layout: Layout, pairs: usize) {
    for _ in 0..pairs {
        let block = allocate(allocator, layout);
        // SAFETY: it was just allocated with this layout.
        unsafe { allocator.dealloc(block, layout) };
    }
}

#[inline(never)]
fn written(allocator: &dyn GlobalAlloc, layout: Layout, pairs: usize) {
    for _ in 0..pairs {
        let block = allocate(allocator, layout);
        for line in (0..layout.size()).step_by(LINE) {
            // SAFETY: it is within the block.
            unsafe { block.add(line).write_volatile(1) };
        }
        // SAFETY: it was just allocated with this layout.
        unsafe { allocator.dealloc(block, layout) };
    }
}

#[inline(never)]
fn ring(allocator: &dyn GlobalAlloc, layout: Layout, pairs: usize, live: &mut [*mut u8], orders: &[usize]) {
    for order in orders.iter().cycle().take(pairs) {
        let place = &mut live[order & (live.len() - 1)];
        // SAFETY: it was allocated with this layout, and is replaced by a new one at once.
        unsafe { allocator.dealloc(*place, layout) };
        *place = allocate(allocator, layout);
    }
}
