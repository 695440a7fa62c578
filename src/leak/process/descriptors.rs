//! Descriptors: `/proc/self/fd`.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use tokio::runtime::Handle;

use super::files::numbers;
use super::runtime;
use super::sockets::{self, Socket, Sockets};
use crate::leak::finding::{Leak, LeakKind};
use crate::leak::ignore::{Ignored, Ignores};
use crate::server::Thing;

/// Sources of randomness, which libraries keep open for the life of the process.
const LASTING: [&str; 2] = ["/dev/urandom", "/dev/random"];

/// An open descriptor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Descriptor {
    number: u32,
    /// A path, or what the kernel calls it, such as `socket:[4711]`.
    pub(super) target: String,
    /// Device and inode of what has a path.
    file: Option<(u64, u64)>,
}

/// What stays the same while a descriptor is open: a path does not, when its file is renamed or removed.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Identity {
    File { number: u32, file: (u64, u64) },
    Other { number: u32, target: String },
}

/// All descriptors but those of this crate, in the order of their numbers; `None` where there is no `/proc`.
pub(super) fn now() -> Option<Vec<Descriptor>> {
    // The directory is closed by then, and its own descriptor leads nowhere.
    let all = numbers("/proc/self/fd")?.into_iter().filter_map(Descriptor::read);
    Some(all.filter(|descriptor| !descriptor.is_built_in()).collect())
}

/// The descriptors that there were.
#[derive(Debug)]
pub(super) struct Before {
    descriptors: BTreeSet<Identity>,
    /// The inodes of the sockets among them. What they lead to is not looked up here: that would make each start slow.
    sockets: BTreeSet<u64>,
    within_runtime: bool,
}

impl Before {
    pub(super) fn take() -> Option<Self> {
        let now = now()?;
        let descriptors = now.iter().map(Descriptor::identity).collect();
        Some(Self { descriptors, sockets: inodes(&now), within_runtime: is_within_runtime() })
    }

    /// Whether none is new; says it without what is expensive, unless it takes a name to know.
    pub(super) fn is_clean(&self, ignores: &Ignores) -> bool {
        let new = self.new_ones();
        new.is_empty() || (ignores.has(Ignored::Descriptors) && described(&new, ignores).is_empty())
    }

    /// Those that are new.
    pub(super) fn leaks(&self, ignores: &Ignores) -> Vec<Leak> {
        described(&self.new_ones(), ignores)
    }

    fn new_ones(&self) -> Vec<Descriptor> {
        let all = now().unwrap_or_default();
        let mut new = all.clone();
        new.retain(|descriptor| !self.descriptors.contains(&descriptor.identity()));
        if !self.within_runtime && is_within_runtime() {
            without_one_runtime(&mut new);
        }
        self.without_replaced(&mut new, &all);
        new
    }

    /// Takes out one connection to a server of ours for each socket of before that has gone: a client of before that connects
    /// again, as after a restart of its server, has another one.
    fn without_replaced(&self, new: &mut Vec<Descriptor>, all: &[Descriptor]) {
        let open = inodes(all);
        let mut gone = self.sockets.difference(&open).count();
        if gone == 0 {
            return;
        }
        let connections = connections(new);
        new.retain(|descriptor| {
            let replaces = gone > 0 && descriptor.socket().is_some_and(|inode| connections.contains(&inode));
            gone -= usize::from(replaces);
            !replaces
        });
    }
}

fn inodes(descriptors: &[Descriptor]) -> BTreeSet<u64> {
    descriptors.iter().filter_map(Descriptor::socket).collect()
}

/// Those of them that lead to servers of ours.
fn connections(descriptors: &[Descriptor]) -> BTreeSet<u64> {
    let sockets = sockets::find(&inodes(descriptors)).into_iter();
    sockets.filter(|(_, socket)| socket.is_of_our_server()).map(|(inode, _)| inode).collect()
}

fn described(new: &[Descriptor], ignores: &Ignores) -> Vec<Leak> {
    let sockets = sockets::find(&inodes(new));
    new.iter().filter_map(|descriptor| descriptor.leak(&sockets, ignores)).collect()
}

fn is_within_runtime() -> bool {
    Handle::try_current().is_ok()
}

/// Takes out as much as one runtime has open: that in which a test is looked at that began outside of it.
fn without_one_runtime(descriptors: &mut Vec<Descriptor>) {
    let mut allowed = runtime::warm_up().clone();
    descriptors.retain(|descriptor| match allowed.get_mut(&descriptor.target) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        _ => true,
    });
}

