//! What a build script does.

use std::{env, panic, time::Duration};

use crate::{Acquire, Progress, Source, env::VARIABLES, error::Chain};

/// A build must not be kept waiting; the run of the tests fetches what this did not.
const LIMIT: Duration = Duration::from_secs(8);

/// Fetches the server into the cache, for a build script.
///
/// Tries the cache, `PATH`, the release archive and the wheel, for a few seconds in all. Prints
/// `cargo::rerun-if-env-changed` for each variable that matters, and at most one `cargo::warning`. Does nothing on docs.rs,
/// offline, where an executable is named, or when the target is not the host. Never panics, never fails a build.
pub fn prefetch_for_build_script() {
    let mut out = String::new();
    for variable in VARIABLES.iter().chain(&["DOCS_RS"]) {
        out.push_str("cargo::rerun-if-env-changed=");
        out.push_str(variable);
        out.push('\n');
    }
    let warning =
        panic::catch_unwind(prefetch).unwrap_or_else(|_| Some("prefetching nats-server panicked".to_owned()));
    if let Some(warning) = warning {
        out.push_str("cargo::warning=");
        out.push_str(&one_line(&warning));
        out.push('\n');
    }
    // A closed pipe is cargo's to notice.
    let _ = std::io::Write::write_all(&mut std::io::stdout(), out.as_bytes());
}

/// Returns what could not be done.
fn prefetch() -> Option<String> {
    if env::var_os("DOCS_RS").is_some() || env::var_os("TARGET") != env::var_os("HOST") {
        return None;
    }
    let acquire = match Acquire::from_env() {
        Ok(acquire) => acquire,
        Err(error) => return Some(format!("nats-server was not prefetched: {}", Chain(&error))),
    };
    if acquire.offline.is_some() || acquire.named().is_some() {
        return None;
    }
    let sources: Vec<_> = acquire.order().into_iter().filter(|source| *source != Source::Go).collect();
    let acquire = acquire.sources(sources).deadline(LIMIT).progress(Progress::quiet());
    let error = acquire.run().err()?;
    let steps: Vec<_> = error.steps().iter().map(ToString::to_string).collect();
    Some(format!("nats-server was not prefetched, the first test will try again: {}", steps.join("; ")))
}

/// A second line would not be part of the warning.
fn one_line(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().count() <= 600 { text } else { text.chars().take(600).chain(['…']).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_one_line_of_bounded_length() {
        assert_eq!(one_line("a\nb\tc"), "a b c");
        assert_eq!(one_line(&"é".repeat(1000)).chars().count(), 601);
    }
}
