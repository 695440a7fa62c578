//! Thirty-two workloads whose bytes are known beforehand: how much they hold at the end, and at most.
//!
//! The tests of the crate run them, and so do the benchmarks, beside other allocators: nothing here names one. What a
//! workload needs before it is measured (its runtime, a pool) it makes before it calls [`Meter::measure`]. A block that is
//! counted is large beside what threads, tasks and channels need for themselves, or there are none of these.

use std::hint::black_box;
use std::sync::mpsc::{self, SyncSender};
use std::sync::{Arc, Barrier, OnceLock};
use std::thread;

use tokio::runtime::{Builder, Runtime};
use tokio::task::{block_in_place, spawn_blocking, yield_now};

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// What measures a workload.
pub trait Meter: 'static {
    /// A measurement that has begun.
    type Running: Running;

    /// Measures `body` until it is at rest, with what it returns still held.
    fn measure<T>(&self, body: impl FnOnce(&Self::Running) -> T) -> Reading;
}

/// A measurement that has begun.
pub trait Running {
    /// A component of what is measured.
    type Part: Part;

    /// Returns the component, which has a measurement of its own if the meter can do that.
    fn part(&self) -> Self::Part;
}

/// A component of what is measured.
pub trait Part: Copy + Send + 'static {
    /// Attributes to the component what `work` does.
    fn run<T>(self, work: impl FnOnce() -> T) -> T;

    /// Attributes to the component what a future does.
    fn wrap<F: Future<Output: Send> + Send>(self, future: F) -> impl Future<Output = F::Output> + Send;
}

/// What a meter has read, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// Bytes held at the end.
    pub live: i64,
    /// Bytes held at most; `None` from a meter that cannot tell.
    pub peak: Option<i64>,
    /// The same of the component.
    pub part: Option<Expected>,
}

/// Bytes that are known beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Bytes held at the end.
    pub live: i64,
    /// Bytes held at most.
    pub peak: i64,
}

/// A workload.
#[derive(Debug)]
pub struct Case<M> {
    /// What it does.
    pub name: &'static str,
    /// What a perfect meter reads.
    pub expected: Expected,
    /// What it reads of the component, if the workload has one.
    pub part: Option<Expected>,
    /// Whether nothing but the known blocks is allocated, so that a reading must be right to the byte.
    pub exact: bool,
    /// Runs it.
    pub run: fn(&M) -> Reading,
}

impl<M> Case<M> {
    fn new(name: &'static str, live: usize, peak: usize, run: fn(&M) -> Reading) -> Self {
        Self { name, expected: expected(live, peak), part: None, exact: false, run }
    }

    fn exact(self) -> Self {
        Self { exact: true, ..self }
    }

    fn part(self, live: usize, peak: usize) -> Self {
        Self { part: Some(expected(live, peak)), ..self }
    }
}

fn expected(live: usize, peak: usize) -> Expected {
    let bytes = |bytes: usize| i64::try_from(bytes).unwrap_or(i64::MAX);
    Expected { live: bytes(live), peak: bytes(peak) }
}

/// All workloads.
#[must_use]
pub fn cases<M: Meter>() -> Vec<Case<M>> {
    let mut cases = one_thread();
    cases.extend(threads());
    cases.extend(foreign_frees());
    cases.extend(runtimes());
    cases.extend(components());
    cases
}

fn block(bytes: usize) -> Vec<u8> {
    black_box(vec![1; bytes])
}

/// So many blocks, in a vector of just that length.
fn blocks(count: usize, bytes: usize) -> Vec<Vec<u8>> {
    (0..count).map(|_| block(bytes)).collect()
}

const fn bytes_of_blocks(count: usize, bytes: usize) -> usize {
    count * (bytes + size_of::<Vec<u8>>())
}

/// Holds both until all others do, then only what is kept.
fn hold(all: &Barrier, kept: usize, brief: usize) -> Vec<u8> {
    let kept = block(kept);
    let brief = block(brief);
    all.wait();
    drop(brief);
    kept
}

