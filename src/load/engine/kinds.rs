//! Errors by kind.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::load::figures::ErrorCount;

/// So many kinds are kept for each operation; what comes later is of the kind `others`.
const MOST: usize = 64;

/// In the place of an operation, for those of the warm-up.
pub(super) const WARM_UP: usize = usize::MAX;

/// Counts errors. It takes a lock: errors are no part of the path that is measured for its cost.
#[derive(Debug, Default)]
pub(in crate::load) struct Kinds(Mutex<BTreeMap<(usize, String), (u64, String)>>);

impl Kinds {
    pub(in crate::load) fn count(&self, operation: usize, text: &str) {
        let _ours = crate::memory::ours();
        let mut kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut key = (operation, without_numbers(text));
        if !kinds.contains_key(&key)
            && kinds.range((operation, String::new())..).take_while(|(k, _)| k.0 == operation).count() >= MOST
        {
            key.1 = "others".into();
        }
        kinds.entry(key).or_insert_with(|| (0, text.to_owned())).0 += 1;
    }

    /// Those of one operation, or of all but the warm-up, the most frequent first.
    pub(in crate::load) fn of(&self, operation: Option<usize>) -> Vec<ErrorCount> {
        let kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found: BTreeMap<&str, (u64, &str)> = BTreeMap::new();
        for ((of, kind), (count, example)) in kinds.iter() {
            if operation.map_or(*of != WARM_UP, |operation| operation == *of) {
                found.entry(kind).or_insert((0, example)).0 += count;
            }
        }
        let mut counts: Vec<_> = found
            .into_iter()
            .map(|(kind, (count, example))| ErrorCount { kind: kind.into(), count, example: example.into() })
            .collect();
        counts.sort_by_key(|kind| std::cmp::Reverse(kind.count));
        counts
    }
}

/// The text with each run of digits as `#`.
fn without_numbers(text: &str) -> String {
    let mut kind = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '0'..='9' if kind.ends_with('#') => {}
            '0'..='9' => kind.push('#'),
            other => kind.push(other),
        }
    }
    kind
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_differ_in_numbers_are_one_kind() {
        let kinds = Kinds::default();
        kinds.count(0, "no reply to 17 after 1.5 s");
        kinds.count(1, "no reply to 205 after 2.25 s");
        kinds.count(0, "refused");
        let all = kinds.of(None);
        assert_eq!((all[0].kind.as_str(), all[0].count), ("no reply to # after #.# s", 2));
        assert_eq!(all[0].example, "no reply to 17 after 1.5 s");
        assert_eq!(kinds.of(Some(1)).len(), 1);
    }

    #[test]
    fn kinds_are_bounded() {
        let kinds = Kinds::default();
        for n in 0..1000_u32 {
            let letters: String = n.to_string().bytes().map(|digit| char::from(digit + 49)).collect();
            kinds.count(0, &letters);
        }
        assert_eq!(kinds.of(None).len(), MOST + 1);
        assert_eq!(kinds.of(None).iter().map(|kind| kind.count).sum::<u64>(), 1000);
    }
}
