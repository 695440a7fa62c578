//! Tasks in groups: those of one kind that were spawned in the same place.

use std::sync::Arc;

use super::finding::{Leak, LeakKind, SourceLine};
use super::place::{Place, place};
use super::waits::Waits;

/// How many of the user's own lines are shown besides the first.
const MORE_LINES: usize = 5;

/// One task that was seen in memory.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) kind: LeakKind,
    pub(super) stack: Arc<[usize]>,
    pub(super) is_held: bool,
    /// The task's number.
    pub(super) id: usize,
    /// The task which spawned this one.
    pub(super) parent_id: Option<tokio::task::Id>,
    /// The stack that spawned the task which spawned this one, if that still runs.
    pub(super) parent: Option<Arc<[usize]>>,
}

struct Group {
    kind: LeakKind,
    place: Arc<Place>,
    parent: Option<Arc<Place>>,
    count: usize,
    held: usize,
    /// Where they wait, each line once.
    waits: Vec<SourceLine>,
}

/// The groups, the largest first.
pub(super) fn leaks(found: Vec<Found>, waits: &Waits) -> Vec<Leak> {
    let mut groups: Vec<Group> = Vec::new();
    for found in found {
        let place = place(&found.stack);
        let known = groups.iter().position(|group| group.kind == found.kind && group.place.is_like(&place));
        let index = known.unwrap_or_else(|| {
            groups.push(Group::new(found.kind, place));
            groups.len() - 1
        });
        groups[index].add(&found, waits);
    }
    // The user's own first, then the largest; stable: else in the order they were spawned.
    groups.sort_by_key(|group| (!group.place.is_own(), std::cmp::Reverse(group.count)));
    groups.into_iter().map(Leak::from).collect()
}

impl Group {
    fn new(kind: LeakKind, place: Arc<Place>) -> Self {
        Self { kind, place, parent: None, count: 0, held: 0, waits: Vec::new() }
    }

    fn add(&mut self, found: &Found, waits: &Waits) {
        self.count += 1;
        self.held += usize::from(found.is_held);
        if self.parent.is_none() {
            self.parent = found.parent.as_ref().map(place);
        }
        for line in waits.get(&found.id).into_iter().flatten() {
            if !self.waits.contains(line) {
                self.waits.push(line.clone());
            }
        }
    }
}

/// How a group on another runtime is told of, where it is no leak.
pub(super) fn elsewhere(leak: &Leak) -> String {
    let at = leak.spawned_at.as_ref().map(|line| format!(", spawned at {line}")).unwrap_or_default();
    format!("{} on another runtime{at}", leak.kind.counted(leak.count))
}

impl Place {
    fn is_like(&self, other: &Self) -> bool {
        self.spawned_at == other.spawned_at && self.own == other.own
    }
}

impl From<Group> for Leak {
    fn from(Group { kind, place, parent, count, held, waits }: Group) -> Self {
        let mut leak = Self { count, ..Self::one(kind, "") };
        leak.spawned_at.clone_from(&place.spawned_at);
        leak.called_from = place.own.first().cloned();
        leak.details.extend(place.own.iter().skip(1).take(MORE_LINES).map(|line| format!("> {line}")));
        if let Some(parent) = parent {
            let own = parent.own.first().or(parent.spawned_at.as_ref());
            leak.details.extend(own.map(|line| format!("within a task that was spawned by {line}")));
            if leak.called_from.is_none() {
                leak.called_from = parent.own.first().cloned();
            }
        }
        leak.details.extend(waits.iter().take(MORE_LINES).map(|line| format!("waits in {line}")));
        // Of a library's own task the user has no handle.
        if place.is_own() {
            leak.hints.push(hint_about_handles(kind, count, held));
        }
        leak.hints.extend(hint_about_place(&place).map(Into::into));
        if !place.has_lines {
            leak.hints.push(NO_LINES.into());
        }
        leak
    }
}

fn hint_about_handles(kind: LeakKind, count: usize, held: usize) -> String {
    let (one, many) = match kind {
        LeakKind::BlockingTask => (
            "it cannot be ended from outside: give it a way to stop, such as a flag or a channel that is closed",
            "they cannot be ended from outside: give them a way to stop, such as a flag or a channel that is closed",
        ),
        _ => ("await it or abort it", "await or abort them"),
    };
    match (count, held) {
        _ if kind == LeakKind::BlockingTask => if count == 1 { one } else { many }.into(),
        (1, 0) => format!("it is detached: keep its JoinHandle, and {one}"),
        (_, 0) => format!("they are detached: keep their JoinHandles, and {many}"),
        (1, _) => format!("its JoinHandle is still held: {one}"),
        _ if held == count => format!("their JoinHandles are still held: {many}"),
        _ => format!("{held} of {count} JoinHandles are still held: {many}"),
    }
}

const NO_LINES: &str = "without lines, inlined functions are not named: set `debug = \"line-tables-only\"` in this profile of Cargo.toml";

/// What the test has to do for a task of async-nats to end.
fn hint_about_place(place: &Place) -> Option<&'static str> {
    let function = place.spawned_at.as_ref()?.function.trim_start_matches(['<', '&']);
    let path = function.strip_prefix("async_nats::")?;
    Some(if path.starts_with("jetstream::consumer") {
        "a stream of a consumer's messages is still held: drop it"
    } else if path.starts_with("jetstream") {
        "a JetStream context, or something made from it, is still held: drop it"
    } else if path.starts_with("service") {
        "a service still runs: stop it"
    } else {
        CLIENT
    })
}

/// Said of the tasks of a client, until it is known whether its server still has its connection.
pub(super) const CLIENT: &str = "an async-nats client still runs: it, or something made from it, is still held, or it was dropped \
                                 while reconnecting, and tries for ever (drop it before its server ends, or set `max_reconnects`)";