fn one_thread<M: Meter>() -> Vec<Case<M>> {
    vec![
        Case::new("one block kept, one dropped", MIB, 4 * MIB, |meter: &M| {
            meter.measure(|_| {
                let kept = block(MIB);
                drop(block(3 * MIB));
                kept
            })
        })
        .exact(),
        Case::new("many small blocks", 32_768 * (64 + 8), 32_768 * (64 + 8), |meter: &M| {
            meter.measure(|_| (0..32_768).map(|_| black_box(Box::new([1_u8; 64]))).collect::<Vec<_>>())
        })
        .exact(),
        Case::new(
            "few large blocks",
            bytes_of_blocks(3, 3 * MIB),
            bytes_of_blocks(3, 3 * MIB) + 6 * MIB,
            |meter: &M| {
                meter.measure(|_| {
                    let kept = blocks(3, 3 * MIB);
                    drop(block(6 * MIB));
                    kept
                })
            },
        )
        .exact(),
        Case::new("zeroed blocks", 64 * MIB, 96 * MIB, |meter: &M| {
            meter.measure(|_| {
                let kept = black_box(vec![0_u8; 64 * MIB]);
                drop(black_box(vec![0_u64; 4 * MIB]));
                kept
            })
        })
        .exact(),
        Case::new("a vector that grows", 4 * MIB, 4 * MIB, |meter: &M| {
            meter.measure(|_| {
                let mut grown = Vec::new();
                (0..MIB).for_each(|number| grown.push(number as f32));
                grown
            })
        })
        .exact(),
        Case::new("a vector that shrinks", 5 * MIB, 8 * MIB, |meter: &M| {
            meter.measure(|_| {
                let mut kept = block(8 * MIB);
                kept.truncate(MIB);
                kept.shrink_to_fit();
                let beside = block(4 * MIB);
                (kept, beside)
            })
        })
        .exact(),
        Case::new("a block forgotten", 12_345, 12_345 + 77, |meter: &M| {
            meter.measure(|_| {
                std::mem::forget(block(12_345));
                drop(block(77));
            })
        })
        .exact(),
        Case::new("a sawtooth", MIB, 3 * MIB, |meter: &M| {
            meter.measure(|_| {
                let kept = block(MIB);
                for teeth in (1..=128).chain((1..=128).rev()) {
                    drop(block(teeth * 16 * KIB));
                }
                kept
            })
        })
        .exact(),
        Case::new("pages at their alignment", 513 * (4096 + 8), 513 * (4096 + 8) + 4096, |meter: &M| {
            #[repr(align(4096))]
            struct Page(#[expect(dead_code, reason = "takes room")] [u8; 4096]);
            meter.measure(|_| {
                let kept: Vec<_> = (0..513).map(|_| black_box(Box::new(Page([1; 4096])))).collect();
                drop(black_box(Box::new(Page([2; 4096]))));
                kept
            })
        })
        .exact(),
    ]
}

fn threads<M: Meter>() -> Vec<Case<M>> {
    vec![
        Case::new("a thread", 2 * MIB, 6 * MIB, |meter: &M| {
            meter.measure(|_| thread::spawn(|| hold(&Barrier::new(1), 2 * MIB, 4 * MIB)).join().unwrap())
        }),
        Case::new("four threads at once", 4 * MIB, 8 * MIB, |meter: &M| {
            meter.measure(|_| {
                let all = Arc::new(Barrier::new(4));
                let hold = || {
                    let all = Arc::clone(&all);
                    thread::spawn(move || hold(&all, MIB, MIB))
                };
                let threads: [_; 4] = std::array::from_fn(|_| hold());
                threads.map(|thread| thread.join().unwrap())
            })
        }),
        Case::new("scoped threads", 4 * MIB, 6 * MIB, |meter: &M| {
            meter.measure(|_| {
                let all = Barrier::new(4);
                thread::scope(|scope| {
                    let threads: [_; 4] = std::array::from_fn(|_| scope.spawn(|| hold(&all, MIB, MIB / 2)));
                    threads.map(|thread| thread.join().unwrap())
                })
            })
        }),
        Case::new("threads of threads of threads", 3 * MIB, 6 * MIB, |meter: &M| {
            meter.measure(|_| {
                let all = Arc::new(Barrier::new(3));
                let outer = thread::spawn(move || {
                    let (middles, inners) = (Arc::clone(&all), Arc::clone(&all));
                    let middle = thread::spawn(move || {
                        let inner = thread::spawn(move || hold(&inners, MIB, MIB));
                        (hold(&middles, MIB, MIB), inner.join().unwrap())
                    });
                    (hold(&all, MIB, MIB), middle.join().unwrap())
                });
                outer.join().unwrap()
            })
        }),
        Case::new("a thread with a name", 3 * MIB, 4 * MIB, |meter: &M| {
            meter.measure(|_| {
                let builder = thread::Builder::new().name("a name".into());
                builder.spawn(|| hold(&Barrier::new(1), 3 * MIB, MIB)).unwrap().join().unwrap()
            })
        }),
        Case::new(
            "two hundred short threads",
            bytes_of_blocks(200, 32 * KIB),
            bytes_of_blocks(200, 32 * KIB) + MIB,
            |meter: &M| {
                meter.measure(|_| {
                    let short = |_| thread::spawn(|| hold(&Barrier::new(1), 32 * KIB, MIB)).join().unwrap();
                    (0..200).map(short).collect::<Vec<_>>()
                })
            },
        ),
        Case::new(
            "small blocks in four threads",
            4 * bytes_of_blocks(8192, 128),
            8 * bytes_of_blocks(8192, 128),
            |meter: &M| {
                meter.measure(|_| {
                    let all = Barrier::new(4);
                    let work = || {
                        let (kept, brief) = (blocks(8192, 128), blocks(8192, 128));
                        all.wait();
                        drop(brief);
                        kept
                    };
                    thread::scope(|scope| {
                        let threads: [_; 4] = std::array::from_fn(|_| scope.spawn(work));
                        threads.map(|thread| thread.join().unwrap())
                    })
                })
            },
        ),
    ]
}

type Freed = Box<dyn std::any::Any + Send>;

/// A thread that frees what it is sent, and says so. Whoever asks first starts it: to all others it is foreign.
fn foreign() -> &'static SyncSender<(Freed, SyncSender<()>)> {
    static FOREIGN: OnceLock<SyncSender<(Freed, SyncSender<()>)>> = OnceLock::new();
    FOREIGN.get_or_init(|| {
        let (sender, receiver) = mpsc::sync_channel::<(Freed, SyncSender<()>)>(64);
        let free = move || {
            for (freed, done) in receiver {
                drop(freed);
                let _ = done.send(());
            }
        };
        thread::spawn(free);
        sender
    })
}

