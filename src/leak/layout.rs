//! Where tokio keeps what in a task's cell, found out by trial.
//!
//! The layout is tokio's own affair. It is never taken for granted: two tasks of ours are made, of which all is known, and
//! looked for among the blocks that the allocator noted. Where they are not found, or do not look as they should, nothing
//! is read from any cell, and tasks are counted without being placed.

use std::future::pending;
use std::sync::{OnceLock, mpsc};

use tokio::runtime::{Builder, Handle};
use tokio::task::{self, AbortHandle};

use crate::memory::{self, CELL_WORDS, Cell, CellWatch, Domain};

/// The bits of a task's state, and from which bit on its references are counted.
const COMPLETE: usize = 0b10;
const JOIN_INTEREST: usize = 0b1000;
const ONE_REFERENCE: usize = 1 << 6;
/// More references than any task has: what is above is no state.
const MOST_STATE: usize = 1 << (usize::BITS / 2);
/// The state comes first; what follows up to here are links and the table of functions.
const STATE: usize = 0;
const FUNCTIONS: usize = 2;
const FIRST_SEARCHED: usize = 3;
/// A task's number is below, and an address above.
const MOST_TASKS: usize = 1 << (usize::BITS / 2);

/// Which word of a cell is what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    id: usize,
    scheduler: usize,
    /// The same of a closure of the blocking pool, whose data come in another order.
    blocking: Option<Blocking>,
    /// Where the program's own constants are, such as a task's table of functions; all addresses where that is not known.
    program: (usize, usize),
}

/// Which word of a blocking closure's cell is what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Blocking {
    id: usize,
    scheduler: usize,
}

/// What a cell is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// A task of this runtime's scheduler, with its number.
    Scheduled(usize),
    /// A closure that waits for a thread of this runtime's blocking pool, or runs on one; with its number.
    Blocking(usize),
    /// Of another scheduler, perhaps a `LocalSet`'s, or no task; with what would be its number.
    Elsewhere(usize),
}

/// The address of a runtime's scheduler, as its tasks' cells have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scheduler(usize);

static FOUND: OnceLock<Option<Layout>> = OnceLock::new();

/// The layout, if it has been found before.
pub(super) fn known() -> Option<Layout> {
    FOUND.get().copied().flatten()
}

/// The layout of cells in this program; `None` when tasks cannot be seen in memory.
pub(super) fn layout() -> Option<Layout> {
    *FOUND.get_or_init(|| {
        let _ours = memory::ours(); // the thread's, too
        // On a thread of its own: a runtime cannot run within another.
        let thread = std::thread::Builder::new().name("isolated-nats self-test".into()).spawn(find);
        thread.ok()?.join().ok()?
    })
}

fn find() -> Option<Layout> {
    // Miri forbids to look at words that are not written yet; in 32 bits a number and an address look alike.
    if cfg!(miri) || cfg!(not(target_pointer_width = "64")) {
        return None;
    }
    let watch = CellWatch::start();
    let runtime = Builder::new_current_thread().build().ok()?;
    let (release, released) = mpsc::channel::<()>();
    let blocks = runtime.spawn_blocking(move || _ = released.recv());
    let queues = runtime.spawn_blocking(|| ());
    let (waits, ends) = (runtime.spawn(pending::<()>()), runtime.spawn(async {}));
    runtime.block_on(async {
        while !ends.is_finished() {
            task::yield_now().await;
        }
    });
    let cells = watch.cells(|number, domain| number >= watch.from() && domain == Domain::ours());
    let layout = Layout::of(&cells, waits.id(), ends.id())?.with_blocking(
        &cells,
        waits.id(),
        blocks.id(),
        queues.id(),
    );
    drop(release);
    let (waits_id, ends_id) = (number(waits.id()), number(ends.id()));
    let look = |id| {
        let cells = watch.cells(|number, domain| number >= watch.from() && domain == Domain::ours());
        cells.into_iter().find(|cell| cell.words[layout.id] == id).map(|cell| cell.words[STATE])
    };
    let (held, ended) = (look(waits_id)?, look(ends_id)?);
    drop(waits);
    let let_go = look(waits_id)?;
    drop(ends);
    let is_as_known = held & (COMPLETE | JOIN_INTEREST) == JOIN_INTEREST
        && ended & (COMPLETE | JOIN_INTEREST) == COMPLETE | JOIN_INTEREST
        && let_go & (COMPLETE | JOIN_INTEREST) == 0
        && [held, ended, let_go].iter().all(|state| (ONE_REFERENCE..MOST_STATE).contains(state))
        && look(ends_id).is_none();
    is_as_known.then_some(layout)
}

