//! Where tasks wait, where tokio can tell: built with `--cfg tokio_unstable` and the feature `taskdump`, on Linux.

use std::collections::HashMap;

use super::finding::SourceLine;

/// By a task's number: the innermost line that is not tokio's, and the user's own lines above it.
pub(super) type Waits = HashMap<usize, Vec<SourceLine>>;

#[cfg(not(all(
    tokio_unstable,
    feature = "taskdump",
    target_os = "linux",
    any(target_arch = "aarch64", target_arch = "x86", target_arch = "x86_64", target_arch = "s390x")
)))]
pub(super) async fn waits(_runtime: &tokio::runtime::Handle) -> Waits {
    Waits::new()
}

#[cfg(all(
    tokio_unstable,
    feature = "taskdump",
    target_os = "linux",
    any(target_arch = "aarch64", target_arch = "x86", target_arch = "x86_64", target_arch = "s390x")
))]
pub(super) use dump::waits;

#[cfg(all(
    tokio_unstable,
    feature = "taskdump",
    target_os = "linux",
    any(target_arch = "aarch64", target_arch = "x86", target_arch = "x86_64", target_arch = "s390x")
))]
mod dump {
    use std::pin::pin;
    use std::task::Poll;
    use std::time::Duration;

    use tokio::runtime::dump::{Backtrace, Task};
    use tokio::runtime::{Dump, Handle};

    use super::super::finding::SourceLine;
    use super::super::layout::number;
    use super::super::place;
    use super::Waits;
    use crate::memory::Line;
    use crate::poll::{delay, scaled};

    /// How long tokio may take: it waits for every worker to come to rest, which one that blocks never does.
    const LIMIT: Duration = Duration::from_secs(2);

    /// Asks tokio, which polls each task once more for that.
    pub(in super::super) async fn waits(runtime: &Handle) -> Waits {
        let mut dump = pin!(runtime.dump());
        let mut over = pin!(delay(scaled(LIMIT)));
        let dump: Option<Dump> = std::future::poll_fn(|cx| match dump.as_mut().poll(cx) {
            Poll::Ready(dump) => Poll::Ready(Some(dump)),
            Poll::Pending => over.as_mut().poll(cx).map(|()| None),
        })
        .await;
        dump.iter()
            .flat_map(|dump| dump.tasks().iter())
            .map(|task| (number(task.id()), lines(task)))
            .collect()
    }

    /// A task that waits for several things at once, as in `select!`, waits in several places.
    fn lines(task: &Task) -> Vec<SourceLine> {
        let backtraces = task.trace().resolve_backtraces();
        let mut lines: Vec<SourceLine> =
            backtraces.iter().flat_map(|backtrace| place::waiting(&symbols(backtrace))).collect();
        let mut seen = std::collections::HashSet::new();
        lines.retain(|line| seen.insert(line.clone()));
        lines
    }

    fn symbols(backtrace: &Backtrace) -> Vec<Line> {
        let symbols = backtrace.frames().flat_map(|frame| frame.symbols().collect::<Vec<_>>());
        let line = |symbol: &tokio::runtime::dump::BacktraceSymbol| Line {
            function: symbol.name_demangled().unwrap_or_default().to_owned(),
            file: symbol.filename().map(|file| file.to_string_lossy().into_owned()),
            line: symbol.lineno().unwrap_or(0),
        };
        symbols.map(line).collect()
    }
}
