//! Quick runs.

/// Whether `ISOLATED_NATS_QUICK` asks for quick runs: set, and neither empty nor `0`.
#[must_use]
pub fn is_asked_for() -> bool {
    std::env::var_os("ISOLATED_NATS_QUICK").is_some_and(|value| !value.is_empty() && value != "0")
}