/// A thread that runs what it is sent; foreign as above.
fn pool() -> &'static SyncSender<Box<dyn FnOnce() + Send>> {
    static POOL: OnceLock<SyncSender<Box<dyn FnOnce() + Send>>> = OnceLock::new();
    POOL.get_or_init(|| {
        let (sender, receiver) = mpsc::sync_channel::<Box<dyn FnOnce() + Send>>(64);
        thread::spawn(move || receiver.into_iter().for_each(|work| work()));
        sender
    })
}

fn foreign_frees<M: Meter>() -> Vec<Case<M>> {
    vec![
        Case::new("freed by another thread", 2 * MIB, 6 * MIB, |meter: &M| {
            meter.measure(|_| {
                let (kept, freed) = (block(2 * MIB), block(4 * MIB));
                thread::spawn(move || drop(freed)).join().unwrap();
                kept
            })
        }),
        Case::new("freed by a thread of another test", 2 * MIB, 6 * MIB, |meter: &M| {
            let foreign = foreign();
            let (done, is_done) = mpsc::sync_channel(1);
            meter.measure(|_| {
                let kept = block(2 * MIB);
                foreign.send((Box::new(block(4 * MIB)), done)).unwrap();
                is_done.recv().unwrap();
                kept
            })
        }),
        Case::new("a channel to a freeing thread", 4 * MIB, 6 * MIB, |meter: &M| {
            meter.measure(|_| {
                let kept = block(4 * MIB);
                let (sender, receiver) = mpsc::sync_channel::<Vec<u8>>(0);
                let freeing = thread::spawn(move || receiver.into_iter().for_each(drop));
                for _ in 0..64 {
                    let freed = block(32 * KIB); // at most two at a time: one in hand, one being freed
                    sender.send(freed).unwrap();
                }
                drop(sender);
                freeing.join().unwrap();
                drop(block(2 * MIB));
                kept
            })
        }),
        Case::new(
            "small blocks freed by another thread",
            bytes_of_blocks(16_384, 256),
            2 * bytes_of_blocks(16_384, 256),
            |meter: &M| {
                meter.measure(|_| {
                    let (kept, freed) = (blocks(16_384, 256), blocks(16_384, 256));
                    thread::spawn(move || drop(freed)).join().unwrap();
                    kept
                })
            },
        ),
        Case::new("resized by one thread, freed by another", 2 * MIB, 8 * MIB, |meter: &M| {
            meter.measure(|_| {
                let (kept, mut resized) = (block(2 * MIB), block(MIB));
                let resize = move || {
                    resized.reserve_exact(5 * MIB);
                    resized
                };
                let resized = thread::spawn(resize).join().unwrap();
                thread::spawn(move || drop(resized)).join().unwrap();
                kept
            })
        }),
    ]
}

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn multi_thread() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Four blocking threads, each with blocks of 32 KiB.
async fn blocking() -> Vec<Vec<Vec<u8>>> {
    let all = Arc::new(Barrier::new(4));
    let work = |_| {
        let all = Arc::clone(&all);
        spawn_blocking(move || {
            let (kept, brief) = (blocks(64, 32 * KIB), blocks(32, 32 * KIB));
            all.wait();
            drop(brief);
            kept
        })
    };
    let tasks: [_; 4] = [0, 1, 2, 3].map(work);
    let mut kept = Vec::with_capacity(4);
    for task in tasks {
        kept.push(task.await.unwrap());
    }
    kept
}

