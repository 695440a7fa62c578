//! What is said while acquiring.

use std::{
    fmt,
    io::{self, IsTerminal, Write},
    sync::Arc,
    time::{Duration, Instant},
};

/// Back to the start of the line, and erase it.
const CLEAR: &str = "\r\u{1b}[K";
const BETWEEN: Duration = Duration::from_millis(100);

/// Where the few lines go that acquiring prints. A cache hit prints none.
#[derive(Clone, Default)]
pub struct Progress(Kind);

#[derive(Clone, Default)]
enum Kind {
    #[default]
    Stderr,
    Quiet,
    To(Arc<dyn Fn(&str) + Send + Sync>),
}

impl Progress {
    /// Prints to stderr, with a moving line for a download if that is a terminal (the default).
    #[must_use]
    pub fn stderr() -> Self {
        Self(Kind::Stderr)
    }

    /// Prints nothing.
    #[must_use]
    pub fn quiet() -> Self {
        Self(Kind::Quiet)
    }

    /// Gives each line to a function, without a line end; no moving line.
    pub fn to(line: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Kind::To(Arc::new(line)))
    }

    pub(crate) fn say(&self, line: &str) {
        match &self.0 {
            Kind::Quiet => {}
            // Not `eprintln!`: a test harness would keep it back, and it tells why the first test takes so long.
            Kind::Stderr => {
                // Takes the place of a moving line that was left in the middle.
                let clear = if io::stderr().is_terminal() { CLEAR } else { "" };
                let _ = writeln!(io::stderr(), "{clear}isolated-nats: {line}");
            }
            Kind::To(function) => function(line),
        }
    }

    /// Returns a function to be told the bytes received and, if known, how many will come.
    pub(crate) fn download(&self, what: &str) -> impl FnMut(u64, Option<u64>) + use<> {
        let is_shown = matches!(self.0, Kind::Stderr) && io::stderr().is_terminal();
        let what = what.to_owned();
        let mut last: Option<Instant> = None;
        move |received, length| {
            let is_end = length == Some(received);
            if !is_shown || (!is_end && last.is_some_and(|last| last.elapsed() < BETWEEN)) {
                return;
            }
            last = Some(Instant::now());
            let line = match length {
                // Clears the line, which the final one then takes.
                _ if is_end => String::new(),
                Some(length) => {
                    format!("isolated-nats: {what}: {} of {}", megabytes(received), megabytes(length))
                }
                None => format!("isolated-nats: {what}: {}", megabytes(received)),
            };
            let _ = write!(io::stderr(), "{CLEAR}{line}");
        }
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kind::Stderr => "Progress::stderr",
            Kind::Quiet => "Progress::quiet",
            Kind::To(_) => "Progress::to",
        })
    }
}

fn megabytes(bytes: u64) -> String {
    format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn megabytes_have_one_place() {
        assert_eq!(megabytes(6_783_241), "6.7 MB");
        assert_eq!(megabytes(0), "0.0 MB");
    }
}
