//! Whether a test failed, for the servers it started: known only when it is over, and some of them have ended by then.

use std::cell::RefCell;
use std::sync::{Arc, Mutex};

use super::directory::ServerDirectory;
use super::lock;
use crate::evidence::{self, Keep, ServerEvidence, TAIL_LINES};

/// The most directories of ended servers that wait for a verdict; a test that starts one after the other would else fill
/// the disk.
const MOST: usize = 16;

thread_local! {
    static CURRENT: RefCell<Option<Arc<Verdict>>> = const { RefCell::new(None) };
}

/// The verdict on one test with the attribute, and the servers that wait for it.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    Open(Vec<Ended>),
    /// What a server that ends later, such as one in a `static`, finds.
    Given {
        failed: bool,
    },
}

impl Default for State {
    fn default() -> Self {
        Self::Open(Vec::new())
    }
}

/// What is left of a server that has ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) directory: Arc<ServerDirectory>,
    /// The server, as a report names it.
    pub(super) title: String,
    pub(super) reopen: String,
    /// Whether its report has been printed, and its directory is to be kept.
    pub(super) reported: bool,
}

/// Makes a verdict that of the servers started on this thread, until it is dropped.
#[derive(Debug)]
pub(crate) struct Scope(Arc<Verdict>);

impl Scope {
    pub(crate) fn enter() -> Self {
        let verdict = Arc::<Verdict>::default();
        CURRENT.set(Some(Arc::clone(&verdict)));
        Self(verdict)
    }

    /// Gives the verdict: keeps and reports what a failed test leaves, and removes the rest.
    pub(crate) fn give(self, failure: Option<&str>) {
        let given = State::Given { failed: failure.is_some() };
        if let State::Open(ended) = std::mem::replace(&mut *lock(&self.0.state), given) {
            ended.iter().for_each(|ended| ended.settle(failure));
        }
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        CURRENT.set(None);
    }
}

impl Verdict {
    /// The verdict that a server started on this thread waits for; none in a test by hand.
    pub(super) fn current() -> Option<Arc<Self>> {
        CURRENT.with_borrow(Clone::clone)
    }

    /// Leaves an ended server to the verdict.
    pub(super) fn await_for(&self, server: Ended) {
        match &mut *lock(&self.state) {
            State::Open(ended) => {
                ended.push(server);
                if ended.len() > MOST {
                    ended.remove(0).settle(None);
                }
            }
            State::Given { failed } => server.settle((*failed && server.reported).then_some("")),
        }
    }
}

impl Ended {
    /// Keeps or removes what is left, and reports it if nobody has yet.
    pub(super) fn settle(&self, failure: Option<&str>) {
        let path = self.directory.path();
        let kept = Keep::from_env().applies(failure.is_some() || self.reported);
        match failure {
            Some(what) if !self.reported => evidence::print(&evidence::render(&ServerEvidence {
                title: &format!("{what}; its {}", self.title),
                directory: kept.then_some(path),
                reopen: &self.reopen,
                log_tail: &evidence::tail(&self.directory.log(), TAIL_LINES),
            })),
            None if kept && !self.reported => {
                let path = path.display();
                evidence::print(&format!("isolated-nats: kept `{path}` (ISOLATED_NATS_KEEP=always)\n"));
            }
            _ => {}
        }
        if kept {
            self.directory.keep();
        } else {
            self.directory.remove();
        }
    }
}
