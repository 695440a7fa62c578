//! That a worker lives: joining a group, and being heard in each interval.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, interval_at};

use crate::bucket::{Bucket, Kept, Renewal, is_conflict, unique};
use crate::records::{Member, worker_key};
use crate::{Error, Handler, Holdings};

/// A worker's key, and which membership it stands for.
#[derive(Debug)]
pub(super) struct Membership {
    kept: Kept,
    pub(super) incarnation: u64,
    /// When it was sent that the worker lives.
    sent: Instant,
}

/// Makes a worker a member. Where its key is there, a worker of that name lives, or has crashed: it is taken over if it is not renewed
/// in time.
pub(super) async fn join(bucket: &Bucket, id: &str) -> Result<Membership, Error> {
    let key = worker_key(id);
    let mut known = None;
    let mut ticks = interval(bucket.config.interval());
    loop {
        let (member, revision) = bucket.value::<Member>(&key).await?;
        let since = match known {
            Some((known, since)) if known == revision => since,
            Some(_) if member.is_some() => return Err(Error::IdInUse { id: id.to_owned() }),
            _ => Instant::now(),
        };
        known = Some((revision, since));
        if member.is_none() || since.elapsed() > bucket.config.patience() {
            let sent = Instant::now();
            let member = Member { incarnation: unique(), acted_upon: 0 };
            match bucket.replace(&key, &member, revision).await {
                Err(error) if is_conflict(&error) => {}
                written => {
                    let kept = Kept::new(key, written?);
                    return Ok(Membership { kept, incarnation: member.incarnation, sent });
                }
            }
        }
        ticks.tick().await;
    }
}

/// What is heard of a worker: up to which assignment it has acted.
pub(super) struct Heart<H> {
    pub(super) bucket: Arc<Bucket>,
    pub(super) handler: Arc<H>,
    pub(super) holdings: Holdings,
    /// Which revision of the assignment was acted upon.
    pub(super) acted: watch::Receiver<u64>,
    /// Told of each renewal: until when the lease runs, and how many have failed.
    pub(super) pulse: watch::Sender<Pulse>,
}

/// How a worker's lease stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pulse {
    pub(super) until: Instant,
    /// How many renewals had no answer.
    pub(super) failed: u64,
}

impl<H: Handler> Heart<H> {
    /// Renews the lease in each interval, and at once when an assignment was acted upon. It ends when nobody can act any more, and
    /// returns the membership; or when that is lost, with `None`.
    pub(super) async fn beat(mut self, mut membership: Membership) -> Option<Membership> {
        let period = self.bucket.config.interval();
        let mut ticks = interval_at(Instant::now() + period, period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.renewed(membership.sent);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                changed = self.acted.changed() => if changed.is_err() { return Some(membership) },
            }
            let acted_upon = *self.acted.borrow_and_update();
            match membership.renew(&self.bucket, acted_upon).await {
                Renewal::Sent(sent) => {
                    self.renewed(sent);
                    self.handler.renewed();
                }
                Renewal::Unknown => self.pulse.send_modify(|pulse| pulse.failed += 1),
                Renewal::Lost => {
                    self.holdings.expire();
                    return None;
                }
            }
        }
    }

    fn renewed(&self, sent: Instant) {
        let until = sent + self.bucket.config.lease;
        self.holdings.extend(until);
        self.pulse.send_modify(|pulse| pulse.until = until);
    }
}

impl Membership {
    async fn renew(&mut self, bucket: &Bucket, acted_upon: u64) -> Renewal {
        let incarnation = self.incarnation;
        let member = Member { incarnation, acted_upon };
        self.kept.renew(bucket, &member, |theirs| theirs.incarnation == incarnation).await
    }

    /// Ends the membership, unless it is another's by now.
    pub(super) async fn leave(&mut self, bucket: &Bucket) -> Result<(), Error> {
        let incarnation = self.incarnation;
        self.kept.give_up(bucket, |theirs: &Member| theirs.incarnation == incarnation).await
    }
}