/// A task's number, which its name for people is.
pub(super) fn number(id: task::Id) -> usize {
    id.to_string().parse().unwrap_or(usize::MAX)
}

/// Each word that holds the number of the one task in one cell, and that of the other in another.
fn holders(cells: &[Cell], first: task::Id, second: task::Id) -> impl Iterator<Item = (&Cell, &Cell, usize)> {
    let (first, second) = (number(first), number(second));
    (FIRST_SEARCHED + 1..CELL_WORDS).filter_map(move |word| {
        let one = cells.iter().find(|cell| cell.words[word] == first)?;
        let other = cells.iter().find(|cell| cell.words[word] == second && cell.number != one.number)?;
        Some((one, other, word))
    })
}

impl Layout {
    /// The word that holds the numbers of both tasks, and the word before it, which must be the same in both: the scheduler's
    /// address.
    fn of(cells: &[Cell], first: task::Id, second: task::Id) -> Option<Self> {
        let same = |(one, other, id): &(&Cell, &Cell, usize)| {
            one.words[id - 1] == other.words[id - 1] && one.words[id - 1] > MOST_TASKS
        };
        let (cell, _, id) = holders(cells, first, second).find(same)?;
        Some(Self { id, scheduler: id - 1, blocking: None, program: program(cell.words[FUNCTIONS]) })
    }

    fn with_blocking(self, cells: &[Cell], task: task::Id, first: task::Id, second: task::Id) -> Self {
        let scheduler = cells
            .iter()
            .find(|cell| cell.words[self.id] == number(task))
            .map(|cell| cell.words[self.scheduler]);
        // The channel on which the one waits is such a block too, with small numbers in it.
        let tasks: Vec<Cell> = cells.iter().filter(|cell| self.is_task(cell)).cloned().collect();
        // What comes behind the number is the closure's own, and may look like anything.
        let Some((one, other, id)) = holders(&tasks, first, second).next() else { return self };
        let is_scheduler =
            |word: &usize| Some(one.words[*word]) == scheduler && one.words[*word] == other.words[*word];
        let word = (FIRST_SEARCHED..id).find(is_scheduler);
        Self { blocking: word.map(|scheduler| Blocking { id, scheduler }), ..self }
    }

    /// The scheduler's address and the task's number, wherever they may be: behind the links, or where the alignment of the
    /// task's own future puts them.
    fn pairs(self, cell: &Cell) -> [(usize, usize); 3] {
        const ALIGNED: usize = 64 / size_of::<usize>();
        let words = |scheduler: usize, id: usize| (cell.words[scheduler], cell.words[id]);
        [words(self.scheduler, self.id), words(ALIGNED, ALIGNED + 1), (cell.far[0], cell.far[1])]
    }

    /// The number of a task of this scheduler.
    pub(super) fn id(self, cell: &Cell, scheduler: Scheduler) -> Option<usize> {
        let pair =
            self.pairs(cell).into_iter().find(|(address, id)| *address == scheduler.0 && *id < MOST_TASKS);
        pair.map(|(_, id)| id)
    }

