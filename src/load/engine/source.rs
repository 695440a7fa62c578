//! Where workers get their turns from.
//!
//! In an open phase the pacer releases arrivals into a ring, and workers take them: one that finds none waits, and is woken
//! when there is one again. A worker whose operation has to wait wakes another one if arrivals are left, so that
//! operations which never wait are done by one worker, one after the other, and all others by as many as it takes. In a
//! closed loop a worker makes its own turns.

use std::sync::Arc;
use std::sync::atomic::{
    AtomicBool, AtomicU8, AtomicU64, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
};
use std::task::Poll;
use std::time::Instant;

use tokio::sync::Notify;

mod closed;

use super::idle::{Idle, Order};
use super::seat::{Seat, Turn};

/// Arrivals that are due and not yet taken; what is more stays with the pacer, and is late by as much.
const RING: usize = 1 << 16;

const WAITING: u8 = 0;
const OPEN: u8 = 1;
const CLOSED: u8 = 2;
const OVER: u8 = 3;

#[derive(Debug, Default)]
struct Arrival {
    intended: AtomicU64,
    number: AtomicU64,
}

#[derive(Debug)]
pub(super) struct Source {
    mode: AtomicU8,
    warm_up: AtomicBool,
    /// Nothing more will be released, or begun.
    ended: AtomicBool,
    /// The first number of the present segment.
    base: AtomicU64,
    /// How many have begun.
    segments: AtomicU64,
    ring: Box<[Arrival]>,
    released: AtomicU64,
    taken: AtomicU64,
    idle: Idle,
    /// Arrivals of all measured segments that were due so far, and those of them that were dropped.
    due: AtomicU64,
    dropped: Box<[AtomicU64]>,
    /// Arrivals that were due when the run was ended, and for which the ring had no room.
    left_over: Box<[AtomicU64]>,
    /// The pacer is at work.
    pacing: AtomicBool,
    /// Operations of open phases that ended; counted only where arrivals may be dropped.
    counts_done: bool,
    done: AtomicU64,
    /// How many workers were set up.
    alive: AtomicU64,
    /// Of the closed loop.
    workers: AtomicUsize,
    ends_at: AtomicU64,
    count: AtomicU64,
    chunk: AtomicU64,
    claimed: AtomicU64,
    think: AtomicU64,
    seats: Box<[Arc<Seat>]>,
    /// Woken when a worker finds that its segment has ended.
    pub(super) changed: Notify,
    epoch: Instant,
}

