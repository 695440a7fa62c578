//! What a guard found, all together, and how it is shown.

use std::collections::HashSet;
use std::error::Error;
use std::fmt;

use super::builder::Settings;
use super::finding::{Findings, Leak, LeakKind, NotChecked};
use crate::evidence;

/// What a test left behind, what is no leak but worth knowing, and what was not checked.
///
/// It is shown by `Display`, and by `Debug` alike.
#[derive(Clone)]
pub struct LeakReport {
    test: String,
    findings: Findings,
    /// Allowances that allowed nothing, as they were written.
    stale: Vec<String>,
    strict: bool,
}

impl LeakReport {
    pub(super) fn new(test: &str, findings: Findings, settings: &Settings) -> Self {
        let was_looked_at = |part: &str| !findings.not_checked.iter().any(|skipped| skipped.what == part);
        let mut stale: Vec<String> =
            settings.ignores.stale(|ignored| was_looked_at(ignored.part())).collect();
        let is_task =
            |leak: &Leak| matches!(leak.kind, LeakKind::Task | LeakKind::LocalTask | LeakKind::BlockingTask);
        if settings.allow_tasks > 0 && !findings.used_allowance && !findings.leaks.iter().any(is_task) {
            stale.push(format!("allow_tasks({})", settings.allow_tasks));
        }
        Self { test: test.to_owned(), findings, stale, strict: settings.strict }
    }

    /// Returns what was left behind, in groups; empty when nothing was.
    #[must_use]
    pub fn leaks(&self) -> &[Leak] {
        &self.findings.leaks
    }

    /// Returns what is no leak but worth knowing, such as a consumer that the server will remove by itself.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.findings.notes
    }

    /// Returns what was not checked, and why, such as "threads, descriptors, children: shared process (…)".
    pub fn not_checked(&self) -> impl Iterator<Item = String> {
        self.findings.not_checked.iter().map(|skipped| format!("{}: {}", skipped.what, skipped.why))
    }

    /// Returns the allowances that allowed nothing, as they were written, such as `ignore_threads("pool-*")`.
    #[must_use]
    pub fn stale_ignores(&self) -> &[String] {
        &self.stale
    }

    /// Returns whether the check passes: nothing was left behind, and, where it is strict, no allowance was of no use, and all that
    /// was to be checked was.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.leaks().is_empty() && (!self.strict || self.stale.is_empty() && self.missed().next().is_none())
    }

    /// What was asked for by name, and was not checked: nobody asks for the process, which is checked where it can be.
    fn missed(&self) -> impl Iterator<Item = &NotChecked> {
        let is_asked_for = |skipped: &&NotChecked| skipped.what != NotChecked::PROCESS;
        self.findings.not_checked.iter().filter(is_asked_for)
    }

    /// Prints what a passed check has to say: notes where the runner captures them, and past its capture what the test's author
    /// is to change.
    pub(super) fn print_remarks(&self) {
        let about = |what: String| format!("isolated-nats: test `{}`: {what}\n", self.test);
        let notes = self.notes().iter().map(|note| about(format!("note: {note}")));
        evidence::print(&notes.collect::<String>());
        let stale = self.stale.iter().map(|stale| about(format!("`{stale}` allowed nothing: remove it")));
        let missed =
            self.missed().map(|skipped| about(format!("not checked: {}: {}", skipped.what, skipped.why)));
        let warnings: String = stale.chain(missed).collect();
        if !warnings.is_empty() {
            evidence::print_uncaptured(&warnings);
        }
    }

    /// What is printed when the body failed by itself; empty when nothing was left.
    pub(super) fn after_failure(&self, how: &str) -> String {
        if self.leaks().is_empty() {
            return String::new();
        }
        format!("isolated-nats: the body {how}; besides, {self}\n")
    }

    /// Adds what was found when the runtime had ended.
    pub(super) fn add(&mut self, leak: Leak) {
        self.findings.leaks.push(leak);
    }

    /// Takes back that nothing needed the allowance for tasks.
    pub(super) fn use_allowance(&mut self) {
        self.stale.retain(|stale| !stale.starts_with("allow_tasks("));
    }

    /// The first line: how many of what.
    fn head(&self) -> String {
        let mut kinds: Vec<LeakKind> = self.leaks().iter().map(|leak| leak.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let counted = kinds.into_iter().map(|kind| {
            let of_kind = self.leaks().iter().filter(|leak| leak.kind == kind);
            kind.counted(of_kind.map(|leak| leak.count).sum())
        });
        match counted.collect::<Vec<_>>().join(", ") {
            nothing if nothing.is_empty() => format!("test `{}` left nothing behind", self.test),
            counted => format!("test `{}` left behind {counted}", self.test),
        }
    }
}

impl fmt::Display for LeakReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.head())?;
        let mut told = HashSet::new();
        for leak in self.leaks() {
            f.write_str("\n  ")?;
            leak.write(f, |hint| told.insert(hint.to_owned()))?;
        }
        for note in self.notes() {
            write!(f, "\n  note: {note}")?;
        }
        for stale in &self.stale {
            write!(f, "\n  `{stale}` allowed nothing: remove it")?;
        }
        for skipped in self.not_checked() {
            write!(f, "\n  not checked: {skipped}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Leak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, |_| true)
    }
}

impl Leak {
    /// Writes it with the hints that are new: several of one kind mostly have the same.
    fn write(&self, f: &mut fmt::Formatter<'_>, mut is_new: impl FnMut(&str) -> bool) -> fmt::Result {
        f.write_str(&self.kind.counted(self.count))?;
        if !self.what.is_empty() {
            write!(f, ": {}", self.what)?;
        }
        if let Some(line) = &self.spawned_at {
            write!(f, ", spawned by {line}")?;
        }
        if self.called_from != self.spawned_at
            && let Some(line) = &self.called_from
        {
            write!(f, "\n    > {line}")?;
        }
        for detail in &self.details {
            write!(f, "\n    {detail}")?;
        }
        for hint in self.hints.iter().filter(|hint| is_new(hint)) {
            write!(f, "\n    hint: {hint}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for LeakReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for LeakReport {}
