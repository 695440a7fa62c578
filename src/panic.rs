//! What a panic says.

use std::any::Any;

/// The text of a panic; `None` where it was given something else.
pub(crate) fn message(panic: &(dyn Any + Send)) -> Option<&str> {
    panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied())
}