    /// Whether the cell can be that of a task. Another block may look so too: what the language puts between fields is whatever
    /// was there before.
    fn is_task(self, cell: &Cell) -> bool {
        let (begin, end) = self.program;
        (ONE_REFERENCE..MOST_STATE).contains(&cell.words[STATE])
            && (begin..end).contains(&cell.words[FUNCTIONS])
            && cell.words[FUNCTIONS].is_multiple_of(align_of::<usize>())
    }

    /// The same of one that has not ended.
    pub(super) fn may_run(self, cell: &Cell) -> bool {
        self.is_task(cell) && cell.words[STATE] & COMPLETE == 0
    }

    /// Whether somebody holds the `JoinHandle` of a task.
    pub(super) fn is_held(self, cell: &Cell) -> bool {
        cell.words[STATE] & JOIN_INTEREST != 0
    }

    pub(super) fn standing(self, cell: &Cell, scheduler: Scheduler) -> Standing {
        if let Some(id) = self.id(cell, scheduler) {
            return Standing::Scheduled(id);
        }
        match self.blocking {
            Some(blocking) if cell.words[blocking.scheduler] == scheduler.0 => {
                Standing::Blocking(cell.words[blocking.id])
            }
            _ => Standing::Elsewhere(cell.words[self.id]),
        }
    }

    /// Spawns a task of ours that ends with its first turn, and reads from its cell where its scheduler is.
    pub(super) fn scheduler(self, runtime: &Handle, watch: &CellWatch) -> Option<(Scheduler, AbortHandle)> {
        let _ours = memory::ours();
        let from = watch.next();
        let task = runtime.spawn(async {});
        let id = number(task.id());
        let cells = watch.cells(|number, domain| number >= from && domain == Domain::ours());
        let cell = cells.iter().find(|cell| cell.words[self.id] == id)?;
        Some((Scheduler(cell.words[self.scheduler]), task.abort_handle()))
    }
}

/// From where to where the file is mapped that has this address in it; everything where the system does not say.
fn program(address: usize) -> (usize, usize) {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let mappings: Vec<(usize, usize, &str)> = maps.lines().filter_map(mapping).collect();
    let path =
        mappings.iter().find(|(begin, end, _)| (*begin..*end).contains(&address)).map(|(.., path)| *path);
    let of_path = || mappings.iter().filter(|(.., own)| Some(*own) == path && !own.is_empty());
    let begin = of_path().map(|(begin, ..)| *begin).min();
    let end = of_path().map(|(_, end, _)| *end).max();
    begin.zip(end).unwrap_or((1, usize::MAX))
}

/// Such as `55e0-55f0 r--p 00000000 08:02 4711 /path`.
fn mapping(line: &str) -> Option<(usize, usize, &str)> {
    let mut fields = line.splitn(6, ' ');
    let (begin, end) = fields.next()?.split_once('-')?;
    let hex = |text| usize::from_str_radix(text, 16).ok();
    Some((hex(begin)?, hex(end)?, fields.nth(4).unwrap_or_default().trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_has_its_addresses_and_its_path() {
        let line = "55e0a000-55e0b000 r--p 00000000 08:02 4711                       /a path/program";
        assert_eq!(mapping(line), Some((0x55e0_a000, 0x55e0_b000, "/a path/program")));
        assert_eq!(mapping("7f00-7f10 rw-p 00000000 00:00 0"), Some((0x7f00, 0x7f10, "")));
        assert_eq!(mapping(""), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_programs_constants_are_within_the_program() {
        let (begin, end) = program(std::ptr::from_ref("a constant").addr());
        assert!((begin..end).contains(&std::ptr::from_ref("another one").addr()), "{begin:x}-{end:x}");
        assert!(!(begin..end).contains(&std::ptr::from_ref(&*Box::new(1_u8)).addr()), "{begin:x}-{end:x}");
    }

    #[test]
    fn without_the_allocator_nothing_is_read() {
        assert_eq!(layout(), None);
    }
}
