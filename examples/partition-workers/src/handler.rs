//! What a worker is told.

use std::future::Future;

use crate::{Fence, Holdings, Partition};

/// What a worker does with the partitions it is given.
///
/// A worker calls `assigned` and `revoked` one after the other. Neither holds up its heartbeats, as long as it does not block the
/// thread; but until they return no partition of the group changes hands, and the worker neither acts upon anything else nor stops.
pub trait Handler: Send + Sync + 'static {
    /// The worker owns these partitions now, besides those it had.
    fn assigned(&self, grant: Grant) -> impl Future<Output = ()> + Send;

    /// The worker has to let go of these partitions: [`Holdings::holds`] has said no since before the call, and what still runs must
    /// have ended when this returns.
    ///
    /// When the lease has run out ([`Holdings::holds`] says so), they may be another's already.
    fn revoked(&self, partitions: &[Partition]) -> impl Future<Output = ()> + Send;

    /// The lease was renewed: a sign of life, for a watchdog. It comes also while another call runs, and must return at once. Does
    /// nothing by default.
    fn renewed(&self) {}
}

/// Partitions that a worker owns from now on.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Grant {
    /// Which, ascending; at least one.
    pub partitions: Vec<Partition>,
    /// What stands for this ownership in a store: greater than that of any earlier owner.
    pub fence: Fence,
    /// All that the worker owns, now and later: to be asked before each act.
    pub holdings: Holdings,
}
