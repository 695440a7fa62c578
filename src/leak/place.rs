//! Where a task was spawned: the library's line, the user's own above it, and what kind of task it is.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::finding::SourceLine;
use super::ignore::{Ignored, Ignores};
use crate::memory::{self, Line, named, shorter};

/// What a stack says of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) kind: Kind,
    /// The innermost line outside tokio.
    pub(super) spawned_at: Option<SourceLine>,
    /// The user's own lines from there outward.
    pub(super) own: Vec<SourceLine>,
    /// All lines from there outward, as function and file, for ignores.
    pub(super) texts: Vec<String>,
    /// Whether the program tells its files and lines; without, inlined functions have no names either.
    pub(super) has_lines: bool,
}

/// What kind of block it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Task,
    Local,
    Blocking,
    /// The stack has no names, so that it cannot be told.
    Unknown,
    NoTask,
}

type Places = HashMap<Arc<[usize]>, Arc<Place>>;

/// What is known of a stack without looking it up.
pub(super) fn known(stack: &Arc<[usize]>) -> Option<Arc<Place>> {
    lock().as_ref()?.get(stack).cloned()
}

/// Looks up a stack, or remembers it: looking up takes about a millisecond, and the first time in a program much longer.
pub(super) fn place(stack: &Arc<[usize]>) -> Arc<Place> {
    let _ours = memory::ours();
    let mut places = lock();
    let place = places
        .get_or_insert_default()
        .entry(Arc::clone(stack))
        .or_insert_with(|| Arc::new(Place::of(named(stack))));
    Arc::clone(place)
}

fn lock() -> MutexGuard<'static, Option<Places>> {
    static PLACES: Mutex<Option<Places>> = Mutex::new(None);
    PLACES.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Place {
    fn of(mut lines: Vec<Line>) -> Self {
        let end = lines.iter().position(Line::is_runners).unwrap_or(lines.len());
        lines.truncate(end);
        let Some(cell) = lines.iter().position(is_cell) else {
            let kind = if lines.is_empty() { Kind::Unknown } else { Kind::NoTask };
            return Self { kind, spawned_at: None, own: Vec::new(), texts: Vec::new(), has_lines: false };
        };
        let way = lines[cell..].iter().take_while(|line| is_way(line)).count();
        let (way, rest) = lines[cell..].split_at(way);
        // Below this, the runtime was at work, and not for this task.
        let turn = rest.iter().position(is_turn).unwrap_or(rest.len());
        let rest = &rest[..turn];
        let kind = if way.iter().any(is_new_worker) {
            Kind::NoTask
        } else if way.iter().any(|line| line.function.contains("tokio::runtime::blocking::")) {
            Kind::Blocking
        } else if way.iter().any(is_local_set) {
            Kind::Local
        } else {
            Kind::Task
        };
        let has_lines = lines.iter().any(|line| line.file.is_some());
        let spawned_at =
            rest.iter().find(|line| !is_std(line)).filter(|line| !is_ours(line)).map(SourceLine::of);
        let mut own: Vec<_> = rest.iter().filter(|line| line.is_own()).map(SourceLine::of).collect();
        own.dedup(); // a function within itself
        drop_expansion(&mut own);
        // The same line has the same name.
        let spawned_at =
            spawned_at.map(|line| own.first().filter(|own| own.is_at(&line)).cloned().unwrap_or(line));
        Self { kind, spawned_at, own, texts: rest.iter().map(ToString::to_string).collect(), has_lines }
    }
}

impl Place {
    /// Whether the line that spawned is the user's own.
    pub(super) fn is_own(&self) -> bool {
        self.spawned_at.is_some() && self.own.first() == self.spawned_at.as_ref()
    }

    /// Whether a line on the way to the spawn is allowed.
    pub(super) fn is_ignored(&self, ignores: &Ignores) -> bool {
        self.texts.iter().any(|text| ignores.allow(Ignored::SpawnedIn, text))
    }
}

