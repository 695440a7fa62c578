//! Where in the program an allocation was made: the user's own line, and what lies between.

use std::collections::HashMap;
use std::fmt::{self, Write as _};
use std::path::Path;

use super::allocator::{self, Domain};

/// One line of a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) function: String,
    pub(crate) file: Option<String>,
    pub(crate) line: u32,
}

/// How many lines are shown.
const SHOWN: usize = 24;

/// The stack as it is shown: from the allocation outward, without the allocator's own frames, and without what lies below
/// the test. Functions of the user's own are marked.
pub(crate) fn render(addresses: &[usize]) -> String {
    let _ours = allocator::enter(Domain::ours());
    let lines = named(addresses);
    if lines.is_empty() {
        return "    (the program has no names of functions: build it with `debug = 1`)\n".into();
    }
    let Some(lines) = of_allocation(lines) else {
        return "    (by less than 2 KiB, which a thread may count before it tells: ask for a heap profile)\n".into();
    };
    let mut text = String::new();
    for line in lines.iter().take(SHOWN) {
        let indent = if line.is_own() { "    " } else { "      " };
        let _ = writeln!(text, "{indent}{}", line.marked());
    }
    if lines.iter().all(|line| line.file.is_none()) {
        text.push_str("      (no lines: set `debug = \"line-tables-only\"` in this profile of Cargo.toml)\n");
    }
    if lines.len() > SHOWN {
        let _ = writeln!(text, "      and {} more", lines.len() - SHOWN);
    }
    text
}

/// Names each address once: the stacks of a program share most of theirs, and to look one up is slow.
#[derive(Debug, Default)]
pub(crate) struct Names(HashMap<usize, Vec<Line>>);

impl Names {
    /// The lines of an allocation's stack, innermost first: from the first that is not the allocator's to the last of the user's
    /// own, or, without one, to the last before the runner's. All of them, if it is no allocation's.
    pub(crate) fn lines(&mut self, addresses: &[usize]) -> Vec<Line> {
        let mut of = |address: &usize| self.0.entry(*address).or_insert_with(|| look_up(*address)).clone();
        let lines: Vec<Line> = addresses.iter().flat_map(&mut of).collect();
        of_allocation(lines.clone()).unwrap_or(lines)
    }
}

/// The named lines of a stack, innermost first.
pub(crate) fn named(addresses: &[usize]) -> Vec<Line> {
    addresses.iter().flat_map(|address| look_up(*address)).collect()
}

/// The lines at an address, those that are compiled into others first.
fn look_up(address: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    // A return address is behind its call, which may be the last of its function.
    backtrace::resolve(std::ptr::without_provenance_mut(address.saturating_sub(1)), |symbol| {
        if let Some(name) = symbol.name() {
            lines.push(Line {
                function: format!("{name:#}"),
                file: symbol.filename().map(|file| file.to_string_lossy().into_owned()),
                line: symbol.lineno().unwrap_or(0),
            });
        }
    });
    lines
}

/// Cuts off what is not the program's own way to an allocation; `None` when the stack is of something else.
fn of_allocation(mut lines: Vec<Line>) -> Option<Vec<Line>> {
    let entry = lines.iter().position(Line::is_entry)?;
    if lines[entry].function.contains("dealloc") {
        return None;
    }
    let begin = entry + lines[entry..].iter().take_while(|line| line.is_allocators()).count();
    let runners = lines.iter().position(Line::is_runners).unwrap_or(lines.len());
    let last_own = lines[..runners].iter().rposition(Line::is_own);
    let end = last_own.map_or(runners, |last| last + 1);
    Some(lines.drain(begin..end.max(begin)).collect())
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.function)?;
        match &self.file {
            Some(file) => write!(f, " ({}:{})", shorter(file), self.line),
            None => Ok(()),
        }
    }
}

/// What a line of the user's own begins with.
const OWN: &str = "> ";

/// Whether a marked line is the user's own.
pub(crate) fn is_own(marked: &str) -> bool {
    marked.starts_with(OWN)
}

impl Line {
    /// The line as it is shown, with a mark if it is the user's own.
    pub(crate) fn marked(&self) -> String {
        let mark = if self.is_own() { OWN } else { "" };
        format!("{mark}{self}")
    }

    /// Where the program's allocations enter ours.
    fn is_entry(&self) -> bool {
        let entries = ["__rust_alloc", "__rust_realloc", "__rg_", "allocator::TrackingAllocator"];
        entries.iter().any(|entry| self.function.contains(entry))
    }

    /// Part of the way from the program into the allocator.
    fn is_allocators(&self) -> bool {
        let parts = [
            "alloc::alloc::",
            "alloc::raw_vec::",
            "<alloc::alloc::Global",
            "<alloc::raw_vec::",
            "alloc::boxed::",
        ];
        self.is_entry() || parts.iter().any(|part| self.function.starts_with(part))
    }

