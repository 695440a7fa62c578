//! What a verifier found, as plain data and as text.

use std::collections::BTreeMap;
use std::ops::AddAssign;
use std::sync::atomic::Ordering;

use serde::{Deserialize, Serialize};

use super::super::error::{LoadError, LoadErrorKind};
use super::super::histogram::Counts;
use super::super::latency::Latency;
use super::Verifier;
use super::publisher::Published;
use super::receiver::Received;
use crate::memory::text;

/// What a [`Verifier`] found: of all its receivers together, of each, and of each by subject.
///
/// Source: the stamps of the messages given to the receivers, and what the receipts were told. `Display` prints a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verification {
    acknowledged: bool,
    stamped: u64,
    sent: u64,
    confirmed: u64,
    total: DeliveryCounts,
    receivers: Vec<ReceiverFigures>,
}

/// What became of messages on the way to one receiver, or to several: then each message counts once for each of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DeliveryCounts {
    /// Messages that must arrive: those sent, or, with [`Verifier::acknowledged`], those confirmed.
    pub expected: u64,
    /// Messages that arrived, each counted once; also of those that need not have.
    pub received: u64,
    /// Expected, not there, and given up on by [`Verifier::settled`].
    pub lost: u64,
    /// Expected, not there, and not given up on.
    pub in_flight: u64,
    /// Stamped, not there, and not expected: publishing failed, or was not confirmed, or nobody said anything.
    pub unconfirmed: u64,
    /// Arrivals of a message after its first.
    pub duplicates: u64,
    /// Messages that arrived for the first time after a later one of the same publisher.
    pub reordered: u64,
}

/// What one receiver got.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReceiverFigures {
    /// Its name.
    pub name: String,
    /// Of all its subjects.
    pub counts: DeliveryCounts,
    /// What arrived that was not of this verifier's publishers, or not for this receiver.
    pub foreign: u64,
    /// From intended start to arrival, of each message that arrived, at its first arrival.
    pub delivery: Latency,
    /// By subject, in ascending order; empty when nothing has been published.
    pub subjects: Vec<SubjectDelivery>,
}

/// What one receiver got of one subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SubjectDelivery {
    /// As its publishers were given it.
    pub subject: String,
    /// How many publishers it has.
    pub publishers: u64,
    /// Of all of them.
    pub counts: DeliveryCounts,
}

impl AddAssign for DeliveryCounts {
    fn add_assign(&mut self, other: Self) {
        self.expected += other.expected;
        self.received += other.received;
        self.lost += other.lost;
        self.in_flight += other.in_flight;
        self.unconfirmed += other.unconfirmed;
        self.duplicates += other.duplicates;
        self.reordered += other.reordered;
    }
}

impl DeliveryCounts {
    fn of(published: &Published, receiver: &Received) -> Self {
        let seen = receiver.seen(published.number);
        let required = published.required();
        // After the sets are locked, so that neither has a message that is not counted here.
        let stamped = published.stamped.load(Ordering::Acquire);
        let settled = published.settled.load(Ordering::Acquire);
        let missing = required.missing_in(&seen.received, 0..stamped);
        let lost = required.missing_in(&seen.received, 0..settled);
        let received = seen.received.count();
        Self {
            expected: required.count(),
            received,
            lost,
            in_flight: missing - lost,
            unconfirmed: stamped.saturating_sub(received + missing),
            duplicates: seen.duplicates,
            reordered: seen.reordered,
        }
    }

    /// Returns the share of the expected messages that arrived, from 0 to 1; `None` when none was expected.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "53 bits are more than a share needs")]
    pub fn delivered_share(&self) -> Option<f64> {
        let missing = self.lost + self.in_flight;
        (self.expected > 0).then(|| self.expected.saturating_sub(missing) as f64 / self.expected as f64)
    }
}

impl ReceiverFigures {
    fn of(verifier: &Verifier, receiver: &Received) -> Self {
        let mut subjects = BTreeMap::<&str, SubjectDelivery>::new();
        let mut total = DeliveryCounts::default();
        for published in verifier.shared.publishers().filter(|published| receiver.expects(published)) {
            let counts = DeliveryCounts::of(published, receiver);
            let subject = subjects.entry(&published.subject).or_insert_with(|| SubjectDelivery {
                subject: published.subject.clone(),
                publishers: 0,
                counts: DeliveryCounts::default(),
            });
            subject.publishers += 1;
            subject.counts += counts;
            total += counts;
        }
        let mut delivery = Counts::new();
        receiver.delivery.add_to(&mut delivery);
        Self {
            name: receiver.name.clone(),
            counts: total,
            foreign: receiver.foreign.load(Ordering::Relaxed),
            delivery: Latency::of(&delivery),
            subjects: subjects.into_values().collect(),
        }
    }
}

impl Verifier {
    /// Returns what has been found so far. What is missing is in flight until [`settled`](Self::settled) has given up on it.
    #[must_use]
    pub fn verification(&self) -> Verification {
        let _ours = crate::memory::ours();
        let receivers = self.shared.receivers().clone();
        let receivers: Vec<_> = receivers.iter().map(|one| ReceiverFigures::of(self, one)).collect();
        let sum = |count: fn(&Published) -> u64| self.shared.publishers().map(|one| count(one)).sum();
        let mut total = DeliveryCounts::default();
        receivers.iter().for_each(|receiver| total += receiver.counts);
        Verification {
            acknowledged: self.shared.acknowledged,
            stamped: sum(|published| published.stamped.load(Ordering::Acquire)),
            sent: sum(|published| published.sent.load(Ordering::Relaxed)),
            confirmed: sum(|published| published.confirmed.load(Ordering::Relaxed)),
            total,
            receivers,
        }
    }
}

