//! What a runtime of tokio opens: some of it once for the life of the process, the rest until it is dropped.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::descriptors::{Descriptor, now};

/// What the descriptors of a runtime are of, and how many of each it has.
pub(super) type Kinds = BTreeMap<String, usize>;

/// Has tokio open what it never closes, a pair of sockets for signals, and returns what a runtime has open besides.
///
/// A descriptor that another thread opens in that moment may be among it; the next look would not take it for new anyway.
pub(super) fn warm_up() -> &'static Kinds {
    static KINDS: OnceLock<Kinds> = OnceLock::new();
    KINDS.get_or_init(|| {
        let before = now().unwrap_or_default();
        let mut kinds = Kinds::new();
        // Where none can be made, there will be none that opens anything.
        if let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() {
            for Descriptor { target, .. } in
                now().unwrap_or_default().into_iter().filter(|new| !before.contains(new))
            {
                *kinds.entry(target).or_default() += 1;
            }
            runtime.shutdown_background(); // it has no threads, and to drop it within another one is not allowed
        }
        kinds
    })
}