impl Descriptor {
    fn read(number: u32) -> Option<Self> {
        let link = path(number);
        let target = fs::read_link(&link).ok()?.to_string_lossy().into_owned();
        let file = if target.starts_with('/') {
            fs::metadata(&link).ok().map(|file| (file.dev(), file.ino()))
        } else {
            None
        };
        Some(Self { number, target, file })
    }

    fn identity(&self) -> Identity {
        let number = self.number;
        match self.file {
            Some(file) => Identity::File { number, file },
            None => Identity::Other { number, target: self.target.clone() },
        }
    }

    fn is_built_in(&self) -> bool {
        LASTING.contains(&self.target.as_str())
            || is_of_a_probe(&self.target)
            || Thing::Descriptor(self.number).is_ours()
    }

    fn socket(&self) -> Option<u64> {
        inode(&self.target, "socket")
    }

    fn leak(&self, sockets: &Sockets, ignores: &Ignores) -> Option<Leak> {
        let socket = self.socket().map(|inode| sockets.get(&inode).cloned().unwrap_or_default());
        let text = socket.as_ref().map_or_else(|| self.text(), Socket::to_string);
        if ignores.allow(Ignored::Descriptors, &text) {
            return None;
        }
        let quote = if self.target.starts_with('/') { "`" } else { "" };
        let leak = Leak::one(LeakKind::Descriptor, format!("{quote}{text}{quote} (fd {})", self.number));
        Some(match socket {
            Some(socket) => socket.explain(leak),
            None if text == "epoll instance" => {
                leak.hint("a runtime that is still alive has some: drop it, or call `shutdown_timeout`")
            }
            None => leak,
        })
    }

    /// What it is, in plain words.
    fn text(&self) -> String {
        if inode(&self.target, "pipe").is_some() {
            return self.end_of_pipe().into();
        }
        name(&self.target).to_owned()
    }

    /// By the permissions of the link, which are those of the descriptor.
    fn end_of_pipe(&self) -> &'static str {
        let mode = fs::symlink_metadata(path(self.number)).map_or(0, |link| link.permissions().mode());
        match (mode & 0o400 != 0, mode & 0o200 != 0) {
            (true, false) => "pipe, reading end",
            (false, true) => "pipe, writing end",
            _ => "pipe",
        }
    }
}

fn path(number: u32) -> String {
    format!("/proc/self/fd/{number}")
}

/// The number in `socket:[4711]`.
fn inode(target: &str, kind: &str) -> Option<u64> {
    target.strip_prefix(kind)?.strip_prefix(":[")?.strip_suffix(']')?.parse().ok()
}

/// A path as it is, and what has none in plain words.
fn name(target: &str) -> &str {
    if inode(target, "pidfd").is_some() {
        return "pidfd"; // since Linux 6.9
    }
    let Some(kind) = target.strip_prefix("anon_inode:") else { return target };
    match kind.strip_prefix('[').and_then(|kind| kind.strip_suffix(']')).unwrap_or(kind) {
        "eventpoll" => "epoll instance",
        kind => kind,
    }
}

/// Whether it is a file of `/proc` that a `MemoryProbe` keeps open, and opens anew for a server that was restarted.
fn is_of_a_probe(target: &str) -> bool {
    let file = target.strip_prefix("/proc/").and_then(|rest| rest.split_once('/'));
    file.is_some_and(|(pid, file)| {
        pid.parse::<u32>().is_ok()
            && ["stat", "statm", "status", "io"].contains(&file.strip_suffix(" (deleted)").unwrap_or(file))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_path_has_a_plain_name() {
        let names = [
            ("anon_inode:[eventpoll]", "epoll instance"),
            ("anon_inode:[eventfd]", "eventfd"),
            ("anon_inode:[timerfd]", "timerfd"),
            ("anon_inode:[pidfd]", "pidfd"),
            ("pidfd:[4711]", "pidfd"),
            ("anon_inode:inotify", "inotify"),
            ("/tmp/x.log", "/tmp/x.log"),
            ("net:[4026531840]", "net:[4026531840]"),
        ];
        for (target, expected) in names {
            assert_eq!(name(target), expected);
        }
    }

    #[test]
    fn an_inode_is_the_number_in_brackets() {
        assert_eq!(inode("socket:[4711]", "socket"), Some(4711));
        assert_eq!(inode("pipe:[4711]", "socket"), None);
        assert_eq!(inode("socket:[]", "socket"), None);
    }

    #[test]
    fn files_of_a_probe_are_those_of_a_process() {
        assert!(is_of_a_probe("/proc/17/statm") && is_of_a_probe("/proc/17/io (deleted)"));
        assert!(!is_of_a_probe("/proc/meminfo") && !is_of_a_probe("/proc/17/mem"));
        assert!(!is_of_a_probe("/tmp/17/stat") && !is_of_a_probe("/proc/17/fd/stat"));
    }
}
