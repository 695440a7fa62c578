//! A term of office: the leader hears the workers, gives up on those that are silent, and assigns the partitions.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_nats::jetstream::kv;
use futures_util::{FutureExt, StreamExt};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, timeout};

use crate::Error;
use crate::bucket::{Bucket, Kept, Renewal};
use crate::plan::{self, Heard, Workers};
use crate::records::{ALL_WORKERS, ASSIGNMENT, Assignment, LEADER, Leader, read, worker_key, worker_of};

/// Leads, from having won the chair at this revision until another has it.
pub(crate) async fn lead(bucket: Arc<Bucket>, leader: Leader, revision: u64) {
    let mut ticks = interval(bucket.config.interval());
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut chair =
        Chair { bucket, leader, kept: Kept::new(LEADER.to_owned(), revision), renewed: Instant::now() };
    while chair.renew().await != Renewal::Lost {
        if let Some(mut term) = Term::begin(&mut chair).await
            && term.run(&mut ticks).await == End::Lost
        {
            return;
        }
        ticks.tick().await; // the server does not answer as it should: once more, from what it says then
    }
}

/// The leadership, as far as it can be kept.
struct Chair {
    bucket: Arc<Bucket>,
    leader: Leader,
    kept: Kept,
    /// When it was last known to be ours.
    renewed: Instant,
}

impl Chair {
    async fn renew(&mut self) -> Renewal {
        let renewal = self.kept.renew(&self.bucket, &self.leader, |theirs| *theirs == self.leader).await;
        if let Renewal::Sent(_) = renewal {
            self.renewed = Instant::now();
        }
        renewal
    }
}

/// Why a term is over.
#[derive(PartialEq, Eq)]
enum End {
    /// Another leads.
    Lost,
    /// The assignment was not the one we knew, or the server has not answered.
    Unsure,
}

/// What the leader knows.
struct Term<'a> {
    chair: &'a mut Chair,
    assignment: Assignment,
    revision: u64,
    workers: Workers,
    /// When each worker was last heard; for owners never heard of, the beginning of the term.
    heard_at: BTreeMap<String, Instant>,
}

impl<'a> Term<'a> {
    /// Writes the assignment anew: whatever an earlier leader would write from now on names an older revision, and is refused.
    async fn begin(chair: &'a mut Chair) -> Option<Self> {
        let (assignment, revision) = chair.bucket.value::<Assignment>(ASSIGNMENT).await.ok()?;
        let mut assignment = assignment.unwrap_or_default();
        assignment.leader.clone_from(&chair.leader.id);
        let revision = chair.bucket.replace(ASSIGNMENT, &assignment, revision).await.ok()?;
        let begun = Instant::now();
        let heard_at = assignment.workers.keys().map(|id| (id.clone(), begun)).collect();
        Some(Self { chair, assignment, revision, workers: Workers::new(), heard_at })
    }

    async fn run(&mut self, ticks: &mut Interval) -> End {
        let mut entries = self.chair.bucket.entries(&[ALL_WORKERS]);
        let (mut is_all_told, mut is_news) = (false, true);
        loop {
            tokio::select! {
                _ = ticks.tick() => {
                    let before = self.chair.renewed;
                    match self.chair.renew().await {
                        Renewal::Lost => return End::Lost,
                        Renewal::Sent(_) if self.was_deaf_since(before) => {
                            entries = self.chair.bucket.entries(&[ALL_WORKERS]); // the watch may not have noticed
                            is_all_told = false;
                        }
                        Renewal::Sent(_) if is_all_told => self.reap().await,
                        Renewal::Sent(_) | Renewal::Unknown => {}
                    }
                }
                Some(entry) = entries.next() => {
                    is_all_told = entry.seen_current;
                    is_news |= self.hear(&entry);
                    // Many may join at once: one assignment for all of them.
                    while let Some(Some(entry)) = entries.next().now_or_never() {
                        is_all_told = entry.seen_current;
                        is_news |= self.hear(&entry);
                    }
                }
            }
            if is_all_told && is_news {
                if self.assign().await.is_err() {
                    return End::Unsure;
                }
                is_news = false;
            }
        }
    }

    /// Whether the server has heard nobody for long, as far as we know: each worker has a full lease then to be heard again.
    fn was_deaf_since(&mut self, before: Instant) -> bool {
        let was_deaf = self.chair.renewed.duration_since(before) > self.chair.bucket.config.lease / 2;
        if was_deaf {
            let now = Instant::now();
            self.heard_at.values_mut().for_each(|at| *at = now);
        }
        was_deaf
    }

    /// Takes note of what is said of a worker, and returns whether the assignment depends on it.
    fn hear(&mut self, entry: &kv::Entry) -> bool {
        let (Some(id), Ok(member)) = (worker_of(&entry.key), read(entry)) else { return false };
        let heard = Heard { member, revision: entry.revision };
        self.heard_at.insert(id.to_owned(), Instant::now());
        let before = self.workers.insert(id.to_owned(), heard);
        // An end is news even after an end: it may be that of a life between the two.
        member.is_none() || before.is_none_or(|before| before.member != member)
    }

    /// Removes the keys of those who were silent for too long, at the revision that was last heard: if that succeeds they have not
    /// renewed their lease since, and cannot any more. The watch then tells that the key is gone.
    async fn reap(&mut self) {
        let patience = self.chair.bucket.config.patience();
        let is_silent = |id: &str| self.heard_at.get(id).is_none_or(|at| at.elapsed() > patience);
        let silent: Vec<(String, u64)> = plan::awaited(&self.assignment, &self.workers)
            .filter(|(id, _)| is_silent(id))
            .map(|(id, revision)| (id.to_owned(), revision))
            .collect();
        for (id, revision) in silent {
            let key = worker_key(&id);
            // Refused if it was heard just now. Without an answer, it has another lease.
            let removed = timeout(patience, self.chair.bucket.remove_or_mark(&key, revision)).await;
            if !matches!(removed, Ok(Ok(()))) {
                self.heard_at.insert(id, Instant::now());
            }
        }
    }

    /// Writes the next assignment, if there is one.
    async fn assign(&mut self) -> Result<(), Error> {
        let bucket = &self.chair.bucket;
        let (id, partitions) = (&self.chair.leader.id, bucket.config.partitions);
        if let Some(next) = plan::next(id, partitions, &self.assignment, self.revision, &self.workers) {
            self.revision = bucket.replace(ASSIGNMENT, &next, self.revision).await?;
            self.assignment = next;
        }
        self.forget().await;
        Ok(())
    }

    /// Forgets the workers that are gone and own nothing: what their keys say is no more needed to know that they are.
    async fn forget(&mut self) {
        let past: Vec<(String, u64)> = plan::past(&self.assignment, &self.workers)
            .map(|(id, revision)| (id.to_owned(), revision))
            .collect();
        for (id, revision) in past {
            if self.chair.bucket.erase(&worker_key(&id), revision).await.is_err() {
                return; // the next assignment, or leader, tries again
            }
            self.workers.remove(&id);
            self.heard_at.remove(&id);
        }
    }
}
