//! Threads that are hard to tell: of threads that have ended, ending themselves, many and short.

use std::cell::Cell;
use std::hint::black_box;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use isolated_nats::{MemoryProbe, MemoryReport};

use crate::{THREAD_TABLE, block, heap_is_measured};

/// What threads and channels need for themselves here.
const ROOM: i64 = 16 << 10;

#[track_caller]
fn assert_heap(report: &MemoryReport, live: i64, peak: i64) {
    let heap = report.heap.as_ref().unwrap();
    let (own_live, own_peak) = (heap.live_bytes.unwrap().cast_signed(), heap.peak_bytes.cast_signed());
    assert!((live..=live + ROOM).contains(&own_live), "live {own_live}, not {live}: {report}");
    let below = heap.peak_error_bytes.cast_signed() + THREAD_TABLE;
    assert!((peak - below..=peak + ROOM).contains(&own_peak), "peak {own_peak}, not {peak}: {report}");
}

#[test]
fn a_thread_whose_starter_has_ended_belongs_to_the_test() {
    if !heap_is_measured() {
        return;
    }
    let probe = MemoryProbe::start();
    let (go, went) = mpsc::channel::<()>();
    let second = thread::spawn(|| {
        thread::spawn(move || {
            went.recv().unwrap();
            thread::spawn(|| block(2_000_000)).join().unwrap()
        })
    });
    let second = second.join().unwrap(); // the first thread has ended
    go.send(()).unwrap();
    let kept = second.join().unwrap();
    probe.settle_blocking();
    let report = probe.finish();
    assert_heap(&report, 2_000_000, 2_000_000);
    drop(kept);
}

/// Frees one block and allocates another when its thread ends, after or before this crate's own destructor.
struct Late {
    held: Cell<Option<Vec<u8>>>,
    sender: Cell<Option<Sender<Vec<u8>>>>,
}

impl Drop for Late {
    fn drop(&mut self) {
        drop(self.held.take());
        drop(block(3_000_000));
        self.sender.take().unwrap().send(block(1_000_000)).unwrap();
    }
}

thread_local! {
    static LATE: Late = const { Late { held: Cell::new(None), sender: Cell::new(None) } };
}

/// What destructors of thread-locals have allocated, in a thread that allocates before it has them, or after.
fn late(before: bool) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    let end = move || {
        let first = before.then(|| block(10));
        LATE.with(|late| {
            late.sender.set(Some(sender));
            late.held.set(Some(block(500_000)));
        });
        drop(first);
    };
    thread::spawn(end).join().unwrap();
    receiver
}

#[test]
fn what_destructors_do_at_the_end_of_a_thread_is_the_tests() {
    if !heap_is_measured() {
        return;
    }
    for before in [true, false] {
        let probe = MemoryProbe::start();
        let kept = late(before).recv().unwrap();
        probe.settle_blocking();
        let report = probe.finish();
        assert_heap(&report, 1_000_000, 3_000_000);
        let heap = report.heap.unwrap();
        assert!(heap.untagged_frees == 0 && heap.unattributed_bytes == 0, "{heap:?}");
        drop(kept);
    }
}

#[test]
fn a_panic_leaves_nothing_behind() {
    if !heap_is_measured() {
        return;
    }
    let probe = MemoryProbe::start();
    for _ in 0..20 {
        let panicking = thread::spawn(|| {
            let _held = block(1_000_000);
            std::panic::resume_unwind(Box::new([7_u8; 5_000])) // as a panic does, without its message
        });
        assert!(panicking.join().is_err());
    }
    probe.settle_blocking();
    assert_heap(&probe.finish(), 0, 1_005_000);
}

#[test]
fn thousands_of_short_threads_leave_nothing_and_raise_no_peak() {
    if !heap_is_measured() {
        return;
    }
    let probe = MemoryProbe::builder().without_samples().start();
    for _ in 0..4 {
        probe.phase("1000 threads");
        for _ in 0..1000 {
            thread::spawn(|| drop(block(1_500))).join().unwrap();
        }
    }
    probe.settle_blocking();
    let report = probe.finish();
    let peaks: Vec<_> = report.phases[1..].iter().map(|phase| phase.heap.unwrap().peak_bytes).collect();
    assert!(peaks.iter().all(|peak| *peak < 8 << 10), "{peaks:?}");
    let growths: Vec<_> = report.phases.iter().map(|phase| phase.heap.unwrap().growth_bytes).collect();
    assert!(growths.iter().all(|growth| growth.abs() <= THREAD_TABLE), "{growths:?}");
    assert!(report.allocations().unwrap() >= 4000);
}

const THREADS: usize = 32;
const EACH: usize = 1_900;

/// Each thread holds less than it tells the others of, until all have: the peak must not be further off than is said.
#[test]
fn the_peak_of_threads_with_little_is_within_its_stated_error() {
    if !heap_is_measured() {
        return;
    }
    let probe = MemoryProbe::builder().without_samples().start();
    let all = Barrier::new(THREADS);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let held = block(EACH);
                all.wait();
                drop(held);
            });
        }
    });
    let heap = probe.finish().heap.unwrap();
    let right = (THREADS * EACH) as u64;
    assert!(heap.peak_bytes + heap.peak_error_bytes >= right, "{right} is out of reach: {heap:?}");
}

#[test]
fn a_pool_from_before_the_probe_counts_for_its_test() {
    if !heap_is_measured() {
        return;
    }
    let (sender, work) = mpsc::channel::<usize>();
    let work = Arc::new(Mutex::new(work));
    let (done, blocks) = mpsc::channel();
    let pool: Vec<_> = (0..4)
        .map(|_| {
            let (work, done) = (Arc::clone(&work), done.clone());
            thread::spawn(move || {
                while let Ok(bytes) = { work.lock().unwrap().recv() } {
                    done.send(block(bytes)).unwrap();
                }
            })
        })
        .collect();
    drop(done);
    let probe = MemoryProbe::start();
    (0..40).for_each(|_| sender.send(100_000).unwrap());
    let kept: Vec<_> = blocks.iter().take(40).collect();
    drop(sender);
    pool.into_iter().for_each(|thread| thread.join().unwrap());
    probe.settle_blocking();
    assert_heap(&probe.finish(), 4_000_000, 4_000_000);
    drop(kept);
}

#[test]
fn threads_that_free_each_others_blocks_end_at_zero() {
    if !heap_is_measured() {
        return;
    }
    let probe = MemoryProbe::start();
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..4).map(|_| mpsc::sync_channel::<Box<[u8]>>(16)).unzip();
    thread::scope(|scope| {
        let mut threads = Vec::with_capacity(4);
        for (place, receiver) in receivers.into_iter().enumerate() {
            let next = senders[(place + 1) % 4].clone();
            threads.push(scope.spawn(move || {
                for round in 0..2_000_usize {
                    next.send(black_box(vec![1; round % 3000 + 1].into_boxed_slice())).unwrap();
                    drop(receiver.recv().unwrap());
                }
            }));
        }
        // The end of a scope waits for the work of its threads only, and not for their ends.
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
    drop(senders);
    probe.settle_blocking();
    let heap = probe.finish().heap.unwrap();
    assert!(heap.live_bytes.unwrap().cast_signed() <= THREAD_TABLE, "{heap:?}");
    assert!(heap.peak_bytes < 64 * 3000 + (16 << 10), "{heap:?}");
}