impl Source {
    pub(super) fn new(
        seats: Box<[Arc<Seat>]>,
        operations: usize,
        order: Order,
        open: bool,
        drops: bool,
        epoch: Instant,
    ) -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            mode: AtomicU8::new(WAITING),
            warm_up: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            base: zero(),
            segments: zero(),
            ring: std::iter::repeat_with(Arrival::default).take(if open { RING } else { 0 }).collect(),
            released: zero(),
            taken: zero(),
            idle: Idle::new(seats.len(), order),
            due: zero(),
            dropped: std::iter::repeat_with(AtomicU64::default).take(operations).collect(),
            left_over: std::iter::repeat_with(AtomicU64::default).take(operations).collect(),
            pacing: AtomicBool::new(false),
            counts_done: drops,
            done: zero(),
            alive: zero(),
            workers: AtomicUsize::new(0),
            ends_at: zero(),
            count: zero(),
            chunk: zero(),
            claimed: zero(),
            think: zero(),
            seats,
            changed: Notify::new(),
            epoch,
        }
    }

    /// What it takes, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        (self.ring.len() * size_of::<Arrival>() + self.seats.len() * size_of::<Seat>()) as u64
    }

    pub(super) fn seats(&self) -> &[Arc<Seat>] {
        &self.seats
    }

    pub(super) fn now(&self) -> u64 {
        crate::load::histogram::nanos(self.epoch.elapsed())
    }

    // ---- what the run does

    pub(super) fn set_alive(&self, workers: u64) {
        self.alive.store(workers, Relaxed);
    }

    /// Begins an open segment, whose arrivals are numbered from `base`.
    pub(super) fn open(&self, base: u64, warm_up: bool) {
        self.begin(base, warm_up, OPEN);
    }

    fn begin(&self, base: u64, warm_up: bool, mode: u8) {
        self.base.store(base, Relaxed);
        self.warm_up.store(warm_up, Relaxed);
        self.ended.store(false, SeqCst);
        self.segments.fetch_add(1, SeqCst);
        self.mode.store(mode, SeqCst);
    }

    /// Nothing more is released or begun in the present segment.
    pub(super) fn end(&self) {
        if !self.ended.swap(true, SeqCst) {
            self.changed.notify_one(); // not each time: who waits for it ends it, too
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.mode.load(Relaxed) == OPEN
    }

    /// Between two segments.
    pub(super) fn pause(&self) {
        if self.mode.swap(WAITING, SeqCst) == CLOSED {
            self.wake_all(); // those that think
        }
    }

    /// Whether every worker has to tear down and end.
    pub(super) fn is_over(&self) -> bool {
        self.mode.load(Relaxed) == OVER
    }

    /// Every worker tears down and ends.
    pub(super) fn over(&self) {
        self.ended.store(true, SeqCst);
        self.mode.store(OVER, SeqCst);
        self.wake_all();
    }

    fn wake_all(&self) {
        self.seats.iter().for_each(|seat| seat.wake());
    }

    /// Whether the present segment has ended and nothing of it is waiting or under way.
    pub(super) fn is_drained(&self) -> bool {
        (self.ended.load(SeqCst) && self.taken.load(SeqCst) >= self.released.load(SeqCst)
            || self.is_used_up())
            && self.seats.iter().all(|seat| seat.is_idle())
    }

    pub(super) fn due(&self) -> u64 {
        self.due.load(Relaxed)
    }

    pub(super) fn dropped(&self, operation: usize) -> u64 {
        self.dropped[operation].load(Relaxed)
    }

    /// Arrivals that wait to be taken.
    pub(super) fn waiting(&self) -> u64 {
        self.released.load(Relaxed).saturating_sub(self.taken.load(Relaxed))
    }

    /// The numbers of the arrivals that wait to be taken.
    pub(super) fn waiting_numbers(&self) -> impl Iterator<Item = u64> {
        (self.taken.load(Relaxed)..self.released.load(Relaxed)).map(|at| self.slot(at).number.load(Relaxed))
    }

    pub(super) fn in_flight(&self) -> u64 {
        self.seats.iter().filter(|seat| seat.running().is_some()).count() as u64
    }

    // ---- what the pacer does

    fn slot(&self, at: u64) -> &Arrival {
        &self.ring[usize::try_from(at).unwrap_or_default() & (RING - 1)]
    }

    pub(super) fn left_over(&self, operation: usize) -> u64 {
        self.left_over[operation].load(Relaxed)
    }

    pub(super) fn is_pacing(&self) -> bool {
        self.pacing.load(Acquire)
    }

    pub(super) fn set_pacing(&self, pacing: bool) {
        self.pacing.store(pacing, Release);
    }

    /// Counts arrival number `number` of the segment, which was due and is not released any more.
    pub(super) fn leave_over(&self, number: u64, operation_of: impl Fn(u64) -> usize) {
        let number = self.base.load(Relaxed) + number;
        let measured = u64::from(!self.warm_up.load(Relaxed));
        self.left_over[operation_of(number)].fetch_add(measured, Relaxed);
        self.due.fetch_add(measured, Relaxed);
    }

    /// Releases arrival number `number` of the segment; `false` while the ring is full. One thread at a time.
    pub(super) fn release(&self, number: u64, intended: u64, operation_of: impl Fn(u64) -> usize) -> bool {
        let released = self.released.load(Relaxed);
        if released - self.taken.load(Acquire) >= RING as u64 {
            return false;
        }
        let number = self.base.load(Relaxed) + number;
        let measured = !self.warm_up.load(Relaxed);
        self.due.fetch_add(u64::from(measured), Relaxed);
        if self.counts_done && released - self.done.load(Relaxed) >= self.alive.load(Relaxed) {
            self.dropped[operation_of(number)].fetch_add(u64::from(measured), Relaxed);
            return true;
        }
        let slot = self.slot(released);
        slot.intended.store(intended, Relaxed);
        slot.number.store(number, Relaxed);
        self.released.store(released + 1, SeqCst);
        true
    }

    /// Wakes up to `most` waiting workers, as long as there is something for them.
    pub(super) fn wake(&self, most: usize) {
        for _ in 0..most {
            if self.taken.load(SeqCst) >= self.released.load(SeqCst) {
                return;
            }
            let Some(worker) = self.idle.take() else { return };
            self.seats[worker].wake();
        }
    }

    /// Called when an operation has to wait: lets another worker take what is left.
    pub(super) fn help(&self) {
        if self.mode.load(Relaxed) == OPEN {
            self.wake(1);
        }
    }

    // ---- what a worker does

    /// The worker's next turn; `None` when it has to tear down. It is woken when there is one.
    #[inline]
    pub(super) fn poll_turn(&self, seat: &Seat) -> Poll<Option<Turn>> {
        if seat.leave.load(Relaxed) {
            // What it was woken for, or would be, is for another one.
            self.idle.remove(seat.worker);
            self.help();
            return Poll::Ready(None);
        }
        loop {
            let mode = self.mode.load(SeqCst);
            let turn = match mode {
                OPEN => self.poll_open(seat),
                CLOSED => self.poll_closed(seat),
                OVER => Poll::Ready(None),
                _ => Poll::Pending,
            };
            if turn.is_ready() {
                return turn;
            }
            if mode != OPEN {
                self.list(seat);
            }
            // It may be wanted by a segment that begins at this moment.
            if self.mode.load(SeqCst) == mode {
                return Poll::Pending;
            }
        }
    }

    /// Puts a worker that is about to wait into the list.
    fn list(&self, seat: &Seat) {
        seat.listed.store(true, Relaxed);
        self.idle.add(seat.worker);
    }

    fn unlist(&self, seat: &Seat) {
        seat.listed.store(false, Relaxed);
        self.idle.remove(seat.worker);
    }

    #[inline]
    fn poll_open(&self, seat: &Seat) -> Poll<Option<Turn>> {
        if let Some(turn) = self.take(seat) {
            // Woken by something else, it may still be in the list: who is busy must not be woken in another's place.
            if seat.listed.load(Relaxed) {
                self.unlist(seat);
            }
            return Poll::Ready(Some(turn));
        }
        self.list(seat);
        // An arrival released meanwhile may have found nobody waiting.
        match self.take(seat) {
            Some(turn) => {
                self.unlist(seat);
                Poll::Ready(Some(turn))
            }
            None => {
                if self.ended.load(SeqCst) {
                    self.changed.notify_one();
                }
                Poll::Pending
            }
        }
    }

    #[inline]
    fn take(&self, seat: &Seat) -> Option<Turn> {
        let mut taken = self.taken.load(SeqCst);
        loop {
            if taken >= self.released.load(SeqCst) {
                seat.end();
                return None;
            }
            seat.claim(); // seen by all who see that it is taken
            // Read before it is taken: from then on the pacer may write there again.
            let slot = self.slot(taken);
            let (intended, sequence) = (slot.intended.load(Relaxed), slot.number.load(Relaxed));
            match self.taken.compare_exchange_weak(taken, taken + 1, SeqCst, SeqCst) {
                Ok(_) => {
                    let warm_up = self.warm_up.load(Relaxed);
                    return Some(Turn { sequence, intended: Some(intended), warm_up });
                }
                Err(now) => taken = now,
            }
        }
    }

    /// Counts an operation of an open phase that has ended.
    #[inline]
    pub(super) fn done(&self) {
        if self.counts_done {
            self.done.fetch_add(1, Release);
        }
    }
}
