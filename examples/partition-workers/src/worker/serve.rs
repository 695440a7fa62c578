//! What a worker does while it is a member: acts upon assignments, lets go when its lease runs out, and leads when nobody else does.

use std::sync::Arc;

use async_nats::jetstream::kv;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};

use super::heart::{self, Heart, Membership, Pulse};
use super::{NEVER, State};
use crate::bucket::{Bucket, Kept, is_conflict};
use crate::leader::lead;
use crate::records::{ASSIGNMENT, Assignment, LEADER, Leader, read};
use crate::{Error, Fence, Grant, Handler, Holdings, Partition};

/// What others are told of a worker.
pub(super) struct Told {
    pub(super) state: watch::Sender<State>,
    pub(super) leads: watch::Sender<bool>,
    pub(super) holdings: Holdings,
}

impl Drop for Told {
    /// However the worker ends, by a panic of its handler too, it owns nothing any more.
    fn drop(&mut self) {
        self.holdings.end();
        self.leads.send_replace(false);
        self.state.send_replace(State::Stopping);
    }
}

/// A worker's task, over all its memberships.
pub(super) struct Server<H> {
    bucket: Arc<Bucket>,
    id: String,
    handler: Arc<H>,
    told: Told,
    stop: watch::Receiver<bool>,
}

impl<H: Handler> Server<H> {
    pub(super) fn new(
        bucket: Arc<Bucket>,
        id: String,
        handler: Arc<H>,
        told: Told,
        stop: watch::Receiver<bool>,
    ) -> Self {
        Self { bucket, id, handler, told, stop }
    }

    /// Serves until it is told to stop. A worker that was taken for dead joins anew.
    pub(super) async fn run(self, mut membership: Membership) -> Result<(), Error> {
        loop {
            let ended = Service::new(&self, &membership).run(membership).await;
            if let Some(result) = ended {
                return result;
            }
            self.told.state.send_replace(State::Starting);
            tokio::select! {
                joined = self.join_again() => membership = joined,
                () = self.told_to_stop() => return Ok(()),
            }
        }
    }

    async fn join_again(&self) -> Membership {
        loop {
            if let Ok(membership) = heart::join(&self.bucket, &self.id).await {
                return membership;
            }
            sleep_until(Instant::now() + self.bucket.config.interval()).await;
        }
    }

    /// Completes when the worker was told to stop.
    async fn told_to_stop(&self) {
        if self.stop.clone().wait_for(|stop| *stop).await.is_err() {
            std::future::pending().await // it was dropped, and its task ends at its next turn, without a word
        }
    }
}

/// Who leads, as far as this worker knows.
struct Chair {
    holder: Option<Leader>,
    /// `None` before it was read for the first time.
    revision: Option<u64>,
    /// When to try to take it: at once if it is empty, and if it was not renewed for too long.
    try_at: Instant,
}

/// What the last assignment means for this worker; all of it would take memory for each worker of the group.
#[derive(Default)]
struct Part {
    revision: u64,
    mine: Vec<Partition>,
    /// Whether every partition has an owner, and this worker is taken into account.
    is_complete: bool,
}

/// One membership.
struct Service<'a, H> {
    server: &'a Server<H>,
    chair: Chair,
    part: Part,
    /// Whether the lease has run out, and was not renewed since.
    has_lapsed: bool,
    acted: watch::Sender<u64>,
    pulse: watch::Receiver<Pulse>,
    heart: JoinSet<Option<Membership>>,
    /// At most one.
    terms: JoinSet<()>,
    /// As what this worker leads.
    me: Leader,
}

/// What has happened to a service.
enum Event {
    Stop,
    /// The heart has ended.
    Heart(Result<Option<Membership>, JoinError>),
    Lapse,
    Pulse,
    Entry(kv::Entry),
    Vacancy,
    TermEnded,
}

impl<'a, H: Handler> Service<'a, H> {
    fn new(server: &'a Server<H>, membership: &Membership) -> Self {
        let now = Instant::now();
        Self {
            server,
            chair: Chair { holder: None, revision: None, try_at: now },
            part: Part::default(),
            has_lapsed: false,
            acted: watch::Sender::new(0),
            pulse: watch::channel(Pulse { until: now, failed: 0 }).1,
            heart: JoinSet::new(),
            terms: JoinSet::new(),
            me: Leader { id: server.id.clone(), incarnation: membership.incarnation },
        }
    }

