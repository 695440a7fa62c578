//! What a failed test leaves to look at: the server's directory and its log, and a text that says where.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write as _};
use std::path::Path;

use crate::{alone, environment};

/// How many lines of the log a report shows.
pub(crate) const TAIL_LINES: usize = 40;

/// The most of a log that is read for its tail.
const TAIL_BYTES: u64 = 256 << 10;

/// When a server's directory outlives the server: `ISOLATED_NATS_KEEP`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    Always,
    Never,
    OnFailure,
}

impl Keep {
    pub(crate) fn from_env() -> Self {
        if environment::is("ISOLATED_NATS_KEEP", "always") {
            Self::Always
        } else if environment::is("ISOLATED_NATS_KEEP", "never") {
            Self::Never
        } else {
            Self::OnFailure
        }
    }

    pub(crate) fn applies(self, failed: bool) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::OnFailure => failed,
        }
    }
}

/// Reads the last lines of a log, oldest first; empty when there is no log. A line cut by the reading limit is left out.
pub(crate) fn tail(log: &Path, lines: usize) -> String {
    tail_from(log, 0, lines)
}

/// The same of what was written after a position: the log of a server that was restarted holds its former life too.
pub(crate) fn tail_from(log: &Path, position: u64, lines: usize) -> String {
    read_end(log, position).map(|text| last_lines(&text, lines)).unwrap_or_default()
}

fn read_end(log: &Path, position: u64) -> io::Result<String> {
    let mut file = File::open(log)?;
    let cut = file.metadata()?.len().saturating_sub(TAIL_BYTES);
    file.seek(SeekFrom::Start(cut.max(position)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let whole = if cut <= position { &text } else { text.split_once('\n').map_or("", |(_, rest)| rest) };
    Ok(whole.to_owned())
}

pub(crate) fn last_lines(text: &str, lines: usize) -> String {
    let all: Vec<_> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

/// What a report says of one server.
#[derive(Debug)]
pub(crate) struct ServerEvidence<'a> {
    pub(crate) title: &'a str,
    /// `None` when the directory is not kept.
    pub(crate) directory: Option<&'a Path>,
    pub(crate) reopen: &'a str,
    pub(crate) log_tail: &'a str,
}

/// Writes the report of one server; each line begins alike, so that it can be found among a test's own output.
pub(crate) fn render(evidence: &ServerEvidence<'_>) -> String {
    let mut text = format!("isolated-nats: {}\n", evidence.title);
    if let Some(directory) = evidence.directory {
        let _ = writeln!(text, "  directory  {} (kept)", directory.display());
        let _ = writeln!(text, "  reopen     {}", evidence.reopen);
    } else {
        text.push_str("  directory  not kept (ISOLATED_NATS_KEEP=never)\n");
    }
    if evidence.log_tail.is_empty() {
        text.push_str("  the server's log is empty\n");
    } else {
        text.push_str("  the server's log ends with\n");
        evidence.log_tail.lines().for_each(|line| {
            let _ = writeln!(text, "    | {line}");
        });
    }
    text
}

/// Prints to the test's output, which its runner shows when the test fails.
#[expect(clippy::print_stderr, reason = "this is the report code")]
pub(crate) fn print(text: &str) {
    // `eprint` panics when standard error is closed, which within a drop would end the whole test process.
    let _ = std::panic::catch_unwind(|| eprint!("{text}"));
}

/// Prints past the runner's capture: for what must be seen also when the test passes, such as that it was skipped.
pub(crate) fn print_uncaptured(text: &str) {
    // There is nobody to tell of a standard error that cannot be written.
    let _ = io::stderr().lock().write_all(alone::aloud(text).as_bytes());
}

/// Prints a line of a test that runs in a process of its own, where its runner shows it as it would the test's.
#[expect(clippy::print_stdout, reason = "this is the report code")]
pub(crate) fn pass_on(line: &str) {
    let _ = std::panic::catch_unwind(|| println!("{line}")); // as above
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tail_is_the_last_lines_and_a_missing_log_is_empty() {
        assert_eq!(last_lines("a\nb\nc\n", 2), "b\nc");
        assert_eq!(last_lines("a", 5), "a");
        assert_eq!(tail(Path::new("/no/such/log"), 5), "");
    }

    #[test]
    fn a_long_log_is_read_from_its_end_and_begins_with_a_whole_line() {
        let path = std::env::temp_dir().join(format!("isolated-nats-tail-{}", std::process::id()));
        let line = "x".repeat(1000);
        std::fs::write(&path, format!("{line}\n").repeat(1000)).unwrap();
        let text = tail(&path, usize::MAX);
        std::fs::remove_file(&path).unwrap();
        assert!((text.len() as u64) < TAIL_BYTES && text.lines().all(|shown| shown == line));
    }

    #[test]
    fn the_report_says_where_the_evidence_is_and_how_to_look_at_it() {
        let evidence = ServerEvidence {
            title: "test `a::b` failed; nats-server 2.14.5 was nats://127.0.0.1:42 (pid 7)",
            directory: Some(Path::new("/tmp/d")),
            reopen: "nats-server -c /tmp/d/server.conf",
            log_tail: "[7] one\n[7] two",
        };
        assert_eq!(
            render(&evidence),
            "isolated-nats: test `a::b` failed; nats-server 2.14.5 was nats://127.0.0.1:42 (pid 7)\n  \
               directory  /tmp/d (kept)\n  \
               reopen     nats-server -c /tmp/d/server.conf\n  \
               the server's log ends with\n    \
                 | [7] one\n    \
                 | [7] two\n"
        );
        let gone = render(&ServerEvidence { directory: None, log_tail: "", ..evidence });
        assert!(
            gone.contains("not kept (ISOLATED_NATS_KEEP=never)") && gone.contains("log is empty"),
            "{gone}"
        );
    }

    #[test]
    fn evidence_is_kept_as_asked() {
        assert!(Keep::Always.applies(false) && !Keep::Never.applies(true));
        assert!(Keep::OnFailure.applies(true) && !Keep::OnFailure.applies(false));
    }
}
