//! How many tasks are alive, and which.
//!
//! The count is tokio's own. Which tasks they are is read from the cells that the tracking allocator noted, where it is
//! installed; what cannot be a task of the runtime at hand is left out, since a false alarm is worse than a leak not found.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::task::{self, AbortHandle};

use super::finding::{Findings, Leak, LeakKind, NotChecked};
use super::group::{self, Found};
use super::ignore::{Ignored, Ignores};
use super::layout::number;
use super::panics::PanicWatch;
use super::sites::{Effort, Excused, Seen, Sites};
use super::waits::Waits;
use crate::memory::{self, Domain};
use crate::server::Watched;

/// How long a block of unknown standing may take to go away before its stack is looked up.
const PATIENCE: Duration = Duration::from_millis(20);

/// What there was before, and what notes what comes.
#[derive(Debug)]
pub(super) struct TaskBaseline {
    runtime: Handle,
    alive: usize,
    sites: Option<Sites>,
    panics: PanicWatch,
    /// The task that started the guard.
    started_by: Option<task::Id>,
    /// Lets dropped clients leave before a server is ended.
    _watched: Watched,
}

/// What a guard allows, for this check.
pub(super) struct Allowed<'a> {
    pub(super) tasks: usize,
    pub(super) ignores: &'a Ignores,
    pub(super) background: &'a [AbortHandle],
    pub(super) strict: bool,
}

/// What there is at one moment, without what is excused.
struct Look {
    /// Tasks of the runtime that are not accounted for.
    over: usize,
    /// What was seen in memory; nothing where memory shows nothing.
    seen: Seen,
}

/// What is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    Nothing,
    /// Closures of the blocking pool alone, which are given more time.
    Blocking,
    Tasks,
}

impl TaskBaseline {
    /// Of the runtime in which it is called, for a test of this domain.
    pub(super) fn take(domain: &'static Domain) -> Result<Self, NotChecked> {
        let why = "the guard was not started in a tokio runtime (start it in the test's async body)";
        let runtime =
            Handle::try_current().map_err(|_| NotChecked { what: NotChecked::TASKS, why: why.into() })?;
        Ok(Self::of(runtime, domain))
    }

    pub(super) fn of(runtime: Handle, domain: &'static Domain) -> Self {
        let alive = runtime.metrics().num_alive_tasks();
        let sites = Sites::start(&runtime, domain);
        let panics = PanicWatch::start(&runtime, sites.as_ref().map(Sites::eye));
        Self { alive, sites, panics, started_by: task::try_id(), _watched: Watched::begin(), runtime }
    }

    /// Whether the task by which memory was learned to be read has ended, so that nobody sees it.
    pub(super) fn has_begun(&self) -> bool {
        self.sites.as_ref().is_none_or(Sites::has_begun)
    }

    /// What is left; to be asked again and again. `since` is when that began.
    pub(super) fn rest(&self, allowed: &Allowed<'_>, since: Instant) -> Rest {
        let effort = if since.elapsed() >= PATIENCE { Effort::Patient } else { Effort::Quick };
        let Look { over, seen } = self.look(allowed, effort);
        let is_blocking = |found: &Found| found.kind == LeakKind::BlockingTask;
        let is_allowed = seen.found.len().max(over) <= allowed.tasks;
        if is_allowed && seen.doubtful == 0 && (!allowed.strict || seen.elsewhere.is_empty()) {
            Rest::Nothing
        } else if over == 0 && seen.doubtful == 0 && seen.found.iter().all(is_blocking) {
            Rest::Blocking
        } else {
            Rest::Tasks
        }
    }

    /// The runtime, if tasks of it are left.
    pub(super) fn runtime(&self, allowed: &Allowed<'_>) -> Option<Handle> {
        (self.look(allowed, Effort::Final).seen.found.len() > allowed.tasks).then(|| self.runtime.clone())
    }

