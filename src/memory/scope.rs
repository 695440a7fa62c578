//! Saying by hand whose memory it is: for pools that outlive a test, and for the components of a library.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::allocator::{self, Domain, Entered, Kind};

/// To whom memory is attributed: a test, or a component of one.
///
/// Made by [`MemoryProbe::scope`](super::MemoryProbe::scope) for a component, whose figures are then in the report, and
/// counted in those of the test as well; or by [`current`](Self::current) for the running test, to hand to a pool of
/// threads that outlives it. It is a small handle: copy it, send it, keep it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MemoryScope {
    domain: &'static Domain,
}

impl MemoryScope {
    pub(super) fn of(domain: &'static Domain) -> Self {
        Self { domain }
    }

    /// Returns the scope of the calling thread: its test, or the component it has entered.
    #[must_use]
    pub fn current() -> Self {
        Self::of(allocator::current_domain())
    }

    /// Attributes to this scope what the calling thread allocates until the guard is dropped, and the threads it starts.
    ///
    /// Guards are dropped in the reverse order of their making, and not kept across an `.await`: use [`wrap`](Self::wrap)
    /// for futures.
    #[must_use = "the scope is left at once unless the guard is bound to a name"]
    pub fn enter(self) -> MemoryScopeGuard {
        MemoryScopeGuard { _entered: allocator::enter(self.domain) }
    }

    /// Attributes to this scope what a future allocates while it is polled, on whichever thread that is.
    ///
    /// Tasks that the future spawns are not wrapped by that: they belong to the test, unless wrapped as well.
    pub fn wrap<F: Future>(self, future: F) -> MemoryScoped<F> {
        MemoryScoped { scope: self, future }
    }
}

impl fmt::Debug for MemoryScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.domain.kind() {
            Kind::Process => "process",
            Kind::Unattributed => "unattributed",
            Kind::Ours => "isolated-nats",
            Kind::Test => "test",
            Kind::Component => self.domain.name(),
        };
        f.debug_tuple("MemoryScope").field(&name).finish()
    }
}

/// While it is alive, what its thread allocates is attributed to a [`MemoryScope`].
#[derive(Debug)]
#[must_use = "the scope is left at once unless the guard is bound to a name"]
pub struct MemoryScopeGuard {
    _entered: Entered,
}

pin_project! {
    /// A future whose allocations are attributed to a [`MemoryScope`].
    #[derive(Debug)]
    #[must_use = "a future does nothing unless it is awaited"]
    pub struct MemoryScoped<F> {
        scope: MemoryScope,
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for MemoryScoped<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _entered = this.scope.enter();
        this.future.poll(cx)
    }
}
