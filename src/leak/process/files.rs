//! The files of `/proc`, whose formats are fixed by proc(5).

use std::fs::{self, File};
use std::io::Read;

/// Room for all but long tables, for which it grows.
const ROOM: usize = 2048;

/// What `/proc/<pid>/stat` says, of a process or of a thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stat {
    /// At most 15 bytes; a character that was cut is shown as U+FFFD.
    pub(super) name: String,
    pub(super) state: char,
    pub(super) parent: u32,
    /// In clock ticks since the system's start.
    pub(super) started: u64,
}

impl Stat {
    pub(super) fn read(path: &str) -> Option<Self> {
        Self::parse(&read(path)?)
    }

    /// The name may itself hold spaces and parentheses.
    fn parse(text: &[u8]) -> Option<Self> {
        let begin = text.iter().position(|byte| *byte == b'(')?;
        let end = text.iter().rposition(|byte| *byte == b')')?;
        let name = String::from_utf8_lossy(text.get(begin + 1..end)?).into_owned();
        let mut fields = str::from_utf8(text.get(end + 1..)?).ok()?.split_ascii_whitespace();
        let state = fields.next()?.chars().next()?; // field 3 of proc(5)
        let parent = fields.next()?.parse().ok()?;
        let started = fields.nth(17)?.parse().ok()?; // field 22
        Some(Self { name, state, parent, started })
    }

    /// Whether it has ended: what is left of it is only its entry.
    pub(super) fn has_ended(&self) -> bool {
        matches!(self.state, 'Z' | 'X' | 'x')
    }
}

/// A file, whole; `None` when it is there no more, or may not be read.
pub(super) fn read(path: &str) -> Option<Vec<u8>> {
    let mut text = Vec::with_capacity(ROOM);
    File::open(path).ok()?.read_to_end(&mut text).ok()?;
    Some(text)
}

/// The entries of a directory whose names are numbers, in ascending order.
pub(super) fn numbers(directory: &str) -> Option<Vec<u32>> {
    let entries = fs::read_dir(directory).ok()?;
    let mut numbers: Vec<u32> =
        entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    numbers.sort_unstable();
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_spaces_and_parentheses_shifts_no_field() {
        let text = b"42 (a ) b) S 7 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 8800 20 21";
        let expected = Stat { name: "a ) b".into(), state: 'S', parent: 7, started: 8800 };
        assert_eq!(Stat::parse(text), Some(expected));
        assert_eq!(Stat::parse(b"42 (a) S 7 2"), None);
        assert_eq!(Stat::parse(b""), None);
    }

    #[test]
    fn a_name_cut_within_a_character_is_shown_as_far_as_it_goes() {
        let text = b"42 (pr\xc3) Z 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 5 20";
        let stat = Stat::parse(text).unwrap();
        assert_eq!((stat.name.as_str(), stat.has_ended()), ("pr\u{fffd}", true));
    }
}
