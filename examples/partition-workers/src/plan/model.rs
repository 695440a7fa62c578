//! A group as a whole, without a server: workers and leaders take steps in any order, stand still in between, hear late, and get no
//! answers to writes that are made nevertheless, then or later. No partition ever has two owners; and once all goes well again, each
//! has one, and the bucket keeps nothing of those who are gone.

use std::collections::BTreeMap;

use super::{Heard, Workers, awaited, next, past};
use crate::Partition;
use crate::records::{Assignment, Member};

const IDS: [&str; 3] = ["a", "b", "c"];
const PARTITIONS: u32 = 5;
const LEASE: u64 = 40;
const PATIENCE: u64 = 50;

/// What is to be written in place of which revision.
#[derive(Clone)]
enum Write {
    Member(&'static str, Option<Member>, u64),
    Assignment(Assignment, u64),
}

#[derive(PartialEq)]
enum Answer {
    Written(u64),
    Refused,
    None,
}

#[derive(Default)]
struct Bucket {
    last: u64,
    members: BTreeMap<&'static str, Heard>,
    assignment: (Assignment, u64),
}

impl Bucket {
    fn revision(&self, id: &str) -> u64 {
        self.members.get(id).map_or(0, |heard| heard.revision)
    }

    fn is(&self, id: &str, incarnation: u64) -> bool {
        self.members.get(id).is_some_and(|heard| heard.is(incarnation))
    }

    fn commit(&mut self, write: Write) -> Answer {
        match write {
            Write::Member(id, member, over) if self.revision(id) == over => {
                self.members.insert(id, Heard { member, revision: self.last + 1 });
            }
            Write::Assignment(assignment, over) if self.assignment.1 == over => {
                self.assignment = (assignment, self.last + 1);
            }
            _ => return Answer::Refused,
        }
        self.last += 1;
        Answer::Written(self.last)
    }
}

/// One membership of a worker, by its own knowledge.
struct Life {
    id: &'static str,
    incarnation: u64,
    revision: u64,
    until: u64,
    heard: (Assignment, u64),
    mine: (Vec<Partition>, u64),
    acted: u64,
    /// By partition: the fence.
    held: BTreeMap<Partition, u64>,
}

/// One leader, by its own knowledge; any number of them believe to lead.
struct Term {
    current: (Assignment, u64),
    workers: Workers,
    heard_at: BTreeMap<String, u64>,
    heard: u64,
}

#[derive(Default)]
struct World {
    random: u64,
    now: u64,
    is_well: bool,
    bucket: Bucket,
    lives: Vec<Life>,
    terms: Vec<Term>,
    late: Vec<Write>,
    /// What each worker that wants to join has last seen of its key, and since when.
    seen: BTreeMap<&'static str, (u64, u64)>,
    fences: BTreeMap<Partition, (u64, u64)>,
}

impl World {
    fn below(&mut self, end: usize) -> usize {
        self.random =
            self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) as usize % end
    }

    fn write(&mut self, write: Write) -> Answer {
        match if self.is_well { 9 } else { self.below(10) } {
            0 => self.late.push(write),
            1 => _ = self.bucket.commit(write),
            _ => return self.bucket.commit(write),
        }
        Answer::None
    }

    fn join(&mut self, id: &'static str) {
        let found = self.bucket.members.get(id).copied();
        let revision = self.bucket.revision(id);
        let seen = self.seen.entry(id).or_insert((revision, self.now));
        if seen.0 != revision {
            *seen = (revision, self.now);
        }
        if found.is_some_and(|heard| heard.member.is_some()) && self.now - seen.1 <= PATIENCE {
            return;
        }
        let incarnation = self.below(usize::MAX) as u64;
        let (member, until) = (Member { incarnation, acted_upon: 0 }, self.now + LEASE);
        if let Answer::Written(revision) = self.write(Write::Member(id, Some(member), revision)) {
            let (heard, mine, held) = Default::default();
            self.lives.push(Life { id, incarnation, revision, until, heard, mine, acted: 0, held });
        }
    }

    fn renew(&mut self, index: usize) {
        let Life { id, incarnation, revision, acted, .. } = self.lives[index];
        let sent = self.now;
        match self.write(Write::Member(id, Some(Member { incarnation, acted_upon: acted }), revision)) {
            Answer::Written(revision) => {
                (self.lives[index].revision, self.lives[index].until) = (revision, sent + LEASE);
            }
            Answer::Refused if self.bucket.is(id, incarnation) => {
                self.lives[index].revision = self.bucket.revision(id);
            }
            Answer::Refused => _ = self.lives.remove(index),
            Answer::None => {}
        }
    }

    fn leave(&mut self, index: usize) {
        let life = self.lives.remove(index);
        self.write(Write::Member(life.id, None, life.revision));
    }

    /// The first half of acting upon an assignment.
    fn let_go(&mut self, index: usize) {
        let now = self.now;
        let life = &mut self.lives[index];
        if life.heard.1 > life.mine.1 {
            life.mine = (life.heard.0.of(life.id, life.incarnation).to_vec(), life.heard.1);
        }
        let Life { held, mine, .. } = life;
        held.retain(|partition, _| now < life.until && mine.0.contains(partition));
    }

    /// The second half.
    fn take(&mut self, index: usize) {
        let life = &mut self.lives[index];
        life.acted = life.mine.1;
        for &partition in life.mine.0.iter().filter(|_| self.now < life.until) {
            let fence = *life.held.entry(partition).or_insert(life.mine.1);
            let before = self.fences.insert(partition, (fence, life.incarnation));
            assert!(before.is_none_or(|(before, owner)| fence > before || owner == life.incarnation));
        }
    }

