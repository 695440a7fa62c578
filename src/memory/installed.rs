//! Whether the heap can be measured: found out once, by trial.

use std::fmt;
use std::hint::black_box;
use std::sync::OnceLock;

use super::allocator::{self, Domain, Watch};
use super::figures::Inheritance;

/// Why a heap was not measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoHeap {
    NotInstalled,
    Sanitizer,
    TooManyProbes,
}

impl fmt::Display for NoHeap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInstalled => f.write_str(
                "the tracking allocator is not installed (add to the test crate: `#[global_allocator] static ALLOCATOR: \
                 isolated_nats::TrackingAllocator = isolated_nats::TrackingAllocator::system();`)",
            ),
            Self::Sanitizer => {
                f.write_str("a sanitizer has all memory to itself (measure in a build without `-Zsanitizer`)")
            }
            Self::TooManyProbes => {
                write!(f, "{} probes measure this test already (finish one)", allocator::MOST_WATCHES)
            }
        }
    }
}

/// How threads learn whose they are; an error when nothing can be counted at all.
pub(crate) fn inheritance() -> Result<Inheritance, NoHeap> {
    static FOUND: OnceLock<Result<Inheritance, NoHeap>> = OnceLock::new();
    *FOUND.get_or_init(|| {
        if allocator::PASSES_THROUGH {
            return Err(NoHeap::Sanitizer);
        }
        let _ours = allocator::enter(Domain::ours());
        if !counts() {
            return Err(NoHeap::NotInstalled);
        }
        Ok(try_a_thread())
    })
}

fn counts() -> bool {
    let Some(watch) = Watch::open(Domain::ours()) else { return true };
    drop(black_box(Box::new(0_u64)));
    watch.tally().requested > 0
}

/// Starts a thread, and asks it where it belongs.
fn try_a_thread() -> Inheritance {
    let ask =
        || (allocator::current_domain() == Domain::ours()).then(|| Inheritance::from(allocator::origin()));
    let thread = std::thread::Builder::new().name("isolated-nats self-test".into()).spawn(ask);
    let answer = thread.ok().and_then(|thread| thread.join().ok());
    answer.flatten().unwrap_or(Inheritance::ByHand)
}
