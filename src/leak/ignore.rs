//! What a test is allowed to leave, by patterns; and which of them were of no use.

use std::sync::atomic::{AtomicBool, Ordering};

use super::finding::NotChecked;

/// What a pattern is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ignored {
    /// Any function or file on the way to a spawn; the pattern is any part of it.
    SpawnedIn,
    /// The message of a panic.
    Panics,
    /// The name of a thread, of which Linux keeps 15 bytes.
    Threads,
    /// What a descriptor is of: a path, `socket 127.0.0.1:40117 -> 127.0.0.1:4222`, `epoll instance`.
    Descriptors,
    /// The command line of a child.
    Children,
    /// The subject of a subscription.
    Subjects,
    /// The name of a connection, stream, bucket or consumer.
    Names,
}

/// One allowance.
#[derive(Debug)]
struct Rule {
    ignored: Ignored,
    pattern: String,
    used: AtomicBool,
}

/// All allowances of one guard.
#[derive(Debug, Default)]
pub(crate) struct Ignores {
    rules: Vec<Rule>,
}

impl Ignores {
    pub(crate) fn add(&mut self, ignored: Ignored, pattern: &str) {
        self.rules.push(Rule { ignored, pattern: pattern.to_owned(), used: AtomicBool::new(false) });
    }

    pub(crate) fn has(&self, ignored: Ignored) -> bool {
        self.rules.iter().any(|rule| rule.ignored == ignored)
    }

    /// Whether something of this kind is allowed; every rule that says so is noted as used.
    pub(crate) fn allow(&self, ignored: Ignored, text: &str) -> bool {
        let mut allowed = false;
        for rule in self.rules.iter().filter(|rule| rule.ignored == ignored && rule.matches(text)) {
            rule.used.store(true, Ordering::Relaxed);
            allowed = true;
        }
        allowed
    }

    /// The rules that allowed nothing, of the kinds that were looked at, as they were written.
    pub(crate) fn stale(&self, was_looked_at: impl Fn(Ignored) -> bool) -> impl Iterator<Item = String> {
        let is_stale = move |rule: &&Rule| was_looked_at(rule.ignored) && !rule.used.load(Ordering::Relaxed);
        let stale = self.rules.iter().filter(is_stale);
        stale.map(|rule| format!("{}({:?})", rule.ignored.method(), rule.pattern))
    }
}

impl Rule {
    fn matches(&self, text: &str) -> bool {
        match self.ignored {
            Ignored::SpawnedIn => text.contains(&self.pattern),
            Ignored::Subjects => matches_subject(&self.pattern, text),
            Ignored::Panics
            | Ignored::Threads
            | Ignored::Descriptors
            | Ignored::Children
            | Ignored::Names => matches_text(self.pattern.as_bytes(), text.as_bytes()),
        }
    }
}

impl Ignored {
    /// What has to be checked for it to be of use.
    pub(crate) fn part(self) -> &'static str {
        match self {
            Self::SpawnedIn => NotChecked::SITES,
            Self::Panics => NotChecked::TASKS,
            Self::Threads | Self::Descriptors | Self::Children => NotChecked::PROCESS,
            Self::Subjects | Self::Names => NotChecked::SERVER,
        }
    }

    /// The builder's method.
    fn method(self) -> &'static str {
        match self {
            Self::SpawnedIn => "ignore_spawned_in",
            Self::Panics => "ignore_panics",
            Self::Threads => "ignore_threads",
            Self::Descriptors => "ignore_descriptors",
            Self::Children => "ignore_children",
            Self::Subjects => "ignore_subjects",
            Self::Names => "ignore_names",
        }
    }
}

/// Whether a text fits a pattern in which `*` stands for any text.
fn matches_text(pattern: &[u8], text: &[u8]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((b'*', rest)) => (0..=text.len()).any(|skipped| matches_text(rest, &text[skipped..])),
        Some((first, rest)) => {
            text.split_first().is_some_and(|(own, text)| own == first && matches_text(rest, text))
        }
    }
}

/// NATS's own rule: `*` is one token, `>` all the rest.
fn matches_subject(pattern: &str, subject: &str) -> bool {
    let mut tokens = subject.split('.');
    for part in pattern.split('.') {
        match (part, tokens.next()) {
            (">", Some(_)) => return true,
            ("*", Some(_)) => {}
            (part, Some(token)) if part == token => {}
            _ => return false,
        }
    }
    tokens.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_text() {
        let matches = |pattern: &str, text: &str| matches_text(pattern.as_bytes(), text.as_bytes());
        assert!(matches("worker", "worker") && matches("*", "") && matches("/tmp/*.log", "/tmp/a/b.log"));
        assert!(matches("*4222", "socket to 127.0.0.1:4222") && matches("a*b*c", "a-b-b-c"));
        assert!(!matches("worker", "worker-1") && !matches("a*b", "a-c") && !matches("", "a"));
    }

    #[test]
    fn subjects_match_as_in_nats() {
        assert!(matches_subject("orders.>", "orders.new.eu") && matches_subject("*.new", "orders.new"));
        assert!(!matches_subject("orders.>", "orders") && !matches_subject("orders", "orders.new"));
        assert!(!matches_subject("orders.*", "orders.new.eu") && matches_subject(">", "a"));
    }

    #[test]
    fn what_allowed_nothing_is_stale() {
        let mut ignores = Ignores::default();
        ignores.add(Ignored::Threads, "pool-*");
        ignores.add(Ignored::SpawnedIn, "my_pool::");
        assert!(ignores.allow(Ignored::Threads, "pool-1") && !ignores.allow(Ignored::Threads, "other"));
        assert!(!ignores.allow(Ignored::Names, "pool-1") && ignores.has(Ignored::SpawnedIn));
        let stale: Vec<_> = ignores.stale(|_| true).collect();
        assert_eq!(stale, ["ignore_spawned_in(\"my_pool::\")"]);
        assert_eq!(ignores.stale(|ignored| ignored != Ignored::SpawnedIn).count(), 0);
    }
}
