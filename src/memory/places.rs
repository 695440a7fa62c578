//! What each place in the program holds on the heap, at one moment and between two.

use std::collections::HashMap;

use super::allocator::{self, Domain, Sites};
use super::site::Names;

/// What each place in the program held on the heap at one moment; taken by [`MemoryProbe::heap_places`](super::MemoryProbe::heap_places).
///
/// To take it is cheap; to name a place takes time, some of it once in a process to read the debug information. So compare two by
/// [`since`](Self::since), which names only what differs.
#[derive(Clone, Debug)]
pub struct HeapPlaces {
    /// By the stack of the allocation, innermost first: bytes and blocks.
    held: HashMap<Vec<usize>, (i64, i64)>,
}

/// A place in the program, and what it holds, or how much more than before.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeapPlace {
    /// The innermost function of the user's own on the way to the allocation, with file and line as far as the program's debug
    /// information has them; the innermost of all where none is the user's own; empty in a program without names.
    pub place: String,
    /// Whether the function is the user's own: neither of the standard library, nor of a dependency, nor ours.
    pub is_own: bool,
    /// Bytes, negative where a place holds less than before.
    pub bytes: i64,
    /// The blocks they are in, negative where a place holds fewer than before.
    pub blocks: i64,
}

impl HeapPlaces {
    pub(super) fn of(Sites { sites, .. }: Sites) -> Self {
        let amount = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        let held = sites.into_iter().filter(|site| site.live.blocks > 0);
        let held = held.map(|site| (site.addresses, (amount(site.live.bytes), amount(site.live.blocks))));
        Self { held: held.collect() }
    }

    /// Names all places, those with the most bytes first; empty when nothing is held.
    #[must_use]
    pub fn all(&self) -> Vec<HeapPlace> {
        let _ours = allocator::enter(Domain::ours());
        named(self.held.iter().map(|(stack, held)| (stack, *held)))
    }

    /// Names the places that hold more, fewer or other blocks than they did in `earlier`, those with the most bytes more first; empty
    /// when nothing differs.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Vec<HeapPlace> {
        let _ours = allocator::enter(Domain::ours());
        let of = |places: &Self, stack| places.held.get(stack).copied().unwrap_or_default();
        let gone = earlier.held.keys().filter(|stack| !self.held.contains_key(*stack));
        let differing = self.held.keys().chain(gone).filter_map(|stack| {
            let ((bytes, blocks), (bytes_before, blocks_before)) = (of(self, stack), of(earlier, stack));
            let more = (bytes - bytes_before, blocks - blocks_before);
            (more != (0, 0)).then_some((stack, more))
        });
        named(differing)
    }
}

/// One for each name: stacks that differ elsewhere lead to the same place.
fn named<'a>(stacks: impl Iterator<Item = (&'a Vec<usize>, (i64, i64))>) -> Vec<HeapPlace> {
    let mut names = Names::default();
    let mut places = HashMap::<(String, bool), (i64, i64)>::new();
    for (stack, (bytes, blocks)) in stacks {
        let lines = names.lines(stack);
        let own = lines.iter().find(|line| line.is_own());
        let place = own.or_else(|| lines.first()).map(ToString::to_string).unwrap_or_default();
        let held = places.entry((place, own.is_some())).or_default();
        *held = (held.0 + bytes, held.1 + blocks);
    }
    let differing = places.into_iter().filter(|(_, held)| *held != (0, 0));
    let place = |((place, is_own), (bytes, blocks))| HeapPlace { place, is_own, bytes, blocks };
    let mut places: Vec<_> = differing.map(place).collect();
    places.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.place.cmp(&b.place)));
    places
}

#[cfg(test)]
mod tests {
    use super::super::allocator::{Amount, Site};
    use super::*;

    fn places(held: &[(usize, u64, u64)]) -> HeapPlaces {
        let site = |&(address, bytes, blocks): &(usize, u64, u64)| Site {
            addresses: vec![address],
            live: Amount { bytes, blocks },
            ..Site::default()
        };
        HeapPlaces::of(Sites { sites: held.iter().map(site).collect(), ..Sites::default() })
    }

    /// No function is at such addresses.
    fn unnamed(bytes: i64, blocks: i64) -> HeapPlace {
        HeapPlace { place: String::new(), is_own: false, bytes, blocks }
    }

    #[test]
    fn what_differs_is_summed_up_by_name_and_what_does_not_is_left_out() {
        let before = places(&[(1, 100, 1), (2, 50, 5), (3, 10, 1)]);
        let after = places(&[(1, 400, 4), (2, 50, 5), (4, 7, 1)]);
        assert_eq!(after.since(&before), [unnamed(297, 3)]);
        assert_eq!(before.since(&after), [unnamed(-297, -3)]);
        assert_eq!(after.since(&after), []);
        assert_eq!(after.all(), [unnamed(457, 10)]);
    }

    #[test]
    fn places_that_hold_nothing_are_none() {
        assert_eq!(places(&[(1, 0, 0)]).all(), []);
    }
}