const BLOCKING_LIVE: usize = 4 * bytes_of_blocks(64, 32 * KIB);
const BLOCKING_PEAK: usize = BLOCKING_LIVE + 4 * bytes_of_blocks(32, 32 * KIB);

/// Sixteen tasks, each with a block; then, for a moment, one block more.
async fn tasks() -> [Vec<u8>; 16] {
    let tasks: [_; 16] = std::array::from_fn(|_| tokio::spawn(async { block(256 * KIB) }));
    let mut kept = [const { Vec::new() }; 16];
    for (place, task) in kept.iter_mut().zip(tasks) {
        *place = task.await.unwrap();
    }
    drop(block(2 * MIB));
    kept
}

/// Takes blocks one after the other, at each of which it may go on in another thread.
async fn wander() -> Vec<Vec<u8>> {
    let mut kept = Vec::with_capacity(32);
    for _ in 0..32 {
        kept.push(block(32 * KIB));
        yield_now().await;
    }
    kept
}

const WANDER: usize = bytes_of_blocks(32, 32 * KIB);

fn runtimes<M: Meter>() -> Vec<Case<M>> {
    vec![
        Case::new("blocking threads, current_thread", BLOCKING_LIVE, BLOCKING_PEAK, |meter: &M| {
            let runtime = current_thread();
            meter.measure(|_| runtime.block_on(blocking()))
        }),
        Case::new("blocking threads, multi_thread", BLOCKING_LIVE, BLOCKING_PEAK, |meter: &M| {
            let runtime = multi_thread();
            meter.measure(|_| runtime.block_on(blocking()))
        }),
        Case::new("tasks, current_thread", 4 * MIB, 6 * MIB, |meter: &M| {
            let runtime = current_thread();
            meter.measure(|_| runtime.block_on(tasks()))
        }),
        Case::new("tasks, multi_thread", 4 * MIB, 6 * MIB, |meter: &M| {
            let runtime = multi_thread();
            meter.measure(|_| runtime.block_on(tasks()))
        }),
        Case::new("tasks that migrate", 4 * WANDER, 4 * WANDER + MIB, |meter: &M| {
            let runtime = multi_thread();
            meter.measure(|_| {
                runtime.block_on(async {
                    let tasks: [_; 4] = std::array::from_fn(|_| tokio::spawn(wander()));
                    let mut kept = [const { Vec::new() }; 4];
                    for (place, task) in kept.iter_mut().zip(tasks) {
                        *place = task.await.unwrap();
                    }
                    drop(block(MIB));
                    kept
                })
            })
        }),
        Case::new("block_in_place", 4 * MIB, 6 * MIB, |meter: &M| {
            let runtime = multi_thread();
            meter.measure(|_| {
                let work = || block_in_place(|| hold(&Barrier::new(1), 4 * MIB, 2 * MIB));
                runtime.block_on(async { tokio::spawn(async move { work() }).await.unwrap() })
            })
        }),
        Case::new("a channel of tokio's to a freeing task", 4 * MIB, 6 * MIB, |meter: &M| {
            let runtime = multi_thread();
            meter.measure(|_| {
                runtime.block_on(async {
                    let kept = block(4 * MIB);
                    let (sender, mut receiver) = tokio::sync::mpsc::channel::<Vec<u8>>(4);
                    let freeing = tokio::spawn(async move { while receiver.recv().await.is_some() {} });
                    for _ in 0..64 {
                        sender.send(block(32 * KIB)).await.unwrap();
                    }
                    drop(sender);
                    freeing.await.unwrap();
                    drop(block(2 * MIB));
                    kept
                })
            })
        }),
        Case::new("blocking threads and threads, freed by the test", 4 * MIB, 8 * MIB, |meter: &M| {
            let runtime = current_thread();
            meter.measure(|_| {
                runtime.block_on(async {
                    let blocking = spawn_blocking(|| (block(2 * MIB), block(2 * MIB)));
                    let thread = thread::spawn(|| (block(2 * MIB), block(2 * MIB)));
                    let (kept, freed) = blocking.await.unwrap();
                    let (also_kept, also_freed) = thread.join().unwrap();
                    drop((freed, also_freed));
                    (kept, also_kept)
                })
            })
        }),
    ]
}