    /// Below the code under test: the runner, and what runs a thread.
    pub(crate) fn is_runners(&self) -> bool {
        // A crate of the user's own may be called `test`, as that of `tests/test.rs` is.
        if self.function.starts_with("test::") {
            return !self.is_own();
        }
        let begins = ["std::sys::backtrace::__rust_begin_short_backtrace", "std::panicking::", "__rust_try"];
        begins.iter().any(|begin| self.function.starts_with(begin))
            || self.function.contains("__rust_begin_short_backtrace")
    }

    /// Without debug information only the name tells: of the standard library, of what runs a test, or of the runner.
    fn is_of_known_crate(&self) -> bool {
        const KNOWN: [&str; 14] = [
            "core",
            "alloc",
            "std",
            "test",
            "tokio",
            "futures_core",
            "futures_util",
            "async_nats",
            "isolated_nats",
            "bytes",
            "rstest",
            "backtrace",
            "hashbrown",
            "__rustc",
        ];
        // `<a::B as c::D>::e` and `<&a::B>::c` are of `a`; a name without a path is of C.
        let path = self.function.trim_start_matches(['<', '&', '(', '[', ' ']);
        let name = path.split("::").next().unwrap_or_default();
        !path.contains("::") || KNOWN.contains(&name)
    }

    /// In the user's own package: neither of the standard library, nor of a registry or a checkout of a dependency, nor ours.
    pub(crate) fn is_own(&self) -> bool {
        let Some(file) = &self.file else { return !self.is_of_known_crate() };
        let file = file.replace('\\', "/");
        // By what it is not: the file of an `include!` may have any ending.
        let ending = file.rsplit_once('.').map_or("", |(_, ending)| ending);
        if ["c", "h", "S", "s", "cc", "cpp", "cxx", "hpp"].contains(&ending) {
            return false; // of the C library, or of C in a dependency
        }
        let foreign =
            ["/rustc/", "/library/std/", "/registry/src/", "/git/checkouts/", "/.cargo/", "/rustlib/src/"];
        !foreign.iter().any(|part| file.contains(part))
            && !self.function.starts_with("isolated_nats::")
            && !self.function.starts_with("<isolated_nats::")
            && !self.function.contains(" as isolated_nats::")
    }
}

/// A file below the working directory by its path from there, and one of a dependency from its package on.
pub(crate) fn shorter(file: &str) -> String {
    if let Some((_, package)) = file.split_once("/registry/src/") {
        return package.split_once('/').map_or(package, |(_, path)| path).to_owned();
    }
    if let Some((_, path)) = file.split_once("/library/") {
        return path.to_owned();
    }
    let here = std::env::current_dir().ok();
    let path = here.as_deref().and_then(|here| Path::new(file).strip_prefix(here).ok());
    path.map_or_else(|| file.to_owned(), |path| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(function: &str, file: &str) -> Line {
        let file = (!file.is_empty()).then(|| file.to_owned());
        Line { function: function.to_owned(), file, line: 1 }
    }

    #[test]
    fn a_file_is_the_users_own_whatever_its_ending_unless_it_is_of_c() {
        for file in
            ["/home/me/orders/src/lib.rs", "/home/me/orders/src/table.inc", "/home/me/orders/src/table"]
        {
            assert!(line("orders::make", file).is_own(), "{file}");
        }
        for ending in ["c", "h", "S", "s", "cc", "cpp", "cxx", "hpp"] {
            assert!(!line("start_thread", &format!("./nptl/pthread_create.{ending}")).is_own(), "{ending}");
        }
        let generated = "/home/me/.cargo/registry/src/index/x-1.0.0/src/table.inc";
        assert!(!line("x::make", generated).is_own());
    }

    #[test]
    fn functions_of_this_crate_are_not_the_users_own() {
        let file = "/home/me/orders/src/lib.rs";
        for function in [
            "isolated_nats::leak_checked",
            "<isolated_nats::Monitor as core::clone::Clone>::clone",
            "<orders::Body as isolated_nats::__private::Outcome>::judge",
        ] {
            assert!(!line(function, file).is_own(), "{function}");
        }
        assert!(line("orders::isolated_nats::start", file).is_own());
    }

    #[test]
    fn a_crate_of_the_users_own_may_be_called_test() {
        let library = "/rustc/0123456789/library/test/src/lib.rs";
        for runners in [line("test::run_test", library), line("test::run_test", "")] {
            assert!(runners.is_runners() && !runners.is_own(), "{runners:?}");
        }
        let own = line("test::orders::are_made", "/home/me/orders/tests/test.rs");
        assert!(own.is_own() && !own.is_runners());
        assert!(line("std::sys::backtrace::__rust_begin_short_backtrace", library).is_runners());
    }
}