impl Verification {
    /// Returns whether only acknowledged messages had to arrive: whether it is that of a [`Verifier::acknowledged`].
    #[must_use]
    pub fn is_acknowledged(&self) -> bool {
        self.acknowledged
    }

    /// Returns how many messages were stamped, whatever became of them.
    #[must_use]
    pub fn stamped(&self) -> u64 {
        self.stamped
    }

    /// Returns how many messages were said to be sent, or confirmed.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// Returns how many messages were said to be confirmed.
    #[must_use]
    pub fn confirmed(&self) -> u64 {
        self.confirmed
    }

    /// Returns the sums over all receivers: with two of them, each message counts twice.
    #[must_use]
    pub fn total(&self) -> &DeliveryCounts {
        &self.total
    }

    /// Returns how many messages arrived, each counted once for each receiver.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.total.received
    }

    /// Returns how many messages should have arrived and did not, once [`Verifier::settled`] has given up on them.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.total.lost
    }

    /// Returns how many messages should arrive and have not, and were not given up on.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        self.total.in_flight
    }

    /// Returns how many messages did not arrive and need not have: publishing them failed, or was never confirmed.
    #[must_use]
    pub fn unconfirmed(&self) -> u64 {
        self.total.unconfirmed
    }

    /// Returns how often a message arrived again.
    #[must_use]
    pub fn duplicates(&self) -> u64 {
        self.total.duplicates
    }

    /// Returns how many messages arrived after a later one of the same publisher.
    #[must_use]
    pub fn reordered(&self) -> u64 {
        self.total.reordered
    }

    /// Returns what share of the expected messages arrived, from 0 to 1; `None` when none was expected.
    #[must_use]
    pub fn delivered_share(&self) -> Option<f64> {
        self.total.delivered_share()
    }

    /// Returns the receivers, in the order in which they were made; empty without one.
    #[must_use]
    pub fn receivers(&self) -> &[ReceiverFigures] {
        &self.receivers
    }

    /// Returns the figures of one receiver, by its name.
    #[must_use]
    pub fn receiver(&self, name: &str) -> Option<&ReceiverFigures> {
        self.receivers.iter().find(|receiver| receiver.name == name)
    }

    /// Checks that every message arrived that must: `Ok` when some had to and none is missing.
    ///
    /// # Errors
    ///
    /// [`Failed`](LoadErrorKind::Failed) when a message is lost, and when none had to arrive, so that nothing was verified;
    /// [`Inconclusive`](LoadErrorKind::Inconclusive) when some are still in flight, which is when
    /// [`Verifier::settled`] was not waited for.
    pub fn nothing_lost(&self) -> Result<(), LoadError> {
        let DeliveryCounts { expected, lost, in_flight, .. } = self.total;
        let (kind, what) = match (expected, lost, in_flight) {
            (0, ..) => (LoadErrorKind::Failed, self.nothing_verified()),
            (_, 0, 0) => return Ok(()),
            (_, 0, _) => (
                LoadErrorKind::Inconclusive,
                format!(
                    "{} of {} messages are still in flight (wait for `Verifier::settled` before the check)",
                    text::count(in_flight),
                    text::count(expected)
                ),
            ),
            _ => (
                LoadErrorKind::Failed,
                format!("{} of {} messages were lost\n{self}", text::count(lost), text::count(expected)),
            ),
        };
        Err(LoadError::new(kind, what))
    }

    fn nothing_verified(&self) -> String {
        let cause = match (self.receivers.is_empty(), self.acknowledged) {
            (true, _) => "there is no receiver: `Verifier::receiver` makes one",
            (_, true) => "no message was confirmed: `Receipt::confirm` says so",
            (_, false) => "no message was sent: `Receipt::sent` says so",
        };
        format!("nothing was verified ({cause})")
    }

    /// Checks that every message arrived that must, none of them twice, and each publisher's in order.
    ///
    /// # Errors
    ///
    /// As [`nothing_lost`](Self::nothing_lost), and [`Failed`](LoadErrorKind::Failed) when a message came again or late.
    pub fn exactly_once_in_order(&self) -> Result<(), LoadError> {
        self.nothing_lost()?;
        let DeliveryCounts { duplicates, reordered, .. } = self.total;
        if duplicates + reordered == 0 {
            return Ok(());
        }
        let [again, late] = [duplicates, reordered].map(text::count);
        let what = format!("messages came {again} times again, and {late} came after a later one\n{self}");
        Err(LoadError::new(LoadErrorKind::Failed, what))
    }

    /// Asserts [`nothing_lost`](Self::nothing_lost).
    ///
    /// # Panics
    ///
    /// When it is not so, with the table.
    #[track_caller]
    pub fn assert_nothing_lost(&self) {
        if let Err(error) = self.nothing_lost() {
            panic!("{error}");
        }
    }

    /// Asserts [`exactly_once_in_order`](Self::exactly_once_in_order).
    ///
    /// # Panics
    ///
    /// When it is not so, with the table.
    #[track_caller]
    pub fn assert_exactly_once_in_order(&self) {
        if let Err(error) = self.exactly_once_in_order() {
            panic!("{error}");
        }
    }
}
