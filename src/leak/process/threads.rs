//! Threads: `/proc/self/task`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use tokio::runtime::Handle;

use super::SHOWN;
use super::files::{Stat, numbers, read};
use crate::leak::finding::{Leak, LeakKind};
use crate::leak::ignore::{Ignored, Ignores};

/// What the names of all threads of this crate begin with; Linux keeps 15 bytes of them.
const OURS: &str = "isolated-nats";
/// Threads of a runtime, of which it keeps those that wait for blocking work for ten seconds; what such work itself leaves
/// is found elsewhere. The second is the name of older releases.
const POOL: [&str; 2] = ["tokio-rt-worker", "tokio-runtime-w"];

/// The thread that reads it.
const OWN: &str = "/proc/thread-self/stat";

/// A thread of this process.
#[derive(Debug)]
pub(super) struct Thread {
    pub(super) tid: u32,
    stat: Stat,
}

impl Thread {
    pub(super) fn is_ours(&self) -> bool {
        self.stat.name.starts_with(OURS)
    }

    fn identity(&self) -> (u32, u64) {
        (self.tid, self.stat.started)
    }
}

/// All threads, in the order of their ids; `None` where there is no `/proc`.
pub(super) fn now() -> Option<Vec<Thread>> {
    let thread = |tid| Some(Thread { tid, stat: Stat::read(&format!("/proc/self/task/{tid}/stat"))? });
    Some(numbers("/proc/self/task")?.into_iter().filter_map(thread).collect())
}

/// The threads that there were.
#[derive(Debug)]
pub(super) struct Before {
    threads: BTreeSet<(u32, u64)>,
    /// What the system calls the thread that looked: the test's own.
    test: Option<String>,
    pool: Pool,
}

/// What the runtime calls its threads, if it has been given a name for them.
#[derive(Debug, Default)]
struct Pool {
    asked: AtomicBool,
    name: Arc<OnceLock<String>>,
}

impl Before {
    pub(super) fn take(threads: &[Thread]) -> Self {
        let test = Stat::read(OWN).map(|stat| stat.name);
        Self { threads: threads.iter().map(Thread::identity).collect(), test, pool: Pool::default() }
    }

    /// Those that are new, grouped by their names.
    pub(super) fn leaks(&self, threads: &[Thread], ignores: &Ignores) -> Vec<Leak> {
        let mut groups: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
        for thread in threads {
            let name = thread.stat.name.as_str();
            let built_in = thread.is_ours() || thread.stat.has_ended() || self.pool.has(name);
            let old = built_in || self.threads.contains(&thread.identity());
            if !old && !ignores.allow(Ignored::Threads, name) {
                groups.entry(name).or_default().push(thread.tid);
            }
        }
        if !groups.is_empty() {
            self.pool.ask();
        }
        groups.into_iter().map(|(name, tids)| self.group(name, &tids)).collect()
    }

    fn group(&self, name: &str, tids: &[u32]) -> Leak {
        let leak =
            Leak { count: tids.len(), ..Leak::one(LeakKind::Thread, format!("`{name}` ({})", ids(tids))) };
        let leak = match tids.first().and_then(|tid| waits_in(*tid)) {
            Some(place) => leak.detail(format!("waits in the kernel's `{place}`")),
            None => leak,
        };
        if self.test.as_deref() == Some(name) {
            let hint = "a thread without a name bears that of the thread which started it, here the test's \
                        (`std::thread::Builder::name` gives it one)";
            return leak.hint(hint);
        }
        leak.hint("join it, and let what it waits for end it")
    }
}

impl Pool {
    fn has(&self, name: &str) -> bool {
        let own = self.name.get().is_some_and(|own| without_number(own) == without_number(name));
        own || POOL.contains(&name)
    }

    /// Asks a thread of the pool for its name, which the next look knows: once, and only when there is a thread that may
    /// be of it. If it is, that very thread waits for such work, and no other is started.
    fn ask(&self) {
        let Ok(runtime) = Handle::try_current() else { return };
        if !self.asked.swap(true, Ordering::Relaxed) {
            let name = Arc::clone(&self.name);
            runtime.spawn_blocking(move || Stat::read(OWN).map(|stat| name.set(stat.name)));
        }
    }
}

/// A name without the number that `thread_name_fn` may count in it.
fn without_number(name: &str) -> &str {
    name.trim_end_matches(|character: char| character.is_ascii_digit())
}

fn ids(tids: &[u32]) -> String {
    let shown: Vec<String> = tids.iter().take(SHOWN).map(u32::to_string).collect();
    let rest = match tids.len().saturating_sub(SHOWN) {
        0 => String::new(),
        rest => format!(" and {rest} more"),
    };
    format!("tid{} {}{rest}", if tids.len() == 1 { "" } else { "s" }, shown.join(", "))
}

/// The function of the kernel in which a thread sleeps, where the kernel tells.
fn waits_in(tid: u32) -> Option<String> {
    let place = String::from_utf8(read(&format!("/proc/self/task/{tid}/wchan"))?).ok()?;
    (!place.is_empty() && place != "0").then_some(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_ids_are_cut() {
        assert_eq!(ids(&[7]), "tid 7");
        assert_eq!(ids(&[7, 9]), "tids 7, 9");
        let many: Vec<u32> = (1..=23).collect();
        assert!(ids(&many).ends_with(", 20 and 3 more"), "{}", ids(&many));
    }
}
