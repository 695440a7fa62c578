//! The checker finds what it is there for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use partition_workers::{Fence, Partition};

use crate::support::{Holds, Ownership};

/// What a made-up worker says it owns.
#[derive(Clone, Default)]
struct Says(Arc<Mutex<BTreeMap<Partition, Fence>>>);

impl Says {
    fn owns(&self, partition: Partition, fence: u64) {
        self.0.lock().unwrap().insert(partition, Fence(fence));
    }

    fn owns_nothing(&self) {
        self.0.lock().unwrap().clear();
    }

    fn lets_go_of(&self, partition: Partition) {
        self.0.lock().unwrap().remove(&partition);
    }
}

impl Holds for Says {
    fn holds(&self, partition: Partition) -> Option<Fence> {
        self.0.lock().unwrap().get(&partition).copied()
    }

    fn holds_any(&self) -> bool {
        !self.0.lock().unwrap().is_empty()
    }
}

struct MadeUp {
    ownership: Ownership,
    number: usize,
    says: Says,
}

impl MadeUp {
    fn enter(ownership: &Ownership, name: &str) -> Self {
        Self { ownership: ownership.clone(), number: ownership.enter(name), says: Says::default() }
    }

    fn gets(&self, partition: Partition, fence: u64) {
        self.says.owns(partition, fence);
        self.hears(partition, fence);
    }

    fn hears(&self, partition: Partition, fence: u64) {
        self.ownership.assigned(self.number, &[partition], Fence(fence), self.says.clone());
    }

    fn loses(&self, partition: Partition) {
        self.begins_to_lose(partition);
        self.ownership.has_let_go(self.number, &[partition]);
    }

    fn begins_to_lose(&self, partition: Partition) {
        self.says.lets_go_of(partition);
        self.ownership.revoked(self.number, &[partition]);
    }
}

fn two() -> (Ownership, MadeUp, MadeUp) {
    let ownership = Ownership::default();
    let (a, b) = (MadeUp::enter(&ownership, "a"), MadeUp::enter(&ownership, "b"));
    (ownership, a, b)
}

#[test]
fn a_partition_that_changes_hands_is_no_fault() {
    let (ownership, a, b) = two();
    a.gets(3, 1);
    assert_eq!(ownership.owners(), BTreeMap::from([(3, "a".into())]));
    a.loses(3);
    assert_eq!(ownership.owners(), BTreeMap::new());
    b.gets(3, 2);
    assert_eq!(ownership.owners(), BTreeMap::from([(3, "b".into())]));
    assert_eq!(ownership.history(3), ["assigned to a", "revoked from a", "assigned to b"]);
    assert_eq!(ownership.faults(), [""; 0]);
}

#[test]
fn an_owner_whose_lease_has_run_out_owns_nothing() {
    let (ownership, a, b) = two();
    a.gets(3, 1);
    a.says.owns_nothing(); // it crashed: nothing is revoked
    b.gets(3, 2);
    a.loses(3); // it did not crash: it stood still
    assert_eq!(ownership.faults(), [""; 0]);
}

#[test]
fn two_owners_at_a_time_are_found() {
    let (ownership, a, b) = two();
    a.gets(3, 1);
    b.gets(4, 2);
    b.gets(3, 2);
    assert_eq!(ownership.faults(), ["partition 3 was given to `b` (Fence(2)) while `a` held it (Fence(1))"]);
}

#[test]
fn a_partition_given_on_before_it_was_let_go_is_found() {
    let (ownership, a, b) = two();
    a.gets(3, 1);
    a.gets(4, 1);
    a.begins_to_lose(3);
    b.gets(3, 2);
    assert_eq!(ownership.faults(), ["partition 3 was given to `b` (Fence(2)) while `a` was letting it go"]);
}

#[test]
fn nobody_waits_for_one_to_let_go_whose_lease_has_run_out() {
    let (ownership, a, b) = two();
    a.gets(3, 1);
    a.gets(4, 1);
    a.begins_to_lose(3);
    a.says.owns_nothing();
    b.gets(3, 2);
    assert_eq!(ownership.faults(), [""; 0]);
}

#[test]
fn a_handler_told_too_late_is_not_taken_for_an_owner() {
    let (ownership, a, b) = two();
    b.gets(3, 2);
    a.hears(3, 1); // its lease ran out before its handler had its turn
    assert_eq!(ownership.faults(), [""; 0]);
    assert_eq!(ownership.owners(), BTreeMap::from([(3, "b".into())]));
}

#[test]
fn a_fence_that_does_not_grow_is_found() {
    let (ownership, a, b) = two();
    a.gets(3, 5);
    a.loses(3);
    b.gets(3, 5);
    b.loses(3);
    a.gets(3, 4);
    assert_eq!(
        ownership.faults(),
        [
            "partition 3 was given to `b` with Fence(5), not above the Fence(5) of `a` before",
            "partition 3 was given to `a` with Fence(4), not above the Fence(5) of `b` before",
        ]
    );
}

#[test]
fn a_handler_told_twice_or_for_nothing_is_found() {
    let (ownership, a, b) = two();
    a.gets(3, 1);
    a.hears(3, 1);
    b.loses(3);
    ownership.assigned(1, &[], Fence(1), Says::default());
    assert_eq!(
        ownership.faults(),
        [
            "partition 3 was given to `a`, which had it",
            "partition 3 was taken from `b`, which had it not",
            "`b` was given []"
        ]
    );
}

#[test]
fn a_worker_that_does_not_let_go_is_found() {
    let (ownership, a, _) = two();
    a.gets(3, 1);
    ownership.revoked(0, &[3]);
    assert_eq!(ownership.faults(), ["`a` still held partition 3 when told to let go"]);
}
