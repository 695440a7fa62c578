//! A list that grows while others read it, without a lock.

use std::sync::OnceLock;

/// Entries in the first shelf; each further one has twice as many as that before it.
const FIRST: usize = 16;
/// Enough for every number of 32 bits.
const SHELVES: usize = 29;

type Shelf<T> = Box<[OnceLock<T>]>;

/// Entries by number, made when they are first asked for and never moved.
#[derive(Debug)]
pub(super) struct Growing<T> {
    shelves: [OnceLock<Shelf<T>>; SHELVES],
}

impl<T> Growing<T> {
    pub(super) fn new() -> Self {
        Self { shelves: [const { OnceLock::new() }; SHELVES] }
    }

    /// An entry, if it has been made.
    pub(super) fn get(&self, number: u32) -> Option<&T> {
        let (shelf, place) = position(number);
        self.shelves[shelf].get()?[place].get()
    }

    /// An entry, made now if it was not; all shelves up to its own are as long as it takes, so numbers must be given densely.
    pub(super) fn get_or_make(&self, number: u32, make: impl FnOnce() -> T) -> &T {
        let (shelf, place) = position(number);
        let shelf =
            self.shelves[shelf].get_or_init(|| (0..FIRST << shelf).map(|_| OnceLock::new()).collect());
        shelf[place].get_or_init(make)
    }
}

/// The shelf of an entry, and its place there.
fn position(number: u32) -> (usize, usize) {
    let number = usize::try_from(number).unwrap_or(usize::MAX - FIRST) + FIRST;
    let shelf = (number.ilog2() - FIRST.ilog2()) as usize;
    (shelf, number - (FIRST << shelf))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_a_place_of_its_own() {
        let expected = (0..6).flat_map(|shelf| (0..FIRST << shelf).map(move |place| (shelf, place)));
        assert!((0..).map(position).zip(expected).all(|(got, expected)| got == expected));
        assert_eq!(position(u32::MAX).0, SHELVES - 1);
    }

    #[test]
    fn an_entry_is_made_once_and_found_again() {
        let list = Growing::new();
        for number in [0, 15, 16, 47, 1000] {
            assert_eq!(list.get(number), None);
            assert_eq!(*list.get_or_make(number, || number + 1), number + 1);
            assert_eq!(*list.get_or_make(number, || unreachable!("it is there")), number + 1);
            assert_eq!(list.get(number), Some(&(number + 1)));
        }
    }

    #[test]
    fn threads_that_ask_for_one_entry_get_the_same() {
        let list = Growing::new();
        let ask =
            || (0..500).map(|number| std::ptr::from_ref(list.get_or_make(number, String::new)) as usize);
        let addresses = std::thread::scope(|scope| {
            let threads = [(); 4].map(|()| scope.spawn(|| ask().collect::<Vec<_>>()));
            threads.map(|thread| thread.join().unwrap())
        });
        assert!(addresses.iter().all(|found| *found == addresses[0]));
    }
}
