//! What the child does: it knows by a variable that it is one, and puts marks into its output.

use std::borrow::Cow;
use std::ffi::OsString;
use std::io::{self, Write};
use std::sync::OnceLock;

/// Set for the child: a token of the parent's choice, a space, and the test's name.
pub(super) const VARIABLE: &str = "ISOLATED_NATS_ALONE";

/// What a mark begins with, before the token: a character that no test prints by chance.
const SEPARATOR: char = '\u{1e}';

/// The mark's beginning, before its word and the end of its line.
pub(super) fn mark(token: &str) -> String {
    format!("{SEPARATOR}{token} ")
}

/// The arguments that have libtest run one test, whatever the arguments of this process are.
pub(super) fn arguments(test: &str) -> [&str; 5] {
    [test, "--exact", "--nocapture", "--test-threads=1", "--include-ignored"]
}

pub(super) fn is_child() -> bool {
    own_mark().is_some()
}

/// The beginning of this process's marks, if it is a child.
fn own_mark() -> Option<&'static str> {
    static MARK: OnceLock<Option<String>> = OnceLock::new();
    let read = || {
        let order = std::env::var(VARIABLE).ok()?;
        token(&order, std::env::args_os().skip(1)).map(mark)
    };
    MARK.get_or_init(read).as_deref()
}

/// The token in the variable, if this process is the one it was set for, and not one that was started by that.
fn token(order: &str, actual: impl Iterator<Item = OsString>) -> Option<&str> {
    let (token, test) = order.split_once(' ')?;
    actual.eq(arguments(test)).then_some(token)
}

/// Says in a child that the test begins, and when it is dropped, that the test is over; does nothing elsewhere.
#[derive(Debug)]
#[must_use = "the test is over when it is dropped"]
pub(crate) struct Told(());

impl Told {
    pub(crate) fn begin() -> Self {
        tell("begin");
        Self(())
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        tell("end");
    }
}

/// Says in a child that the server is ready, from when on the test's time counts.
pub(crate) fn body_begins() {
    tell("body");
}

fn tell(word: &str) {
    if let Some(mark) = own_mark() {
        let mut output = io::stdout().lock();
        // Without a parent to read it there is nobody to tell.
        let _ = output.write_all(format!("{mark}{word}\n").as_bytes()).and_then(|()| output.flush());
    }
}

/// A text that the parent is to print past its runner's capture, when this process is a child.
pub(crate) fn aloud(text: &str) -> Cow<'_, str> {
    match own_mark() {
        Some(mark) => format!("{mark}aloud\n{text}{mark}quiet\n").into(),
        None => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_process_that_was_made_for_the_test_is_the_child() {
        let token = |order: &'static str, actual: &[&str]| token(order, actual.iter().map(OsString::from));
        assert_eq!(token("7.0 a::b", &arguments("a::b")), Some("7.0"));
        assert_eq!(token("7.0 a::b", &arguments("a::c")), None);
        assert_eq!(token("7.0 a::b", &["a::b"]), None);
        assert_eq!(token("7.0", &[]), None);
    }
}
