//! What a test leaves behind: tasks, threads, descriptors, children, and what it made on the server.
//!
//! | module | what it decides or does |
//! | --- | --- |
//! | `guard`, `builder` | `LeakGuard`: from a baseline to a verdict |
//! | `judge` | looks at everything until it is at rest |
//! | `whole` | the same for a whole test, by the attribute and by `rt` |
//! | `runtime` | the end of a test's runtime, and what becomes of a report |
//! | `settle` | waits until what ends by itself has ended, without moving a paused clock |
//! | `stuck` | says so when a task keeps a check from going on |
//! | `tasks` | how many tasks are alive, and which, by what the allocator saw |
//! | `sites`, `layout` | which tasks they are, by what stands in their memory |
//! | `place`, `group` | where a task was spawned; those of one place |
//! | `waits` | where tasks wait, by tokio's dumps |
//! | `panics` | panics of tasks that nobody joins |
//! | `process` | threads, descriptors and children of a process that is the test's own |
//! | `server` | connections, subscriptions, streams, buckets, consumers |
//! | `ignore` | what is allowed, and which allowance was of no use |
//! | `finding`, `report` | what was found, and how it is shown |

mod builder;
mod finding;
mod group;
mod guard;
mod ignore;
mod judge;
mod layout;
mod panics;
mod place;
mod process;
mod report;
mod runtime;
mod server;
mod settle;
mod sites;
mod stuck;
mod tasks;
mod waits;
mod whole;

pub use builder::LeakGuardBuilder;
pub use finding::{Leak, LeakKind, SourceLine};
pub use guard::{LeakGuard, leak_checked};
pub use report::LeakReport;

#[cfg(feature = "load")]
pub(crate) use process::{all_children, arguments};
pub(crate) use runtime::{RuntimeThreads, weigh, with_threads};
pub use whole::TaskPolicy;
pub(crate) use whole::WholeTest;