/// The attribute puts a test into a function of its own name, which says nothing more to a reader.
fn drop_expansion(own: &mut Vec<SourceLine>) {
    let inner = |outer: &str| outer.rsplit_once("::").map_or(outer, |(_, name)| name).to_owned();
    let is_expansion = |pair: &[SourceLine]| {
        pair[0].function == format!("{}::{}", pair[1].function, inner(&pair[1].function))
    };
    if let Some(index) = own.windows(2).position(is_expansion) {
        let outer = own.remove(index + 1);
        own[index].function = outer.function;
    }
}

/// The innermost line that is not tokio's or the standard library's, and the user's own lines above it.
#[cfg_attr(
    not(all(tokio_unstable, feature = "taskdump")),
    expect(dead_code, reason = "only tokio's dumps need it")
)]
pub(super) fn waiting(lines: &[Line]) -> Vec<SourceLine> {
    let begin = lines.iter().position(|line| !is_way(line)).unwrap_or(lines.len());
    let rest = &lines[begin..];
    let own = rest.iter().skip(1).filter(|line| line.is_own());
    rest.first().into_iter().chain(own).map(SourceLine::of).collect()
}

impl SourceLine {
    /// Whether it is the same place, by whatever name.
    fn is_at(&self, other: &Self) -> bool {
        self.file == other.file && self.line == other.line
    }

    fn of(line: &Line) -> Self {
        let file = line.file.as_deref().map(shorter);
        Self { function: plain(&line.function), file, line: line.line }
    }
}

