//! What the tests share.
//!
//! | module | what it has |
//! | --- | --- |
//! | `ownership` | the checker: is a partition ever held by two workers? |
//! | `handlers` | handlers that report to it, wait where a test wants them to, or panic |
//! | `group` | a group on the server of a test, and waits with a limit |

mod group;
mod handlers;
mod ownership;

pub use group::{Group, LIMIT, LONG, SHORT, Seat, is};
pub use handlers::{Gate, Panics, Recorder};
pub use ownership::{Holds, Ownership};

/// Why a test fails.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
