//! What each of the programs does that have one allocator each, and the words in which they answer.

use std::any::Any;
use std::fs;
use std::process::ExitCode;
use std::time::Instant;

use crate::{Error, workload};

/// Batches in one process, of which the median counts, after one for nothing.
const BATCHES: usize = 5;
const ZEROED: usize = 256 << 20;
/// One more than fits: the last byte moves or stretches the whole.
const PUSHED: usize = (128 << 20) + 1;

/// Runs what the command line asks for on a thread of its own, as a test is, with a guard made there from the last word.
///
/// - `workload FLAVOR DOCUMENTS GUARD`: prints the nanoseconds per document, by the wall clock and of CPU time;
/// - `spawns FLAVOR TASKS GUARD`: prints the nanoseconds to spawn and join a task that does nothing, one after the other;
/// - `behaviour GUARD`: prints what a zeroed vector took (s) and made resident (KiB), and a growing one (s, KiB at most).
pub fn main(guard: fn(&str) -> Result<Box<dyn Any>, Error>) -> ExitCode {
    let answer = std::thread::spawn(move || answer(guard)).join();
    match answer {
        Ok(Ok(answer)) => {
            println!("{answer}");
            ExitCode::SUCCESS
        }
        Ok(Err(error)) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
        Err(_) => ExitCode::FAILURE,
    }
}

/// The guard of an allocator that needs none.
///
/// # Errors
///
/// Never.
pub fn no_guard(_: &str) -> Result<Box<dyn Any>, Error> {
    Ok(Box::new(()))
}

fn answer(guard: fn(&str) -> Result<Box<dyn Any>, Error>) -> Result<String, Error> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["workload", flavor, documents, wanted] => {
            let _guard = guard(wanted)?;
            documents_in(flavor, documents.parse()?)
        }
        ["spawns", flavor, tasks, wanted] => spawns_in(flavor, tasks.parse()?, || guard(wanted)),
        ["behaviour", wanted] => {
            let _guard = guard(wanted)?;
            behaviour()
        }
        _ => Err("this program is started by `allocator`".into()),
    }
}

fn documents_in(flavor: &str, documents: usize) -> Result<String, Error> {
    let runtime = workload::runtime(flavor)?;
    workload::run(&runtime, documents)?;
    let (mut wall, mut cpu) = (Vec::new(), Vec::new());
    for _ in 0..BATCHES {
        let took = workload::run(&runtime, documents)?;
        wall.push(took.wall.as_secs_f64() / documents as f64 * 1e9);
        cpu.push(took.cpu.as_secs_f64() / documents as f64 * 1e9);
    }
    let middle = |samples: &[f64]| crate::stats::median(samples).unwrap_or_default();
    Ok(format!("{} {}", middle(&wall), middle(&cpu)))
}

fn spawns_in(
    flavor: &str,
    tasks: u32,
    guard: impl FnOnce() -> Result<Box<dyn Any>, Error>,
) -> Result<String, Error> {
    let runtime = workload::runtime(flavor)?;
    let guard = {
        let _in_the_runtime = runtime.enter();
        guard()?
    };
    workload::spawn_and_join(&runtime, tasks)?;
    let mut each = Vec::new();
    for _ in 0..BATCHES {
        each.push(workload::spawn_and_join(&runtime, tasks)?.as_secs_f64() / f64::from(tasks) * 1e9);
    }
    std::mem::forget(guard); // one that is dropped without a verdict says so
    Ok(crate::stats::median(&each).unwrap_or_default().to_string())
}

fn behaviour() -> Result<String, Error> {
    let before = status("VmRSS:")?;
    let begin = Instant::now();
    let zeroed = std::hint::black_box(vec![0_u8; ZEROED]);
    let zeroed_took = begin.elapsed().as_secs_f64();
    let resident = status("VmRSS:")? - before;
    drop(zeroed);
    fs::write("/proc/self/clear_refs", "5")?; // the high-water mark begins anew
    let before = status("VmRSS:")?;
    let begin = Instant::now();
    let mut pushed = Vec::new();
    for number in 0..PUSHED {
        pushed.push(std::hint::black_box(number as u8));
    }
    let pushed_took = begin.elapsed().as_secs_f64();
    let most = status("VmHWM:")? - before;
    drop(pushed);
    Ok(format!("{zeroed_took} {resident} {pushed_took} {most}"))
}

/// A figure of `/proc/self/status`, in KiB.
fn status(name: &str) -> Result<i64, Error> {
    let text = fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let figure = line.and_then(|line| line.split_whitespace().next());
    Ok(figure.ok_or_else(|| format!("no {name} in /proc/self/status"))?.parse()?)
}
