//! The command: `fetch`, `path`, `doctor`, `clean`.

fn main() {}
