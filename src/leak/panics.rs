//! Panics of tasks that nobody joins: without this, nobody hears of them but a line of output.

use std::collections::HashMap;
use std::panic::PanicHookInfo;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

use tokio::runtime::{self, Handle};
use tokio::task;

use super::finding::{Leak, LeakKind};
use super::ignore::{Ignored, Ignores};
use super::place::place;
use super::sites::Eye;
use crate::memory::{self, Line, named};
use crate::panic::message;

static WATCHED: Mutex<Vec<Watched>> = Mutex::new(Vec::new());
/// How many panics are kept: a test with more has been told enough.
const MOST: usize = 1000;

/// One guard's runtime.
struct Watched {
    token: u64,
    runtime: runtime::Id,
    eye: Option<Eye>,
    panics: Vec<TaskPanic>,
}

/// A panic that unwound, or was caught, in a task.
#[derive(Clone, Debug)]
struct TaskPanic {
    task: task::Id,
    message: String,
    location: String,
    /// Whether somebody held its `JoinHandle`; `None` where tasks cannot be seen in memory.
    held: Option<bool>,
    spawned: Option<Arc<[usize]>>,
    stack: Arc<[usize]>,
}

/// While it is alive, panics of the tasks of one runtime are noted.
#[derive(Debug)]
pub(super) struct PanicWatch {
    token: u64,
    /// The task that watches: its own panic is seen by whoever runs it.
    own: Option<task::Id>,
}

/// A panic, and whether it is certain that nobody will look at it.
pub(super) struct Seen {
    pub(super) leak: Leak,
    pub(super) is_certain: bool,
}

impl PanicWatch {
    pub(super) fn start(runtime: &Handle, eye: Option<Eye>) -> Self {
        static TOKENS: AtomicU64 = AtomicU64::new(0);
        install();
        let token = TOKENS.fetch_add(1, Ordering::Relaxed);
        lock().push(Watched { token, runtime: runtime.id(), eye, panics: Vec::new() });
        Self { token, own: task::try_id() }
    }

    /// The panics so far of tasks whose handle nobody held at that moment, or of which that is not known; those of one place
    /// together. `thorough` also tells of the latter whether something in the task caught them.
    pub(super) fn seen(&self, ignores: &Ignores, thorough: bool) -> Vec<Seen> {
        let panics =
            lock().iter().find(|watched| watched.token == self.token).map(|watched| watched.panics.clone());
        let is_of_interest = |panic: &TaskPanic| {
            Some(panic.task) != self.own && panic.held != Some(true) && !panic.is_ignored(ignores)
        };
        let mut groups: Vec<(String, Seen)> = Vec::new();
        let mut caught: HashMap<Arc<[usize]>, Option<bool>> = HashMap::new();
        for panic in panics.unwrap_or_default().into_iter().filter(is_of_interest) {
            // Looking up names takes long: not for what cannot be certain anyway.
            let is_caught = if thorough || panic.held.is_some() {
                *caught.entry(Arc::clone(&panic.stack)).or_insert_with(|| is_caught(&panic.stack))
            } else {
                None
            };
            if is_caught == Some(true) {
                continue;
            }
            let seen = panic.seen(is_caught.is_some());
            let like = |(location, other): &&mut (String, Seen)| {
                *location == panic.location
                    && other.is_certain == seen.is_certain
                    && other.leak.spawned_at == seen.leak.spawned_at
            };
            match groups.iter_mut().find(like) {
                Some((_, known)) => known.leak.count += 1,
                None => groups.push((panic.location, seen)),
            }
        }
        groups.into_iter().map(|(_, seen)| seen).collect()
    }
}

impl Drop for PanicWatch {
    fn drop(&mut self) {
        lock().retain(|watched| watched.token != self.token);
    }
}

impl TaskPanic {
    fn seen(&self, is_uncaught: bool) -> Seen {
        let mut leak = Leak::one(LeakKind::TaskPanic, format!("`{}` at {}", self.message, self.location));
        if let Some(stack) = &self.spawned {
            let place = place(stack);
            leak.spawned_at.clone_from(&place.spawned_at);
            leak.called_from = place.own.first().cloned();
        }
        Seen { leak, is_certain: self.held.is_some() && is_uncaught }
    }

    fn is_ignored(&self, ignores: &Ignores) -> bool {
        let by_place = ignores.has(Ignored::SpawnedIn)
            && self.spawned.as_ref().is_some_and(|stack| place(stack).is_ignored(ignores));
        by_place || ignores.allow(Ignored::Panics, &self.message)
    }
}

/// Whether something within the task catches the panic, so that the task goes on; `None` where that cannot be told, since
/// inlined functions have no names.
fn is_caught(stack: &[usize]) -> Option<bool> {
    let lines = named(stack);
    let begin = lines.iter().position(|line| line.function.contains("panicking::"))?;
    let is_harness = |line: &Line| {
        line.function.contains("tokio::runtime::task::")
            || line.function.contains("tokio::runtime::blocking::")
    };
    let length = lines[begin..].iter().position(is_harness)?;
    let within = &lines[begin..begin + length];
    let is_told = within.iter().all(|line| line.file.is_some());
    let is_caught = within.iter().any(|line| line.function.contains("catch_unwind"));
    (is_told || is_caught).then_some(is_caught)
}

/// Puts our hook before the one that is there, once in a program.
fn install() {
    static ONCE: Once = Once::new();
    if std::thread::panicking() {
        return; // hooks cannot be changed now
    }
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            note(info);
            before(info);
        }));
    });
}

fn note(info: &PanicHookInfo<'_>) {
    let (Some(task), Ok(handle)) = (task::try_id(), Handle::try_current()) else { return };
    let runtime = handle.id();
    let eyes: Vec<Option<Eye>> =
        lock().iter().filter(|watched| watched.runtime == runtime).map(|watched| watched.eye).collect();
    if eyes.is_empty() {
        return;
    }
    let _ours = memory::ours();
    let panic = TaskPanic::new(task, eyes.into_iter().flatten().next(), info);
    for watched in
        lock().iter_mut().filter(|watched| watched.runtime == runtime && watched.panics.len() < MOST)
    {
        watched.panics.push(panic.clone());
    }
}

impl TaskPanic {
    fn new(task: task::Id, eye: Option<Eye>, info: &PanicHookInfo<'_>) -> Self {
        let message = message(info.payload()).unwrap_or("a panic without a text").to_owned();
        let location = info.location().map(ToString::to_string).unwrap_or_default();
        let (held, spawned) = eye.and_then(|eye| eye.handle(task)).unzip();
        Self { task, message, location, held, spawned, stack: memory::stack().into() }
    }
}

fn lock() -> MutexGuard<'static, Vec<Watched>> {
    WATCHED.lock().unwrap_or_else(PoisonError::into_inner)
}
