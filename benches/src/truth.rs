//! Workloads whose bytes are known, for programs that differ in their global allocator only.
//!
//! There is one allocator in each program, so each meter is a program of its own that runs the workloads and prints what
//! it reads, a line for each reading; `truth` starts them and compares.

use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

use crate::Error;

pub mod exact;
#[expect(clippy::unwrap_used, reason = "the tests of the crate are made of them, too")]
#[path = "../../tests/memory/truth/workloads.rs"]
pub mod workloads;

use workloads::{Meter, Part, Reading, Running, cases};

/// What a program that measures is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// How many workloads run at a time.
    pub at_a_time: usize,
    /// How often each runs.
    pub rounds: usize,
}

impl Request {
    /// The words of the request on a command line.
    #[must_use]
    pub fn words(self) -> [String; 2] {
        [self.at_a_time.to_string(), self.rounds.to_string()]
    }

    /// Reads a request from a command line.
    ///
    /// # Errors
    ///
    /// When the words are not two numbers above 0.
    pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, Error> {
        let mut number = || words.next()?.parse().ok().filter(|number| *number > 0);
        match (number(), number()) {
            (Some(at_a_time), Some(rounds)) => Ok(Self { at_a_time, rounds }),
            _ => Err("two numbers above 0 are wanted (this program is started by `truth`)".into()),
        }
    }
}

/// Runs all workloads as asked, and prints each reading: the place of the workload, its live bytes, and its peak or `none`.
///
/// Each run has a thread of its own which the main thread starts, as in a test harness.
///
/// # Errors
///
/// When a workload panics.
pub fn answer<M: Meter + Sync>(meter: &'static M, request: Request) -> Result<(), Error> {
    let cases = Arc::new(cases::<M>());
    let (sender, ended) = mpsc::channel();
    let mut running: Vec<JoinHandle<()>> = Vec::new();
    let mut readings = Vec::with_capacity(cases.len() * request.rounds);
    for _ in 0..request.rounds {
        for place in 0..cases.len() {
            if running.len() >= request.at_a_time {
                readings.push(next(&ended, &mut running)?);
            }
            let (cases, sender) = (Arc::clone(&cases), Ended(Some(sender.clone())));
            let run = move || sender.tell(place, (cases[place].run)(meter));
            // Called as libtest calls the thread of a test: a path of identifiers.
            running.push(thread::Builder::new().name("truth::workload".into()).spawn(run)?);
        }
    }
    while !running.is_empty() {
        readings.push(next(&ended, &mut running)?);
    }
    for (place, reading) in readings {
        let peak = reading.peak.map_or_else(|| "none".to_owned(), |peak| peak.to_string());
        println!("{place} {} {peak}", reading.live);
    }
    Ok(())
}

type End = (thread::ThreadId, Option<(usize, Reading)>);

/// Tells that a run has ended, also by a panic.
struct Ended(Option<mpsc::Sender<End>>);

impl Ended {
    fn tell(mut self, place: usize, reading: Reading) {
        if let Some(sender) = self.0.take() {
            let _ = sender.send((thread::current().id(), Some((place, reading))));
        }
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        if let Some(sender) = self.0.take() {
            let _ = sender.send((thread::current().id(), None));
        }
    }
}

fn next(ended: &mpsc::Receiver<End>, running: &mut Vec<JoinHandle<()>>) -> Result<(usize, Reading), Error> {
    let (id, reading) = ended.recv()?;
    if let Some(place) = running.iter().position(|thread| thread.thread().id() == id) {
        running.swap_remove(place).join().map_err(|_| "a workload panicked")?;
    }
    reading.ok_or_else(|| "a workload panicked".into())
}

/// What has no components: the work is done as if there were none.
#[derive(Clone, Copy, Debug)]
pub struct NoParts;

impl Running for NoParts {
    type Part = Self;

    fn part(&self) -> Self {
        Self
    }
}

impl Part for NoParts {
    fn run<T>(self, work: impl FnOnce() -> T) -> T {
        work()
    }

    fn wrap<F: Future<Output: Send> + Send>(self, future: F) -> impl Future<Output = F::Output> + Send {
        future
    }
}
