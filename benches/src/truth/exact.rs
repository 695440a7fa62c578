//! Programs that allocate the same to the byte whenever they run, to compare counters that are exact in one process.

use std::hint::black_box;
use std::sync::Barrier;
use std::{fmt, thread};

use crate::Error;
use crate::random::Random;

/// What was counted, in bytes and blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Blocks asked for, resizing included.
    pub total_blocks: u64,
    /// Bytes asked for; a block that is resized counts anew, at its new size.
    pub total_bytes: u64,
    /// Blocks held at the end.
    pub current_blocks: u64,
    /// Bytes held at the end.
    pub current_bytes: u64,
    /// Bytes held at most.
    pub max_bytes: u64,
}

impl Counted {
    /// The names of the figures, in the order of [`figures`](Self::figures).
    pub const NAMES: [&'static str; 5] =
        ["total blocks", "total bytes", "current blocks", "current bytes", "max bytes"];

    /// All figures.
    #[must_use]
    pub fn figures(&self) -> [u64; 5] {
        let Self { total_blocks, total_bytes, current_blocks, current_bytes, max_bytes } = *self;
        [total_blocks, total_bytes, current_blocks, current_bytes, max_bytes]
    }

    /// Reads what `Display` has written.
    ///
    /// # Errors
    ///
    /// When the text is not five numbers.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let numbers = text.split_whitespace().map(str::parse).collect::<Result<Vec<u64>, _>>()?;
        let [total_blocks, total_bytes, current_blocks, current_bytes, max_bytes] = numbers[..] else {
            return Err(format!("`{text}` is not five numbers").into());
        };
        Ok(Self { total_blocks, total_bytes, current_blocks, current_bytes, max_bytes })
    }
}

impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let figures = self.figures().map(|figure| figure.to_string());
        f.write_str(&figures.join(" "))
    }
}

/// The programs, by name.
pub const PROGRAMS: [(&str, Program); 2] = [("one thread", one_thread), ("eight threads", eight_threads)];

/// A program.
pub type Program = fn() -> Kept;

/// What a program holds at its end.
pub type Kept = Vec<Vec<u8>>;

/// Prepares what a process does once only, so that it is not counted in one program and not in the other.
pub fn warm_up() {
    drop(eight_threads());
}

/// Allocates, resizes and frees at random, always the same way.
fn one_thread() -> Kept {
    let mut kept = churn(1, 20_000);
    kept.truncate(kept.len() / 2);
    kept
}

/// Eight threads, twice, that do the same at a time; each frees blocks of another. The peak is where they have ended, for
/// in between it depends on which thread is faster.
fn eight_threads() -> Kept {
    let firsts = at_once(|seed| churn(seed, 4_000));
    let mut given: Vec<_> = firsts.into_iter().map(Some).collect();
    given.rotate_left(3);
    let given: Vec<_> = given.into_iter().map(std::sync::Mutex::new).collect();
    let seconds = at_once(|seed| {
        let other = given[seed as usize].lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        drop(black_box(other));
        churn(100 + seed, 1_000)
    });
    let kept: Kept = seconds.into_iter().flatten().collect();
    drop(black_box(vec![1_u8; 64 << 20]));
    kept
}

fn at_once(work: impl Fn(u64) -> Kept + Sync) -> Vec<Kept> {
    let all = Barrier::new(8);
    thread::scope(|scope| {
        let mut threads = Vec::with_capacity(8);
        for seed in 0..8 {
            let (all, work) = (&all, &work);
            threads.push(scope.spawn(move || {
                all.wait();
                work(seed)
            }));
        }
        let end = |thread: thread::ScopedJoinHandle<'_, Kept>| thread.join().unwrap_or_default();
        threads.into_iter().map(end).collect()
    })
}

fn churn(seed: u64, steps: usize) -> Kept {
    let mut random = Random::new(seed);
    let mut kept = Kept::new();
    for _ in 0..steps {
        let most = if random.below(50) == 0 { 100_000 } else { 500 };
        let bytes = 1 + random.below(most);
        match random.below(4) {
            0 | 1 => kept.push(black_box(vec![1; bytes])),
            2 if !kept.is_empty() => {
                let place = random.below(kept.len());
                kept[place].reserve_exact(bytes);
                kept[place].shrink_to(bytes / 2);
            }
            _ if !kept.is_empty() => drop(kept.swap_remove(random.below(kept.len()))),
            _ => kept.push(black_box(vec![0; bytes])),
        }
    }
    kept
}