/// A function's name without the marks of closures and async bodies, and without its hash, which say nothing more to a reader.
fn plain(function: &str) -> String {
    let is_hash = |end: &str| {
        end.len() == 17 && end.starts_with('h') && end[1..].bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let name = function.rsplit_once("::").filter(|(_, end)| is_hash(end)).map_or(function, |(name, _)| name);
    name.replace("::{{closure}}", "").replace("::{closure#0}", "")
}

/// The name without what a generated name begins with; of an implementation for a type without a path, the trait's.
fn path(line: &Line) -> &str {
    let name = line.function.trim_start_matches(['<', '&', '(']);
    let name = name.strip_prefix("mut ").unwrap_or(name);
    match name.split_once(" as ") {
        Some((type_, name)) if !type_.contains("::") => name,
        _ => name,
    }
}

fn is_cell(line: &Line) -> bool {
    let path = path(line);
    path.starts_with("tokio::runtime::task::core::Cell") || path.starts_with("tokio::runtime::task::new_task")
}

/// On the way from the line that spawns to the cell.
fn is_way(line: &Line) -> bool {
    let path = path(line);
    path.starts_with("tokio::") || path.starts_with("tokio_util::") || is_std(line)
}

fn is_std(line: &Line) -> bool {
    let path = path(line);
    ["std::", "core::", "alloc::"].iter().any(|begin| path.starts_with(begin))
}

/// Where a runtime gives a task, or the test's own body, its turn.
fn is_turn(line: &Line) -> bool {
    let path = path(line);
    path.starts_with("tokio::runtime::") || path.starts_with("tokio::task::local::LocalSet::tick")
}

/// Without debug information, a function of the user's that was inlined leaves the function of ours that called it.
fn is_ours(line: &Line) -> bool {
    line.file.is_none() && path(line).starts_with("isolated_nats::")
}

/// A runtime starts its workers on threads of the blocking pool, and `block_in_place` gives its worker's work to another one.
fn is_new_worker(line: &Line) -> bool {
    let path = path(line);
    path.starts_with("tokio::runtime::scheduler::multi_thread::worker::block_in_place")
        || path.starts_with("tokio::runtime::scheduler::multi_thread::worker::Launch")
}

fn is_local_set(line: &Line) -> bool {
    let path = path(line);
    path.starts_with("tokio::task::local::Context::spawn") || path.starts_with("tokio::task::local::LocalSet")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(function: &str, file: &str, line: u32) -> Line {
        Line { function: function.into(), file: Some(file.into()), line }
    }

    fn spawn(way: &[&str]) -> Vec<Line> {
        let mut lines = vec![
            line("alloc::boxed::Box<T>::new", "/rustc/1/library/alloc/src/boxed.rs", 1),
            line("tokio::runtime::task::core::Cell<T,S>::new", "/registry/src/x/tokio-1.54.1/src/a.rs", 2),
        ];
        lines.extend(way.iter().map(|way| line(way, "/registry/src/x/tokio-1.54.1/src/b.rs", 3)));
        lines.push(line(
            "async_nats::connector::connect",
            "/home/a/registry/src/x/async-nats-0.51.0/src/lib.rs",
            4,
        ));
        lines.push(line("core::ops::function::FnOnce::call_once", "/rustc/1/library/core/src/f.rs", 5));
        lines.push(line("orders::open::{{closure}}", "src/orders.rs", 6));
        lines.push(line("orders::tests::are_kept::{{closure}}", "src/tests.rs", 7));
        lines.push(line("test::run_test", "/rustc/1/library/test/src/lib.rs", 8));
        lines
    }

    #[test]
    fn a_task_is_placed_at_the_librarys_line_and_the_users_own() {
        let place = Place::of(spawn(&["tokio::runtime::task::new_task", "tokio::task::spawn::spawn"]));

        let spawned_at = place.spawned_at.unwrap();
        assert_eq!((place.kind, spawned_at.line), (Kind::Task, 4));
        assert_eq!(spawned_at.file.as_deref(), Some("async-nats-0.51.0/src/lib.rs"));
        let own: Vec<_> = place.own.iter().map(|own| (own.function.as_str(), own.line)).collect();
        assert_eq!(own, [("orders::open", 6), ("orders::tests::are_kept", 7)]);
        assert!(place.texts.iter().any(|text| text.contains("src/orders.rs:6")), "{:?}", place.texts);
    }

    #[test]
    fn the_attributes_expansion_is_left_out() {
        let lines = vec![
            line("tokio::runtime::task::core::Cell<T,S>::new", "/registry/src/x/tokio-1.54.1/src/a.rs", 2),
            line("tokio::task::spawn::spawn", "/registry/src/x/tokio-1.54.1/src/b.rs", 3),
            line("orders::are_kept::are_kept::{{closure}}", "tests/orders.rs", 7),
            line("orders::are_kept::{{closure}}", "tests/orders.rs", 5),
        ];
        let place = Place::of(lines);
        let spawned_at = place.spawned_at.clone().unwrap();
        assert_eq!((spawned_at.function.as_str(), spawned_at.line), ("orders::are_kept", 7));
        assert!(place.is_own() && place.own == [spawned_at], "{place:?}");
    }

    #[test]
    fn a_name_is_shown_without_what_is_generated() {
        assert_eq!(plain("orders::open::{{closure}}::h0123456789abcdef"), "orders::open");
        assert_eq!(plain("orders::halt"), "orders::halt");
    }

    #[test]
    fn the_way_to_the_cell_tells_the_kind() {
        let kind = |way: &[&str]| Place::of(spawn(way)).kind;
        assert_eq!(kind(&["tokio::runtime::blocking::pool::Spawner::spawn_blocking"]), Kind::Blocking);
        assert_eq!(
            kind(&["tokio::task::local::Context::spawn", "tokio::task::local::spawn_local"]),
            Kind::Local
        );
        let new_worker = "tokio::runtime::scheduler::multi_thread::worker::block_in_place";
        assert_eq!(kind(&["tokio::runtime::blocking::pool::spawn_blocking", new_worker]), Kind::NoTask);
        let by_trait = "<&mut T as tokio::io::async_read::AsyncRead>::poll_read";
        assert_eq!(kind(&["tokio::runtime::blocking::pool::spawn_blocking", by_trait]), Kind::Blocking);
        assert_eq!(kind(&["<tokio::task::join_set::JoinSet<T>>::spawn"]), Kind::Task);
    }

    #[test]
    fn what_is_no_tasks_block_is_told_apart() {
        let channel =
            vec![line("tokio::sync::mpsc::chan::channel", "/registry/src/x/tokio-1.54.1/src/c.rs", 1)];
        assert_eq!(Place::of(channel).kind, Kind::NoTask);
        assert_eq!(Place::of(Vec::new()).kind, Kind::Unknown);
    }
}