    /// What is left now.
    pub(super) fn findings(&self, allowed: &Allowed<'_>, waits: &Waits) -> Findings {
        let _ours = memory::ours();
        let Look { over, seen: Seen { mut found, elsewhere, .. } } = self.look(allowed, Effort::Final);
        if let Some(sites) = &self.sites {
            sites.add_parents(&mut found);
        }
        if found.iter().filter(|found| found.kind == LeakKind::Task).count() > self.alive_now() {
            // What memory says cannot be: then only the count is believed.
            found.retain(|found| found.kind != LeakKind::Task);
        }
        let scheduled = found.iter().filter(|found| found.kind == LeakKind::Task).count();
        let mut findings = Findings::default();
        let left = found.len() + over.saturating_sub(scheduled);
        if left <= allowed.tasks {
            findings.used_allowance = left > 0;
        } else {
            findings.leaks = group::leaks(found, waits);
            if over > scheduled {
                findings.leaks.push(self.unplaced(over - scheduled));
            }
        }
        if allowed.strict {
            findings.leaks.extend(group::leaks(elsewhere, waits));
        } else {
            findings.notes.extend(group::leaks(elsewhere, waits).iter().map(group::elsewhere));
        }
        self.add_panics(&mut findings, allowed);
        self.note_useless(allowed, &mut findings);
        findings
    }

    fn add_panics(&self, findings: &mut Findings, allowed: &Allowed<'_>) {
        for seen in self.panics.seen(allowed.ignores, allowed.strict) {
            if seen.is_certain || allowed.strict {
                findings.leaks.push(seen.leak);
            } else {
                findings.notes.push(format!(
                    "a spawned task panicked: {} (whether anybody looks at its JoinHandle takes the tracking allocator \
                     and debug information to know)",
                    seen.leak.what
                ));
            }
        }
    }

    /// Says so when spawn sites are to be ignored, but cannot be seen.
    fn note_useless(&self, allowed: &Allowed<'_>, findings: &mut Findings) {
        if self.sites.is_none() && allowed.ignores.has(Ignored::SpawnedIn) {
            findings.not_checked.push(NotChecked { what: NotChecked::SITES, why: no_sites() });
        }
    }

    /// Tasks that are counted, but were not seen.
    fn unplaced(&self, count: usize) -> Leak {
        let leak = Leak { count, ..Leak::one(LeakKind::Task, "") };
        match self.sites {
            None => leak.hint(no_sites()),
            Some(_) => leak.detail("spawned where the allocator did not see it"),
        }
    }

    /// Whether there are tasks that have yet to have their turns.
    pub(super) fn has_more(&self) -> bool {
        self.alive_now() > self.alive
    }

    fn alive_now(&self) -> usize {
        // Ours first, since it may end meanwhile.
        let probe = !self.has_begun();
        self.runtime.metrics().num_alive_tasks().saturating_sub(probe.into())
    }

    fn look(&self, allowed: &Allowed<'_>, effort: Effort) -> Look {
        // The task that asks is no leak, unless it was there before, and then it is counted among those.
        let asker = task::try_id().filter(|id| Some(*id) != self.started_by);
        let background = allowed.background.iter().filter(|task| !task.is_finished()).map(AbortHandle::id);
        let tasks = background.chain(asker).map(number).collect::<HashSet<usize>>();
        let over = self.alive_now().saturating_sub(self.alive);
        let Some(sites) = &self.sites else {
            return Look { over: over.saturating_sub(tasks.len()), seen: Seen::default() };
        };
        let seen = sites.look(&Excused { tasks, ignores: allowed.ignores }, over, effort);
        Look { over: over.saturating_sub(seen.excused), seen }
    }
}

/// Why tasks are only counted, and what would help.
fn no_sites() -> String {
    match memory::why_no_heap() {
        Some(why) => format!("to see where tasks were spawned: {why}"),
        None => "where tasks were spawned cannot be read: this version of tokio keeps them otherwise".into(),
    }
}
