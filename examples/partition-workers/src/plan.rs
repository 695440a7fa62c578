//! What the leader does next: pure, so that each step can be tested without a server.

use std::collections::BTreeMap;

use crate::records::{Assignment, Member, Owner};
use crate::{Partition, assign};

/// What was last heard of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Heard {
    /// `None` when it was that the key is gone.
    pub(crate) member: Option<Member>,
    pub(crate) revision: u64,
}

/// The workers that were ever heard of, by name.
pub(crate) type Workers = BTreeMap<String, Heard>;

/// Returns the assignment to be written next, in place of `current` of this revision; `None` if there is nothing to do, or nothing yet.
///
/// A partition goes from one living worker to another in two assignments. The first takes it away; the second gives it to the other,
/// once every member has acted upon the first. Those of workers that are no members any more are given away at once: a worker's key
/// goes only after the worker has let go of all, or when its lease is over.
pub(crate) fn next(
    leader: &str,
    partitions: u32,
    current: &Assignment,
    revision: u64,
    workers: &Workers,
) -> Option<Assignment> {
    if unheard_of(current, workers).next().is_some() {
        return None; // what we know is older than the assignment
    }
    let kept = owners(current, workers);
    let names: Vec<&str> = members(workers).map(|(id, _, _)| id).collect();
    let is_free = free(partitions, current, revision, workers);
    let mut next = Assignment { leader: leader.to_owned(), workers: BTreeMap::new() };
    for (id, member, revision) in members(workers) {
        let known = current.workers.get(id).filter(|owner| owner.incarnation == member.incarnation);
        let revision = known.map_or(revision, |owner| owner.revision);
        let owner = Owner { incarnation: member.incarnation, revision, partitions: Vec::new() };
        next.workers.insert(id.to_owned(), owner);
    }
    for (partition, id) in assign(partitions, &names, &kept) {
        let may_have = kept.get(&partition).map_or(is_free(partition), |owner| *owner == id);
        if let Some(owner) = next.workers.get_mut(&id).filter(|_| may_have) {
            owner.partitions.push(partition);
        }
    }
    (next.workers != current.workers).then_some(next)
}

/// Those who live, by name: a worker, its membership, and the revision of its key.
pub(crate) fn members(workers: &Workers) -> impl Iterator<Item = (&str, Member, u64)> {
    workers.iter().filter_map(|(id, heard)| Some((id.as_str(), heard.member?, heard.revision)))
}

/// Whether every member has acted upon the assignment of this revision.
pub(crate) fn is_settled(revision: u64, workers: &Workers) -> bool {
    members(workers).all(|(_, member, _)| member.acted_upon >= revision)
}

/// The owners in an assignment of which nothing was heard since it was written by somebody who knew more: neither that they live, nor
/// that they do not.
pub(crate) fn unheard_of<'a>(current: &'a Assignment, workers: &'a Workers) -> impl Iterator<Item = &'a str> {
    let is_unheard_of = |id: &str, owner: &Owner| match workers.get(id) {
        Some(heard) => !heard.is(owner.incarnation) && heard.revision <= owner.revision,
        None => true,
    };
    current.workers.iter().filter(move |(id, owner)| is_unheard_of(id, owner)).map(|(id, _)| id.as_str())
}

/// The keys to be removed if nothing is heard of them for too long, and the revision of each that was heard last, 0 for none: those
/// of the living, and of owners unheard of.
pub(crate) fn awaited<'a>(
    current: &'a Assignment,
    workers: &'a Workers,
) -> impl Iterator<Item = (&'a str, u64)> {
    let living = members(workers).map(|(id, _, revision)| (id, revision));
    let of = |id| workers.get(id).map_or(0, |heard| heard.revision);
    living.chain(unheard_of(current, workers).map(move |id| (id, of(id))))
}

/// The workers that are gone and own nothing, and the revision that says so.
pub(crate) fn past<'a>(
    current: &'a Assignment,
    workers: &'a Workers,
) -> impl Iterator<Item = (&'a str, u64)> {
    let is_past = |id: &str, heard: &Heard| heard.member.is_none() && !current.workers.contains_key(id);
    workers
        .iter()
        .filter(move |(id, heard)| is_past(id, heard))
        .map(|(id, heard)| (id.as_str(), heard.revision))
}

impl Heard {
    fn is(&self, incarnation: u64) -> bool {
        self.member.is_some_and(|member| member.incarnation == incarnation)
    }
}

/// What the members own of it.
fn owners(current: &Assignment, workers: &Workers) -> BTreeMap<Partition, String> {
    let of = |(id, member, _): (&str, Member, u64)| {
        let partitions = current.of(id, member.incarnation).iter();
        partitions.map(|partition| (*partition, id.to_owned())).collect::<Vec<_>>()
    };
    members(workers).flat_map(of).collect()
}

/// Which partitions nobody can be busy with. Of those without an owner in the assignment it does not say who was the last: all members
/// are waited for.
fn free(
    partitions: u32,
    current: &Assignment,
    revision: u64,
    workers: &Workers,
) -> impl Fn(Partition) -> bool + use<> {
    let waited_for = if is_settled(revision, workers) { Vec::new() } else { current.unassigned(partitions) };
    move |partition| waited_for.binary_search(&partition).is_err()
}

#[cfg(test)]
mod model;

#[cfg(test)]
mod tests {
    use super::*;

    const PARTITIONS: u32 = 10;

    /// A group without a server: what its bucket says.
    #[derive(Default)]
    struct Group {
        workers: Workers,
        current: Assignment,
        /// Of the assignment.
        revision: u64,
        /// Of the last entry of any key.
        last: u64,
    }

