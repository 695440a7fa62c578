//! Programs that leave nothing behind, and must never alarm: each uses some feature as users do, and ends as users do,
//! without waiting for anything on account of the guard. `scripts/leak-corpus` runs them again and again on a busy machine.

mod core;
mod jetstream;
mod kv;
mod lifecycle;
mod lookalikes;
mod object;
mod process_wide;
mod service;
mod support;
mod tasks;
