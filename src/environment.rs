//! The variables with a fixed set of values. `server-binary` reads those about the program.

/// Each variable and what it may be; empty is unset.
const CHOICES: [(&str, &[&str]); 6] = [
    ("ISOLATED_NATS_BLESS", &["1", "0"]),
    ("ISOLATED_NATS_INCONCLUSIVE", &["pass", "fail"]),
    ("ISOLATED_NATS_KEEP", &["failure", "always", "never"]),
    ("ISOLATED_NATS_LIFELINE", &["death-signal", "watcher"]),
    ("ISOLATED_NATS_LOG", &["info", "debug", "trace"]),
    ("ISOLATED_NATS_MISSING", &["fail", "skip"]),
];

/// Whether a variable has a value; one that it may not have is found by [`check`], and has no effect before.
pub(crate) fn is(variable: &str, value: &str) -> bool {
    debug_assert!(CHOICES.iter().any(|(name, values)| *name == variable && values.contains(&value)));
    std::env::var(variable).is_ok_and(|actual| actual.trim() == value)
}

/// Says what is wrong with the first variable that has a value it may not have.
pub(crate) fn check() -> Result<(), String> {
    CHOICES.iter().try_for_each(|(name, values)| check_one(name, values, std::env::var_os(name)))
}

fn check_one(name: &str, values: &[&str], actual: Option<std::ffi::OsString>) -> Result<(), String> {
    let actual = actual.unwrap_or_default();
    let text = actual.to_string_lossy();
    if text.trim().is_empty() || values.contains(&text.trim()) {
        return Ok(());
    }
    Err(format!("{name} is `{text}`, and may be `{}` (or unset it)", values.join("`, `")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_means_nothing_is_named_with_those_that_do() {
        let check = |value: Option<&str>| check_one("X", &["a", "b"], value.map(Into::into));
        for good in [None, Some(""), Some(" a "), Some("b")] {
            assert_eq!(check(good), Ok(()));
        }
        assert_eq!(check(Some("c")).unwrap_err(), "X is `c`, and may be `a`, `b` (or unset it)");
    }
}