    /// Serves until the worker is told to stop, and then returns how that went; or until the membership is lost.
    async fn run(mut self, membership: Membership) -> Option<Result<(), Error>> {
        self.start_heart(membership);
        self.show();
        let mut entries = self.entries();
        let mut failed = 0;
        loop {
            match self.next(&mut entries).await {
                Event::Stop => return Some(self.leave().await),
                Event::Heart(ended) => {
                    resume_panic(ended);
                    break;
                }
                Event::Lapse => self.lapse().await,
                Event::Pulse => {
                    let pulse = *self.pulse.borrow_and_update();
                    if pulse.failed != failed && pulse.until > Instant::now() {
                        failed = pulse.failed;
                        entries = self.entries(); // the server was away, and the watch may not have noticed
                    }
                    self.renewed(pulse).await;
                }
                Event::Entry(entry) => self.take(&entry).await,
                Event::Vacancy => {
                    if self.run_for_office().await {
                        entries = self.entries(); // it should have told that another has the chair
                    }
                }
                Event::TermEnded => _ = self.server.told.leads.send_replace(false),
            }
        }
        self.terms.shutdown().await;
        self.server.told.leads.send_replace(false);
        self.let_go(&[]).await;
        None
    }

    fn entries(&self) -> BoxStream<'static, kv::Entry> {
        self.server.bucket.entries(&[LEADER, ASSIGNMENT])
    }

    fn start_heart(&mut self, membership: Membership) {
        let (pulse, pulses) = watch::channel(*self.pulse.borrow());
        self.pulse = pulses;
        let heart = Heart {
            bucket: self.server.bucket.clone(),
            handler: self.server.handler.clone(),
            holdings: self.server.told.holdings.clone(),
            acted: self.acted.subscribe(),
            pulse,
        };
        self.heart.spawn(heart.beat(membership));
    }

    async fn next(&mut self, entries: &mut BoxStream<'static, kv::Entry>) -> Event {
        let until = self.pulse.borrow().until;
        let lapse_at = if self.has_lapsed { Instant::now() + NEVER } else { until };
        let mut pulse = self.pulse.clone();
        tokio::select! {
            () = self.server.told_to_stop() => Event::Stop,
            Some(ended) = self.heart.join_next() => Event::Heart(ended),
            () = sleep_until(lapse_at) => Event::Lapse,
            Ok(()) = pulse.changed() => Event::Pulse,
            Some(entry) = entries.next() => Event::Entry(entry),
            () = sleep_until(self.chair.try_at), if self.terms.is_empty() => Event::Vacancy,
            Some(_) = self.terms.join_next() => Event::TermEnded,
        }
    }

    /// The lease has run out: others may soon have what this worker had.
    async fn lapse(&mut self) {
        if self.pulse.borrow().until > Instant::now() {
            return; // renewed at the last moment
        }
        self.has_lapsed = true;
        self.show();
        self.let_go(&[]).await;
    }

    /// The lease runs: what is assigned is this worker's again, since nobody has removed its key meanwhile.
    async fn renewed(&mut self, pulse: Pulse) {
        if self.has_lapsed && pulse.until > Instant::now() {
            self.has_lapsed = false;
            self.act().await;
        }
    }

    async fn take(&mut self, entry: &kv::Entry) {
        if entry.key == LEADER {
            if let Ok(leader) = read(entry) {
                self.heard_of_leader(leader, entry.revision);
            }
        } else if let Ok(Some(assignment)) = read::<Assignment>(entry)
            && entry.revision > self.part.revision
        {
            let (id, incarnation) = (&self.me.id, self.me.incarnation);
            let unassigned = assignment.unassigned(self.server.bucket.config.partitions);
            self.part = Part {
                revision: entry.revision,
                mine: assignment.of(id, incarnation).to_vec(),
                is_complete: unassigned.is_empty() && assignment.names(id, incarnation),
            };
            if !self.part.is_complete {
                self.show(); // before the handler, which may take long
            }
            self.act().await;
        }
    }

    fn heard_of_leader(&mut self, holder: Option<Leader>, revision: u64) {
        if self.chair.revision.is_some_and(|known| revision <= known) {
            return;
        }
        let patience = self.server.bucket.config.patience();
        let try_at = if holder.is_some() { Instant::now() + patience } else { Instant::now() };
        // It may be ours by a write that was not answered in time.
        if holder.as_ref() == Some(&self.me) && self.terms.is_empty() {
            self.terms.spawn(lead(self.server.bucket.clone(), self.me.clone(), revision));
            self.server.told.leads.send_replace(true);
        }
        self.chair = Chair { holder, revision: Some(revision), try_at };
        self.show();
    }

    /// Acts upon the assignment: lets go first, and takes then.
    async fn act(&mut self) {
        let Part { revision, mine, .. } = &self.part;
        let (holdings, fence) = (&self.server.told.holdings, Fence(*revision));
        self.let_go(mine).await;
        let partitions = if self.has_lapsed { Vec::new() } else { holdings.add(mine, fence) };
        if !partitions.is_empty() {
            let grant = Grant { partitions, fence, holdings: holdings.clone() };
            self.server.handler.assigned(grant).await;
        }
        self.show();
        self.acted.send_if_modified(|acted| std::mem::replace(acted, *revision) != *revision);
    }

    /// Lets go of all but these.
    async fn let_go(&self, kept: &[Partition]) {
        let gone = self.server.told.holdings.retain(kept);
        if !gone.is_empty() {
            self.server.handler.revoked(&gone).await;
        }
    }

    fn show(&self) {
        let state = if self.has_lapsed || self.chair.holder.is_none() {
            State::Electing
        } else if self.part.is_complete {
            State::Stable
        } else {
            State::Scaling
        };
        self.server.told.state.send_if_modified(|shown| std::mem::replace(shown, state) != state);
    }

    /// Tries to take the chair, and returns whether another has it of whom the watch should have told.
    async fn run_for_office(&mut self) -> bool {
        let bucket = &self.server.bucket;
        self.chair.holder = None;
        self.chair.try_at = Instant::now() + bucket.config.interval();
        self.show();
        if let Some(revision) = self.chair.revision {
            match timeout(bucket.config.lease / 2, bucket.replace(LEADER, &self.me, revision)).await {
                Ok(Ok(revision)) => {
                    self.heard_of_leader(Some(self.me.clone()), revision);
                    return false;
                }
                Ok(Err(error)) if is_conflict(&error) => {}
                Ok(Err(_)) | Err(_) => return false,
            }
        }
        let read = timeout(bucket.config.lease / 2, bucket.value::<Leader>(LEADER)).await;
        let Ok(Ok((holder, revision))) = read else { return false };
        let was_known = self.chair.revision.is_some();
        self.heard_of_leader(holder, revision);
        was_known
    }

    /// Lets go of everything, and tells the group.
    async fn leave(self) -> Result<(), Error> {
        self.server.told.state.send_replace(State::Stopping);
        self.let_go(&[]).await;
        let Self { server, acted, mut heart, mut terms, me, .. } = self;
        let farewell = async move {
            drop(acted); // the heart returns the membership
            if let Some(ended) = heart.join_next().await
                && let Some(mut membership) = resume_panic(ended)
            {
                membership.leave(&server.bucket).await?;
            }
            if terms.is_empty() {
                return Ok(());
            }
            terms.shutdown().await;
            step_down(&server.bucket, &me).await
        };
        let lease = server.bucket.config.lease;
        let late = |_| Err(Error::NotHeard { id: server.id.clone(), lease });
        timeout(lease, farewell).await.unwrap_or_else(late)
    }
}

/// What the heart has returned; `None` also if its runtime has ended. A panic of its handler is the worker's.
fn resume_panic(ended: Result<Option<Membership>, JoinError>) -> Option<Membership> {
    match ended.map_err(JoinError::try_into_panic) {
        Ok(membership) => membership,
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        Err(Err(_)) => None,
    }
}

/// Empties the chair, unless another has it.
async fn step_down(bucket: &Bucket, me: &Leader) -> Result<(), Error> {
    let (holder, revision) = bucket.value::<Leader>(LEADER).await?;
    if holder.as_ref() != Some(me) {
        return Ok(());
    }
    Kept::new(LEADER.to_owned(), revision).give_up(bucket, |theirs: &Leader| theirs == me).await
}