    fn begin(&mut self) {
        let (assignment, revision) = self.bucket.assignment.clone();
        let heard_at = assignment.workers.keys().map(|id| (id.clone(), self.now)).collect();
        if let Answer::Written(revision) = self.write(Write::Assignment(assignment.clone(), revision)) {
            let current = (assignment, revision);
            self.terms.push(Term { current, workers: Workers::new(), heard_at, heard: 0 });
        }
    }

    /// The bucket tells only the last of each key.
    fn hear(&mut self, index: usize) {
        let term = &mut self.terms[index];
        let later = self.bucket.members.iter().filter(|(_, heard)| heard.revision > term.heard);
        if let Some((id, heard)) = later.min_by_key(|(_, heard)| heard.revision) {
            term.heard = heard.revision;
            term.workers.insert((*id).to_owned(), *heard);
            term.heard_at.insert((*id).to_owned(), self.now);
        }
    }

    fn reap(&mut self, index: usize) {
        let Term { current, workers, heard_at, .. } = &self.terms[index];
        let silent = awaited(&current.0, workers).filter(|(id, _)| self.now - heard_at[*id] > PATIENCE);
        let silent: Vec<_> = silent.map(|(id, revision)| (id.to_owned(), revision)).collect();
        for (id, revision) in silent {
            let name = IDS[IDS.iter().position(|name| *name == id).unwrap()];
            if self.write(Write::Member(name, None, revision)) == Answer::Refused {
                self.write(Write::Member(name, None, 0));
            }
            self.terms[index].heard_at.insert(id, self.now);
        }
    }

    fn assign(&mut self, index: usize) {
        let Term { current, workers, .. } = &self.terms[index];
        if let Some(next) = next("a", PARTITIONS, &current.0, current.1, workers) {
            match self.write(Write::Assignment(next.clone(), current.1)) {
                Answer::Written(revision) => self.terms[index].current = (next, revision),
                Answer::Refused | Answer::None => return drop(self.terms.remove(index)),
            }
        }
        let term = &mut self.terms[index];
        let gone: Vec<_> = past(&term.current.0, &term.workers).map(|(id, r)| (id.to_owned(), r)).collect();
        for (id, revision) in gone {
            self.bucket.members.retain(|key, heard| *key != id || heard.revision > revision);
            term.workers.remove(&id);
            term.heard_at.remove(&id);
        }
    }

    fn step(&mut self) {
        let (id, what) = (IDS[self.below(IDS.len())], self.below(32));
        match (self.lives.len(), self.terms.len()) {
            (lives, _) if what < 16 && lives > 0 => {
                let index = self.below(lives);
                match what {
                    0..=4 => self.renew(index),
                    5..=8 => self.lives[index].heard = self.bucket.assignment.clone(),
                    9..=12 => self.let_go(index),
                    _ => self.take(index),
                }
            }
            (_, terms) if what < 31 && terms > 0 => {
                let index = self.below(terms);
                match what {
                    16..=25 => self.hear(index),
                    26..=29 => self.assign(index),
                    _ => self.reap(index),
                }
            }
            _ => self.rarely(id),
        }
        self.now += self.below(3) as u64 / 2;
        self.check();
    }

    fn rarely(&mut self, id: &'static str) {
        match (self.below(16), self.lives.len(), self.terms.len(), self.late.len()) {
            (0, lives @ 1.., _, _) => _ = self.lives.remove(self.random as usize % lives), // it crashes
            (1, lives @ 1.., _, _) => self.leave(self.random as usize % lives),
            (2, _, terms @ 1.., _) => _ = self.terms.remove(self.random as usize % terms),
            (3, _, terms @ 1.., _) => self.terms[self.random as usize % terms].heard = 0, // it watches anew
            (4 | 5, _, 0..3, _) => self.begin(),
            (6 | 7, _, _, late @ 1..) => {
                let write = self.late.swap_remove(self.random as usize % late);
                self.bucket.commit(write);
            }
            (8.., ..) => self.join(id),
            _ => {}
        }
    }

    fn check(&self) {
        for partition in 0..PARTITIONS {
            let holds = |life: &&Life| self.now < life.until && life.held.contains_key(&partition);
            let owners: Vec<_> = self.lives.iter().filter(holds).map(|life| life.id).collect();
            assert!(owners.len() <= 1, "partition {partition} has the owners {owners:?}");
        }
    }

    /// From now on each answer comes, and everybody does what is due; of the leaders, any one stays.
    fn get_well(&mut self) {
        self.is_well = true;
        std::mem::take(&mut self.late).into_iter().for_each(|write| _ = self.bucket.commit(write));
        self.terms.truncate(1);
        for _ in 0..400 {
            if self.lives.is_empty() {
                self.join(IDS[0]);
            }
            for index in (0..self.lives.len()).rev() {
                self.lives[index].heard = self.bucket.assignment.clone();
                self.let_go(index);
                self.take(index);
                self.renew(index);
            }
            match self.terms.len() {
                0 => self.begin(),
                _ => {
                    IDS.iter().for_each(|_| self.hear(0));
                    self.reap(0);
                    self.assign(0);
                }
            }
            self.now += 1;
            self.check();
        }
        let owned: usize = self.lives.iter().map(|life| life.held.len()).sum();
        assert_eq!(owned, PARTITIONS as usize, "each partition has an owner");
        assert_eq!(self.bucket.members.len(), self.lives.len(), "nothing is left of those who are gone");
    }
}

#[test]
fn no_partition_ever_has_two_owners_and_in_the_end_each_has_one() {
    for seed in 0..500 {
        let told = std::panic::catch_unwind(|| {
            let mut world = World { random: seed, ..World::default() };
            (0..600).for_each(|_| world.step());
            world.get_well();
        });
        assert!(told.is_ok(), "the history of seed {seed} went wrong");
    }
}
