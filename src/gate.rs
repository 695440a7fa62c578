//! A gate for tests that take long.

use crate::evidence;

/// Returns whether a long test is to be skipped: unless the environment variable is set, and neither empty nor `0`.
///
/// A skipped test says so on standard error, past the runner's capture, with the variable that would run it; for it
/// counts as passed, and nobody would know otherwise.
///
/// # Examples
///
/// ```
/// # fn soak() {
/// if isolated_nats::skip_unless("ORDERS_SOAK") {
///     return;
/// }
/// # unreachable!("the variable is not set");
/// # }
/// # soak();
/// ```
#[must_use = "return from the test when it is true"]
pub fn skip_unless(variable: &str) -> bool {
    let asked = std::env::var_os(variable).is_some_and(|value| !value.is_empty() && value != "0");
    if !asked {
        let thread = std::thread::current();
        let test = thread.name().unwrap_or("a test");
        evidence::print_uncaptured(&format!(
            "isolated-nats: `{test}` is skipped (set {variable}=1 to run it)\n"
        ));
    }
    !asked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_that_every_test_runner_sets_opens_the_gate() {
        assert!(!skip_unless("PATH"));
        assert!(skip_unless("ISOLATED_NATS_NO_SUCH_VARIABLE"));
    }
}
