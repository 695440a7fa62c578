//! Which worker gets which partition.
//!
//! By rendezvous: each pair of a partition and a worker has a score, and the highest wins. That alone moves little when workers come
//! and go, but leaves some with far more than others. So each worker has a limit, a fair share; whoever has more gives back those
//! with the lowest scores, and each free partition goes to the highest score among the workers with room. What moves is then the
//! least that can.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::Partition;

/// Returns the partition of a key: equal keys have equal partitions, on all machines and in all versions.
///
/// # Panics
///
/// With no partitions.
#[must_use]
pub fn partition_of(key: &str, partitions: u32) -> Partition {
    assert!(partitions > 0, "there is no partition for a key without any partitions");
    // The remainder is below a `u32`.
    (mix(hash(key)) % u64::from(partitions)) as Partition
}

/// Assigns every partition to one worker: each gets as many as the others or one more, and as few as possible change hands.
///
/// `owners` are those of before; of a worker that is not among `workers` the partitions are free, and those
/// from `partitions` on are left out. The order of `workers` is of no
/// account, and their names differ; without any the result is empty.
#[must_use]
pub fn assign(
    partitions: u32,
    workers: &[&str],
    owners: &BTreeMap<Partition, String>,
) -> BTreeMap<Partition, String> {
    let mut shares = shares(partitions, workers, owners);
    let mut assigned = BTreeMap::new();
    for (worker, share) in &mut shares {
        share.keep_the_best(worker);
        assigned.extend(share.partitions.iter().map(|partition| (*partition, (*worker).to_owned())));
    }
    for partition in 0..partitions {
        if assigned.contains_key(&partition) {
            continue;
        }
        let with_room = shares.iter_mut().filter(|(_, share)| share.partitions.len() < share.limit);
        let best = with_room.max_by_key(|(worker, _)| score(partition, worker));
        if let Some((worker, share)) = best {
            share.partitions.push(partition);
            assigned.insert(partition, (*worker).to_owned());
        }
    }
    assigned
}

/// Returns how many partitions have another owner than before; one that had none before does not count.
#[must_use]
pub fn movement(before: &BTreeMap<Partition, String>, after: &BTreeMap<Partition, String>) -> usize {
    before.iter().filter(|(partition, owner)| after.get(*partition) != Some(*owner)).count()
}

/// Returns how many partitions must change hands at least, for each of the workers to have as many as the others or one more: those
/// of workers that are gone, and what others have above their share.
#[must_use]
pub fn least_movement(partitions: u32, workers: &[&str], owners: &BTreeMap<Partition, String>) -> usize {
    let kept = shares(partitions, workers, owners)
        .into_values()
        .map(|share| share.partitions.len().min(share.limit));
    owners.len() - kept.sum::<usize>()
}

/// What a worker has, and how many it may.
#[derive(Default)]
struct Share {
    partitions: Vec<Partition>,
    limit: usize,
}

impl Share {
    fn keep_the_best(&mut self, worker: &str) {
        self.partitions.sort_by_key(|partition| Reverse(score(*partition, worker)));
        self.partitions.truncate(self.limit);
    }
}

/// What each worker has, and its limit. The one more that some may have goes to those that have most already.
fn shares<'a>(
    partitions: u32,
    workers: &[&'a str],
    owners: &BTreeMap<Partition, String>,
) -> BTreeMap<&'a str, Share> {
    let mut shares: BTreeMap<&str, Share> =
        workers.iter().map(|worker| (*worker, Share::default())).collect();
    for (partition, owner) in owners.range(..partitions) {
        if let Some(share) = shares.get_mut(owner.as_str()) {
            share.partitions.push(*partition);
        }
    }
    let each = partitions as usize / shares.len().max(1);
    let one_more = partitions as usize % shares.len().max(1);
    let mut most_first: Vec<&mut Share> = shares.values_mut().collect();
    most_first.sort_by_key(|share| Reverse(share.partitions.len()));
    for (place, share) in most_first.into_iter().enumerate() {
        share.limit = each + usize::from(place < one_more);
    }
    shares
}

fn score(partition: Partition, worker: &str) -> u64 {
    mix(hash(worker) ^ mix(u64::from(partition)))
}

/// FNV-1a: the standard library's hashes may change with its version, and members of a group may be of several.
fn hash(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The finalizer of SplitMix64: similar inputs have unlike outputs.
fn mix(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|number| format!("w{number}")).collect()
    }

    fn texts(names: &[String]) -> Vec<&str> {
        names.iter().map(String::as_str).collect()
    }

    fn counts(assigned: &BTreeMap<Partition, String>, workers: &[&str]) -> Vec<usize> {
        workers.iter().map(|worker| assigned.values().filter(|owner| owner == worker).count()).collect()
    }

    #[test]
    fn all_are_assigned_and_nobody_has_two_more_than_another() {
        for partitions in [1, 2, 7, 100, 500] {
            for workers in 1..=50 {
                let names = names(workers);
                let assigned = assign(partitions, &texts(&names), &BTreeMap::new());
                assert_eq!(assigned.len(), partitions as usize);
                let counts = counts(&assigned, &texts(&names));
                let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
                assert!(most - least <= 1, "{partitions} for {workers}: {counts:?}");
            }
        }
        assert!(assign(100, &[], &BTreeMap::new()).is_empty());
    }

    /// Workers come and go one by one; what must move was counted by hand for some, and by the definition for all.
    #[test]
    fn only_what_must_move_does() {
        let names = names(12);
        let mut owners = BTreeMap::new();
        for count in (1..=12).chain((1..12).rev()) {
            let workers = &texts(&names)[..count];
            let next = assign(100, workers, &owners);
            assert_eq!(movement(&owners, &next), least_movement(100, workers, &owners), "to {count} workers");
            owners = next;
        }
        let one = assign(100, &["a"], &BTreeMap::new());
        assert_eq!(least_movement(100, &["a", "b"], &one), 50);
        let two = assign(100, &["a", "b"], &one);
        assert_eq!(least_movement(100, &["a", "b", "c"], &two), 33); // 50 and 50 become 34 and 33
        assert_eq!(least_movement(100, &["b"], &two), 50); // a's
        assert_eq!(least_movement(100, &["c"], &two), 100);
    }

    #[test]
    fn partitions_that_are_no_more_are_left_out() {
        let before = assign(10, &["a", "b"], &BTreeMap::new());
        let after = assign(6, &["a", "b"], &before);
        assert_eq!(after.keys().copied().collect::<Vec<_>>(), (0..6).collect::<Vec<_>>());
        assert_eq!(counts(&after, &["a", "b"]), [3, 3]);
    }

    #[test]
    fn an_assignment_is_kept_as_it_is_where_nothing_changed() {
        let names = names(7);
        let once = assign(100, &texts(&names), &BTreeMap::new());
        assert_eq!(assign(100, &texts(&names), &once), once);
        let mut reversed = texts(&names);
        reversed.reverse();
        assert_eq!(assign(100, &reversed, &once), once);
    }

    #[test]
    fn a_key_has_the_same_partition_everywhere() {
        // Pinned: another value would send messages to another partition after an update.
        assert_eq!(
            [partition_of("", 100), partition_of("order-1", 100), partition_of("order-2", 100)],
            [3, 27, 43]
        );
        let mut counts = [0_u32; 10];
        for number in 0..10_000 {
            counts[partition_of(&format!("order-{number}"), 10) as usize] += 1;
        }
        assert!(counts.iter().all(|count| (850..1150).contains(count)), "{counts:?}");
    }
}
