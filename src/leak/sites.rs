//! The tasks that a test left, as they are seen in memory.

use std::collections::HashSet;

use tokio::runtime::{self, Handle, RuntimeFlavor};
use tokio::task::{self, AbortHandle};

use super::finding::LeakKind;
use super::group::Found;
use super::ignore::{Ignored, Ignores};
use super::layout::{self, Layout, Scheduler, Standing, number};
use super::place::{self, Kind};
use crate::memory::{Cell, CellWatch, Domain};

/// Sees each task of one runtime in memory.
#[derive(Debug)]
pub(super) struct Sites {
    watch: CellWatch,
    eye: Eye,
    /// The task of ours by which the scheduler was found.
    probe: AbortHandle,
    runtime: runtime::Id,
    /// Whether the runtime has threads of its own for tasks.
    has_workers: bool,
    /// Where newer blocks begin.
    from: u64,
}

/// What it takes to know a task of one runtime, of one test.
#[derive(Clone, Copy, Debug)]
pub(super) struct Eye {
    layout: Layout,
    scheduler: Scheduler,
    test: &'static Domain,
}

/// How much a look may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effort {
    /// No stack is looked up.
    Quick,
    /// Those of blocks in doubt are.
    Patient,
    /// All are.
    Final,
}

/// What is not to be counted, by number.
pub(super) struct Excused<'a> {
    pub(super) tasks: HashSet<usize>,
    pub(super) ignores: &'a Ignores,
}

/// What there is at one moment, without what is excused.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) found: Vec<Found>,
    /// Blocks of which it is not known yet what they are.
    pub(super) doubtful: usize,
    /// On other runtimes.
    pub(super) elsewhere: Vec<Found>,
    /// Tasks of the runtime that are excused.
    pub(super) excused: usize,
}

impl Sites {
    pub(super) fn start(runtime: &Handle, test: &'static Domain) -> Option<Self> {
        let layout = layout::layout()?;
        let watch = CellWatch::start();
        let (scheduler, probe) = layout.scheduler(runtime, &watch)?;
        let from = watch.next();
        let has_workers = runtime.runtime_flavor() == RuntimeFlavor::MultiThread;
        let eye = Eye { layout, scheduler, test };
        Some(Self { watch, eye, probe, runtime: runtime.id(), has_workers, from })
    }

    pub(super) fn eye(&self) -> Eye {
        self.eye
    }

    /// Whether the task of ours has ended.
    pub(super) fn has_begun(&self) -> bool {
        self.probe.is_finished()
    }

    /// What may be tasks that have not ended, and began after the guard. `over` is how many tasks of the runtime there are by
    /// its own count.
    pub(super) fn look(&self, excused: &Excused<'_>, over: usize, effort: Effort) -> Seen {
        let cells = self.watch.cells(|number, domain| number >= self.from && domain != Domain::ours());
        let cells: Vec<_> = cells.into_iter().filter(|cell| self.eye.layout.may_run(cell)).collect();
        let is_scheduled = |cell: &&Cell| matches!(self.eye.standing(cell), Standing::Scheduled(_));
        // As many as there should be are what they look like; of more, some are not.
        let effort = match effort {
            Effort::Final => Effort::Final,
            _ if cells.iter().filter(is_scheduled).count() <= over => effort,
            Effort::Patient => Effort::Final,
            Effort::Quick => Effort::Quick,
        };
        let mut seen = Seen::default();
        cells.iter().for_each(|cell| self.sort_out(cell, excused, effort, &mut seen));
        seen
    }

    fn sort_out(&self, cell: &Cell, excused: &Excused<'_>, effort: Effort, seen: &mut Seen) {
        let standing = self.eye.standing(cell);
        let (Standing::Scheduled(id) | Standing::Blocking(id) | Standing::Elsewhere(id)) = standing;
        let is_scheduled = matches!(standing, Standing::Scheduled(_));
        if matches!(standing, Standing::Elsewhere(_)) && !cell.domain.is_within(self.eye.test) {
            return;
        }
        if excused.tasks.contains(&id) || self.is_ignored(cell, excused.ignores) {
            seen.excused += usize::from(is_scheduled);
            return;
        }
        let kind = match (standing, self.kind(cell, is_scheduled, effort)) {
            (_, None) => {
                seen.doubtful += 1;
                return;
            }
            (Standing::Scheduled(_), Some(Kind::Task | Kind::Unknown)) => LeakKind::Task,
            (Standing::Blocking(_), Some(Kind::Blocking)) if !self.may_be_worker(cell) => {
                LeakKind::BlockingTask
            }
            (Standing::Elsewhere(_), Some(Kind::Local)) if cell.runtime == Some(self.runtime) => {
                LeakKind::LocalTask
            }
            (Standing::Elsewhere(_), Some(Kind::Task | Kind::Local | Kind::Blocking)) => {
                seen.elsewhere.push(self.found(cell, LeakKind::Task, id));
                return;
            }
            _ => return,
        };
        seen.found.push(self.found(cell, kind, id));
    }

    /// What the stack says that it is, as far as it may be looked up.
    fn kind(&self, cell: &Cell, is_scheduled: bool, effort: Effort) -> Option<Kind> {
        match place::known(&cell.stack) {
            Some(place) => Some(place.kind),
            None if is_scheduled && effort == Effort::Patient => Some(Kind::Task),
            None if effort == Effort::Quick => is_scheduled.then_some(Kind::Task),
            None => Some(place::place(&cell.stack).kind),
        }
    }

    /// Whether a closure of `spawn_blocking` may be a new worker of the runtime; without debug information, which names
    /// inlined functions too, any may be. When the runtime of a whole test has ended, its threads tell.
    fn may_be_worker(&self, cell: &Cell) -> bool {
        self.has_workers && !place::place(&cell.stack).has_lines
    }

    fn is_ignored(&self, cell: &Cell, ignores: &Ignores) -> bool {
        ignores.has(Ignored::SpawnedIn) && place::place(&cell.stack).is_ignored(ignores)
    }

    fn found(&self, cell: &Cell, kind: LeakKind, id: usize) -> Found {
        let (stack, is_held) = (cell.stack.clone(), self.eye.layout.is_held(cell));
        Found { kind, stack, is_held, id, parent_id: cell.parent, parent: None }
    }

    /// Finds the tasks that spawned those found.
    pub(super) fn add_parents(&self, found: &mut [Found]) {
        for found in found {
            let parent = found.parent_id.and_then(|id| self.eye.cell(id));
            found.parent = parent.map(|cell| cell.stack);
        }
    }
}

impl Eye {
    fn standing(self, cell: &Cell) -> Standing {
        self.layout.standing(cell, self.scheduler)
    }

    /// The cell of a task or blocking closure of the runtime.
    fn cell(self, id: task::Id) -> Option<Cell> {
        let id = number(id);
        CellWatch::start().find(self.test, |cell| match self.standing(cell) {
            Standing::Scheduled(own) | Standing::Blocking(own) => own == id,
            Standing::Elsewhere(_) => false,
        })
    }

    /// Whether somebody holds the handle of a task that runs, and where it was spawned; `None` where it is not seen.
    pub(super) fn handle(self, id: task::Id) -> Option<(bool, std::sync::Arc<[usize]>)> {
        let cell = self.cell(id)?;
        Some((self.layout.is_held(&cell), cell.stack))
    }
}
