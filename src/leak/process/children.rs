//! Children: `/proc/self/task/*/children`, which names each by the thread that made it.

use std::collections::BTreeSet;

use super::files::{Stat, numbers, read};
use super::threads::Thread;
use crate::leak::finding::{Leak, LeakKind};
use crate::leak::ignore::{Ignored, Ignores};
use crate::server::Thing;

/// The pids of all children of this process, with those of this crate, and those that have ended and were not waited for.
///
/// A child whose maker ends goes over to another thread, and may be passed over by one look.
pub(crate) fn all_children() -> Vec<u32> {
    listed(numbers("/proc/self/task").unwrap_or_default()).unwrap_or_else(scanned)
}

/// The program and the arguments of a process; empty when it has ended, or has emptied them.
pub(crate) fn arguments(pid: u32) -> Vec<Vec<u8>> {
    parts(&read(&format!("/proc/{pid}/cmdline")).unwrap_or_default())
}

/// Arguments end with a zero byte each.
fn parts(text: &[u8]) -> Vec<Vec<u8>> {
    let ended = text.strip_suffix(b"\0").unwrap_or(text);
    if text.is_empty() { Vec::new() } else { ended.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect() }
}

/// A child of this process, which may have ended.
#[derive(Debug)]
struct Child {
    pid: u32,
    stat: Stat,
}

/// The children that there were.
#[derive(Debug)]
pub(super) struct Before(BTreeSet<(u32, u64)>);

impl Before {
    /// Looks twice: a child whose maker ends goes over to another thread, and may be passed over by one look.
    pub(super) fn take(threads: &[Thread]) -> Self {
        Self(
            now(threads)
                .into_iter()
                .chain(now(threads))
                .map(|child| (child.pid, child.stat.started))
                .collect(),
        )
    }

    /// Those that are new.
    pub(super) fn leaks(&self, threads: &[Thread], ignores: &Ignores) -> Vec<Leak> {
        let new = now(threads).into_iter().filter(|child| !self.0.contains(&(child.pid, child.stat.started)));
        new.filter_map(|child| {
            let command_line = child.command_line();
            (!ignores.allow(Ignored::Children, &command_line)).then(|| child.leak(&command_line))
        })
        .collect()
    }
}

impl Child {
    /// Its arguments; only the program's name when it has ended, or has emptied them.
    fn command_line(&self) -> String {
        let line = command_line(&arguments(self.pid));
        if line.is_empty() { self.stat.name.clone() } else { line }
    }

    fn leak(&self, command_line: &str) -> Leak {
        let leak = Leak::one(LeakKind::Child, format!("`{command_line}` (pid {})", self.pid));
        if self.stat.has_ended() {
            return leak.detail("zombie: it has ended, and nobody waited for it").hint(
                "call `wait` before the end; a tokio runtime that is dropped first does not do it either",
            );
        }
        leak.hint("kill it and call `wait`, or start it by tokio with `kill_on_drop(true)`")
    }
}

fn command_line(arguments: &[Vec<u8>]) -> String {
    let parts: Vec<_> = arguments.iter().map(|argument| String::from_utf8_lossy(argument)).collect();
    parts.join(" ")
}

fn now(threads: &[Thread]) -> Vec<Child> {
    let not_ours = threads.iter().filter(|thread| !thread.is_ours()).map(|thread| thread.tid);
    let pids = listed(not_ours).unwrap_or_else(scanned);
    let others = pids.into_iter().filter(|pid| !Thing::Child(*pid).is_ours());
    others.filter_map(|pid| Some(Child { pid, stat: stat(pid)? })).collect()
}

fn stat(pid: u32) -> Option<Stat> {
    Stat::read(&format!("/proc/{pid}/stat"))
}

/// What the kernel lists for these threads; `None` where it keeps no lists (`CONFIG_PROC_CHILDREN`).
fn listed(threads: impl IntoIterator<Item = u32>) -> Option<Vec<u32>> {
    let mut lists = None;
    for thread in threads {
        if let Some(text) = read(&format!("/proc/self/task/{thread}/children")) {
            lists.get_or_insert_with(Vec::new).extend(pids(&text));
        }
    }
    lists
}

fn pids(text: &[u8]) -> Vec<u32> {
    let text = str::from_utf8(text).unwrap_or_default();
    text.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// All processes of the system whose parent is this one.
fn scanned() -> Vec<u32> {
    let us = std::process::id();
    let all = numbers("/proc").unwrap_or_default();
    all.into_iter().filter(|pid| stat(*pid).is_some_and(|stat| stat.parent == us)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_joined_and_empty_ones_kept() {
        let line = |text: &[u8]| command_line(&parts(text));
        assert_eq!(line(b"sleep\x00600\x00"), "sleep 600");
        assert_eq!(line(b"a\0\0b"), "a  b");
        assert_eq!(line(b""), "");
    }

    #[test]
    fn a_list_of_pids_ends_with_a_space() {
        assert_eq!(pids(b"17 4711 "), [17, 4711]);
        assert_eq!(pids(b""), [0_u32; 0]);
    }

    #[test]
    fn the_scan_finds_what_the_lists_name() {
        let (input, _held) = std::io::pipe().unwrap();
        let mut child = std::process::Command::new("cat").stdin(input).spawn().unwrap();
        let (scanned, all) = (scanned(), all_children());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(scanned.contains(&child.id()), "{scanned:?}");
        assert!(all.contains(&child.id()), "{all:?}");
    }
}
