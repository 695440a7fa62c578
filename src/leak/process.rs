//! Threads, descriptors and children of a process that is the test's own.
//!
//! All of it is read from `/proc/self`, anew with each look, and compared by identity, so that what earlier tests left
//! may go: a thread is its id and its start, a descriptor its number and what it is of, a child its pid and its start.
//!
//! What is never counted: what this crate holds itself (its threads by their name, the rest by `server::ours`), the
//! runtime's pool of threads, which it keeps for ten seconds, and what it holds for the life of the process.

#[cfg(target_os = "linux")]
mod children;
#[cfg(target_os = "linux")]
mod descriptors;
#[cfg(target_os = "linux")]
mod files;
#[cfg(target_os = "linux")]
mod runtime;
#[cfg(target_os = "linux")]
mod sockets;
#[cfg(target_os = "linux")]
mod threads;

use super::finding::{Leak, NotChecked};
use super::ignore::Ignores;
use crate::{alone, memory};

#[cfg(all(target_os = "linux", feature = "load"))]
pub(crate) use children::{all_children, arguments};
#[cfg(all(not(target_os = "linux"), feature = "load"))]
pub(crate) use other::{all_children, arguments};

#[cfg(target_os = "linux")]
use linux::Before;
#[cfg(not(target_os = "linux"))]
use other::Before;

const SHARED: &str = "shared process (run it under nextest, or with `#[isolated_nats(process)]`, `run_alone` or \
                      `--test-threads=1`)";
/// How many descriptors or children of a process are shown one by one.
#[cfg(target_os = "linux")]
const SHOWN: usize = 20;

/// What there was before.
#[derive(Debug)]
pub(crate) struct ProcessBaseline(Before);

impl ProcessBaseline {
    /// Looks at what there is; an error where other tests run in this process, or where the system has no `/proc`. To be
    /// called on the test's own thread.
    pub(crate) fn take() -> Result<Self, NotChecked> {
        let _ours = memory::ours();
        let not_checked = |why: &str| NotChecked { what: NotChecked::PROCESS, why: why.to_owned() };
        alone::alone().ok_or_else(|| not_checked(SHARED))?;
        Before::take().map(Self).ok_or_else(|| not_checked("this system has no /proc"))
    }

    /// Whether there is nothing that [`leaks`](Self::leaks) would return: for a wait, which needs no texts. Both can be called
    /// as often as one likes; this takes some 100 µs, and that up to 30 ms when a socket is left.
    pub(crate) fn is_clean(&self, ignores: &Ignores) -> bool {
        let _ours = memory::ours();
        self.0.is_clean(ignores)
    }

    /// What there is now and was not before, and is not ours or the runtime's: threads by name, descriptors by number,
    /// children by pid. What ends by itself may still be there: look again.
    pub(crate) fn leaks(&self, ignores: &Ignores) -> Vec<Leak> {
        let _ours = memory::ours();
        self.0.leaks(ignores)
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use super::{Ignores, Leak, SHOWN, children, descriptors, runtime, threads};
    use crate::leak::finding::LeakKind;

    /// What there was.
    #[derive(Debug)]
    pub(super) struct Before {
        threads: threads::Before,
        descriptors: descriptors::Before,
        children: children::Before,
    }

    impl Before {
        pub(super) fn take() -> Option<Self> {
            runtime::warm_up(); // before the look: it opens what stays
            let threads = threads::now()?;
            let children = children::Before::take(&threads);
            let descriptors = descriptors::Before::take()?;
            Some(Self { threads: threads::Before::take(&threads), descriptors, children })
        }

        pub(super) fn is_clean(&self, ignores: &Ignores) -> bool {
            let threads = threads::now().unwrap_or_default();
            self.threads.leaks(&threads, ignores).is_empty()
                && self.descriptors.is_clean(ignores)
                && self.children.leaks(&threads, ignores).is_empty()
        }

        pub(super) fn leaks(&self, ignores: &Ignores) -> Vec<Leak> {
            let threads = threads::now().unwrap_or_default();
            let mut leaks = self.threads.leaks(&threads, ignores);
            leaks.extend(capped(LeakKind::Descriptor, self.descriptors.leaks(ignores)));
            leaks.extend(capped(LeakKind::Child, self.children.leaks(&threads, ignores)));
            leaks
        }
    }

    /// The first of many, and the count of the rest.
    pub(super) fn capped(kind: LeakKind, mut leaks: Vec<Leak>) -> Vec<Leak> {
        let rest = leaks.len().saturating_sub(SHOWN);
        if rest > 0 {
            leaks.truncate(SHOWN);
            leaks.push(Leak { count: rest, ..Leak::one(kind, format!("and {rest} more")) });
        }
        leaks
    }
}

#[cfg(not(target_os = "linux"))]
mod other {
    use super::{Ignores, Leak};

    /// They are not known here.
    pub(crate) fn all_children() -> Vec<u32> {
        Vec::new()
    }

    /// They are not known here.
    pub(crate) fn arguments(_pid: u32) -> Vec<Vec<u8>> {
        Vec::new()
    }

    /// There is nothing to look at.
    #[derive(Debug)]
    pub(super) enum Before {}

    impl Before {
        pub(super) fn take() -> Option<Self> {
            None
        }

        pub(super) fn is_clean(&self, _ignores: &Ignores) -> bool {
            match *self {}
        }

        pub(super) fn leaks(&self, _ignores: &Ignores) -> Vec<Leak> {
            match *self {}
        }
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
