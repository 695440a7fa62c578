//! What stands for a library: it spawns, and its callers are to be named.

use std::future::pending;
use std::panic::Location;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, atomic::AtomicUsize, atomic::Ordering};

use isolated_nats::LeakKind;
use tokio::task::JoinHandle;

use crate::support::Group;

/// How a report shows where this is.
const FILE: &str = "tests/leak/seeded/library.rs";

/// What is left that was spawned on a line of this file, for one of the calling file. A library of the user's own: its
/// line comes first, and then the way to it.
#[track_caller]
pub(crate) fn group(kind: LeakKind, count: usize, line: u32, called: u32) -> Group {
    let caller = Location::caller().file();
    Group::at(kind, count, line).inside(FILE, Some(line)).in_file(FILE).says(format!("{caller}:{called}"))
}

pub(crate) const WATCHER_LINE: u32 = line!() + 4;

/// Starts what watches for ever.
pub(crate) fn start_watcher() {
    tokio::spawn(pending::<()>());
}

pub(crate) const ASYNC_WATCHER_LINE: u32 = line!() + 5;

/// The same, after it has waited for something.
pub(crate) async fn connect_watcher() {
    tokio::task::yield_now().await;
    tokio::spawn(pending::<()>());
}

pub(crate) const BLOCKING_LINE: u32 = line!() + 4;

/// Waits on another thread until the sender is dropped.
pub(crate) fn wait_elsewhere(until: Receiver<()>) -> JoinHandle<()> {
    tokio::task::spawn_blocking(move || _ = until.recv())
}

/// What counts its tasks, and does not end them with it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tracker(Arc<AtomicUsize>);

pub(crate) const TRACKER_LINE: u32 = line!() + 6;

impl Tracker {
    pub(crate) fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        let count = self.0.clone();
        count.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(async move {
            future.await;
            count.fetch_sub(1, Ordering::Relaxed);
        });
    }

    pub(crate) fn len(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// A task that is to end with its guard.
#[derive(Debug)]
pub(crate) struct AbortOnDrop(pub(crate) JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