    impl Group {
        fn of(ids: &[&str]) -> Self {
            let mut group = Self::default();
            ids.iter().for_each(|id| group.join(id));
            group.settle();
            group
        }

        fn hear(&mut self, id: &str, member: Option<Member>) {
            self.last += 1;
            self.workers.insert(id.into(), Heard { member, revision: self.last });
        }

        fn join(&mut self, id: &str) {
            self.hear(id, Some(Member { incarnation: self.last + 1000, acted_upon: 0 }));
        }

        fn act(&mut self, id: &str) {
            let member = self.workers[id].member.unwrap();
            self.hear(id, Some(Member { acted_upon: self.revision, ..member }));
        }

        fn all_act(&mut self) {
            let ids: Vec<String> = members(&self.workers).map(|(id, _, _)| id.to_owned()).collect();
            ids.iter().for_each(|id| self.act(id));
        }

        fn next(&self) -> Option<Assignment> {
            next("a", PARTITIONS, &self.current, self.revision, &self.workers)
        }

        /// Writes the next assignment, if there is one.
        fn step(&mut self) -> bool {
            let Some(next) = self.next() else { return false };
            self.last += 1;
            (self.current, self.revision) = (next, self.last);
            true
        }

        /// Lets all act until nothing is to be done, and returns how many assignments that took.
        fn settle(&mut self) -> usize {
            let mut steps = 0;
            while self.step() {
                steps += 1;
                assert!(steps <= 3, "it does not come to rest: {:?}", self.current);
                self.all_act();
            }
            steps
        }

        fn count(&self, id: &str) -> usize {
            self.current.workers[id].partitions.len()
        }

        fn free(&self) -> usize {
            self.current.unassigned(PARTITIONS).len()
        }
    }

    #[test]
    fn the_first_worker_gets_all_at_once() {
        let mut group = Group::default();
        assert_eq!(group.next(), None, "without workers there is nothing to assign");
        group.join("a");
        assert_eq!(group.settle(), 1);
        assert_eq!(group.count("a"), 10);
    }

    #[test]
    fn a_partition_is_given_only_after_all_have_let_go() {
        let mut group = Group::of(&["a"]);
        group.join("b");
        assert!(group.step());
        assert_eq!((group.count("a"), group.count("b"), group.free()), (5, 0, 5));
        assert!(!group.step(), "nobody has acted upon it yet");
        group.act("b");
        assert!(!group.step(), "a has not yet");
        group.act("a");
        assert!(group.step());
        assert_eq!((group.count("a"), group.count("b"), group.free()), (5, 5, 0));
        group.all_act();
        assert!(!group.step());
    }

    #[test]
    fn what_the_dead_had_is_given_away_at_once() {
        let mut group = Group::of(&["a", "b"]);
        group.hear("b", None);
        assert_eq!(group.settle(), 1);
        assert_eq!(group.count("a"), 10);
    }

    /// b dies while it is waited for: what was taken from it is free then, and what was taken from others is not.
    #[test]
    fn the_dead_are_not_waited_for() {
        let mut group = Group::of(&["a", "b"]);
        group.join("c");
        assert!(group.step());
        group.act("c");
        group.hear("b", None);
        assert!(group.step(), "what b still had");
        assert_eq!(group.free(), 3, "taken from a, who has not acted, or from b: nobody knows");
        group.act("c");
        assert!(!group.step());
        group.act("a");
        assert!(group.step());
        assert_eq!((group.count("a"), group.count("c")), (5, 5));
    }

    #[test]
    fn a_worker_that_joins_anew_has_nothing_of_its_earlier_life() {
        let mut group = Group::of(&["a", "b"]);
        group.join("b");
        assert!(group.step());
        let b = &group.current.workers["b"];
        assert_eq!(b.incarnation, group.workers["b"].member.unwrap().incarnation);
        assert_eq!(
            group.free(),
            0,
            "the earlier b is dead, so it is given to the later one by one assignment"
        );
    }

    /// A leader that comes to office may hear of the workers later than of the assignment. To take the unknown for dead would give
    /// a partition two owners.
    #[test]
    fn nothing_is_done_while_an_owner_is_unheard_of() {
        let mut group = Group::of(&["a", "b"]);
        let all = group.workers.clone();
        group.workers.remove("b");
        assert_eq!(group.next(), None);
        assert_eq!(unheard_of(&group.current, &group.workers).collect::<Vec<_>>(), ["b"]);

        let earlier = Member { incarnation: 1, acted_upon: 0 };
        group.workers.insert("b".into(), Heard { member: Some(earlier), revision: 1 });
        assert_eq!(group.next(), None, "that is an earlier life of b");
        group.workers.insert("b".into(), Heard { member: None, revision: 1 });
        assert_eq!(group.next(), None, "and that the end of it");

        group.workers = all;
        group.hear("b", None);
        assert!(group.step(), "now b is known to be dead");
    }

    #[test]
    fn a_heartbeat_changes_nothing() {
        let mut group = Group::of(&["a", "b", "c"]);
        group.all_act();
        assert_eq!(group.next(), None);
    }

    #[test]
    fn any_change_comes_to_rest_after_two_assignments() {
        let ids = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
        let mut group = Group::of(&ids[..1]);
        for id in &ids[1..] {
            group.join(id);
            let steps = group.settle();
            assert!(steps <= 2, "{steps} for {id}");
            assert_eq!(group.free(), 0);
        }
        for id in &ids[..11] {
            group.hear(id, None);
            assert_eq!(group.settle(), 1, "for {id}");
            assert_eq!(group.free(), 0);
        }
    }
}
