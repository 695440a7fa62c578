//! The comparison of a report with what was seeded.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::panic::Location;
use std::time::Duration;

use isolated_nats::{Leak, LeakGuard, LeakGuardBuilder, LeakKind, LeakReport, SourceLine};

/// Enough where all that is not left behind has ended before the check.
const AT_REST: Duration = Duration::from_millis(300);

pub(crate) use crate::victim::LONG;

/// A guard that does not wait long, for tests in which nothing is about to end by itself. Elsewhere it is `LeakGuard::new`.
pub(crate) fn guard() -> LeakGuard {
    at_rest().start()
}

/// Its builder.
pub(crate) fn at_rest() -> LeakGuardBuilder {
    LeakGuard::builder().settle_within(AT_REST)
}

/// A line that a report must name.
#[derive(Clone, Debug)]
struct Place {
    /// How the path of its file ends.
    file: String,
    line: Option<u32>,
}

/// What a report must say of one group; what is not asked for is not compared.
#[derive(Clone, Debug)]
#[must_use]
pub(crate) struct Group {
    kind: LeakKind,
    count: usize,
    spawned_at: Option<Place>,
    called_from: Option<Place>,
    what: Vec<String>,
    says: Vec<String>,
}

impl Group {
    /// Things of a kind.
    pub(crate) fn new(kind: LeakKind, count: usize) -> Self {
        Self { kind, count, spawned_at: None, called_from: None, what: Vec::new(), says: Vec::new() }
    }

    /// Things that were spawned on this line of the calling file, which is the user's own too.
    #[track_caller]
    pub(crate) fn at(kind: LeakKind, count: usize, line: u32) -> Self {
        let place = Place { file: Location::caller().file().to_owned(), line: Some(line) };
        Self { spawned_at: Some(place.clone()), called_from: Some(place), ..Self::new(kind, count) }
    }

    /// Tasks that were spawned on this line of the calling file.
    #[track_caller]
    pub(crate) fn tasks(count: usize, line: u32) -> Self {
        Self::at(LeakKind::Task, count, line)
    }

    /// The innermost line is another: of a library.
    pub(crate) fn inside(mut self, file: &str, line: Option<u32>) -> Self {
        self.spawned_at = Some(Place { file: file.to_owned(), line });
        self
    }

    /// The user's own line is in another file than the calling one.
    pub(crate) fn in_file(mut self, file: &str) -> Self {
        if let Some(place) = &mut self.called_from {
            file.clone_into(&mut place.file);
        }
        self
    }

    /// A text that names the thing itself.
    pub(crate) fn named(mut self, what: impl Into<String>) -> Self {
        self.what.push(what.into());
        self
    }

    /// A text in its name, its details or its hints.
    pub(crate) fn says(mut self, text: impl Into<String>) -> Self {
        self.says.push(text.into());
        self
    }

    /// What a leak has that is not as it was seeded.
    fn differences(&self, leak: &Leak) -> Vec<String> {
        let mut differences = Vec::new();
        if self.kind != leak.kind {
            differences.push(format!("the kind is {:?}", leak.kind));
        }
        if self.count != leak.count {
            differences.push(format!("the count is {}", leak.count));
        }
        let places = [
            ("spawned at", &self.spawned_at, &leak.spawned_at),
            ("called from", &self.called_from, &leak.called_from),
        ];
        for (name, expected, found) in places {
            if expected.as_ref().is_some_and(|place| !place.is(found.as_ref())) {
                differences.push(format!("it is {name} {found:?}"));
            }
        }
        differences.extend(
            self.what.iter().filter(|text| !leak.what.contains(*text)).map(|text| missing("name", text)),
        );
        let all = [[leak.what.clone()].as_slice(), &leak.details, &leak.hints].concat().join("\n");
        differences
            .extend(self.says.iter().filter(|text| !all.contains(*text)).map(|text| missing("text", text)));
        differences
    }
}

fn missing(place: &str, text: &str) -> String {
    format!("its {place} does not hold {text:?}")
}

impl Place {
    fn is(&self, found: Option<&SourceLine>) -> bool {
        found.is_some_and(|found| {
            found.file.as_ref().is_some_and(|file| file.replace('\\', "/").ends_with(&self.file))
                && self.line.is_none_or(|line| line == found.line)
        })
    }
}

/// Panics unless the report names this test, no other one, and exactly these groups in any order.
#[track_caller]
pub(crate) fn assert_found(report: &LeakReport, expected: &[Group]) {
    let asked = |kind: LeakKind| expected.iter().any(|group| group.kind == kind);
    let mut left: Vec<&Leak> =
        report.leaks().iter().filter(|leak| !is_process_wide(leak.kind) || asked(leak.kind)).collect();
    let mut faults = String::new();
    for group in expected {
        match left.iter().position(|leak| group.differences(leak).is_empty()) {
            Some(place) => drop(left.remove(place)),
            None => _ = writeln!(faults, "missing: {group:?}{}", nearest(group, &left)),
        }
    }
    for leak in left {
        _ = writeln!(faults, "not seeded: {leak:?}");
    }
    let name = test_name();
    if !report.to_string().contains(&name) {
        _ = writeln!(faults, "the report does not name {name}");
    }
    for other in seeds_named(&format!("{report}\n{:?}", report.leaks())) {
        if other != name {
            _ = writeln!(faults, "the report names another test: {other}");
        }
    }
    assert!(faults.is_empty(), "{faults}--- the report\n{report}\n--- its leaks\n{:#?}", report.leaks());
}

/// The same for a test with a process of its own, where whatever else is found is one too many.
#[track_caller]
pub(crate) fn assert_found_alone(report: &LeakReport, expected: &[Group]) {
    assert_eq!(report.leaks().len(), expected.len(), "{report}");
    assert_found(report, expected);
}

/// What a process of one's own would show besides, where a runner has given one to each test.
fn is_process_wide(kind: LeakKind) -> bool {
    matches!(kind, LeakKind::Thread | LeakKind::Descriptor | LeakKind::Child)
}

/// Why the leak that comes nearest is not the one.
fn nearest(group: &Group, leaks: &[&Leak]) -> String {
    let near = leaks.iter().map(|leak| group.differences(leak)).min_by_key(Vec::len);
    near.map_or(String::new(), |differences| format!("\n  nearest: {}", differences.join("; ")))
}

/// This test as its runner calls it; to be asked on the test's own thread.
pub(crate) fn test_name() -> String {
    std::thread::current().name().unwrap().to_owned()
}

/// The seeds whose functions a text names: `seeded::tasks::forgotten`.
fn seeds_named(text: &str) -> BTreeSet<String> {
    let word =
        |text: &str| text.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
    let mut seeds = BTreeSet::new();
    for (at, start) in text.match_indices("seeded::") {
        let rest = &text[at + start.len()..];
        let module: String = word(rest);
        let function: String = rest[module.len()..].strip_prefix("::").map(word).unwrap_or_default();
        if !function.is_empty() && module != "library" {
            seeds.insert(format!("seeded::{module}::{function}"));
        }
    }
    seeds
}

#[test]
fn the_seeds_that_a_text_names_are_found() {
    let text =
        "leak::seeded::tasks::one::{{closure}} seeded::library::run <seeded::local::two::A as B> seeded::x";
    assert_eq!(
        seeds_named(text).into_iter().collect::<Vec<_>>(),
        ["seeded::local::two", "seeded::tasks::one"]
    );
}