fn components<M: Meter>() -> Vec<Case<M>> {
    vec![
        Case::new("a component", 3 * MIB, 5 * MIB, |meter: &M| {
            meter.measure(|running| {
                let part = running.part().run(|| hold(&Barrier::new(1), 2 * MIB, 3 * MIB));
                (part, block(MIB))
            })
        })
        .part(2 * MIB, 5 * MIB),
        Case::new("a component's future that migrates", WANDER + 4 * MIB, WANDER + 6 * MIB, |meter: &M| {
            let runtime = multi_thread();
            meter.measure(|running| {
                let part = running.part();
                runtime.block_on(async {
                    let wandering = tokio::spawn(part.wrap(wander()));
                    (wandering.await.unwrap(), hold(&Barrier::new(1), 4 * MIB, 2 * MIB))
                })
            })
        })
        .part(WANDER, WANDER),
        Case::new("a component on a thread of another test", 4 * MIB, 6 * MIB, |meter: &M| {
            let pool = pool();
            let (done, is_done) = mpsc::sync_channel(1);
            meter.measure(|running| {
                let part = running.part();
                let work = move || done.send(part.run(|| hold(&Barrier::new(1), 4 * MIB, 2 * MIB))).unwrap();
                pool.send(Box::new(work)).unwrap();
                is_done.recv().unwrap()
            })
        })
        .part(4 * MIB, 6 * MIB),
    ]
}
