//! What is written into a payload, and what became of its message.

use async_nats::Subject;
use bytes::Bytes;

use crate::load::{OperationContext, Publisher, Receipt, Verifier};

/// What payloads carry.
#[derive(Clone, Debug, Default)]
pub(super) enum Stamps {
    /// Nothing of ours: they are not copied.
    #[default]
    None,
    /// When the operation was due.
    Delivery,
    /// That, and numbers for the verifier.
    Verified(Verifier),
}

impl Stamps {
    /// A payload without a number.
    pub(super) fn unnumbered(&self, context: &OperationContext) -> Bytes {
        match self {
            Self::None => context.payload_bytes(),
            Self::Delivery | Self::Verified(_) => context.stamped_payload(),
        }
    }
}

/// A worker's publishers, one for each subject that it has published on.
#[derive(Debug)]
pub(super) struct Publishers(Vec<Option<Publisher>>);

impl Publishers {
    pub(super) fn new(stamps: &Stamps, subjects: usize) -> Self {
        let subjects = if matches!(stamps, Stamps::Verified(_)) { subjects } else { 0 };
        Self((0..subjects).map(|_| None).collect())
    }

    /// The payload for a message on subject number `index`, and what is to be told of it.
    pub(super) fn payload(
        &mut self,
        stamps: &Stamps,
        subject: &Subject,
        index: usize,
        context: &OperationContext,
    ) -> (Bytes, Mark) {
        let Stamps::Verified(verifier) = stamps else { return (stamps.unnumbered(context), Mark(None)) };
        let publisher = self.0[index].get_or_insert_with(|| verifier.publisher(subject.as_str()));
        let (payload, receipt) = publisher.stamp_due(context.payload(), context.intended_start());
        (payload, Mark(Some(receipt)))
    }
}

/// A receipt, if there is a verifier.
#[derive(Debug)]
pub(super) struct Mark(Option<Receipt>);

impl Mark {
    /// The client has it. It may be lost on its way, and a receipt that hears no more of an ack says so.
    pub(super) fn sent(&mut self) {
        if let Some(receipt) = &mut self.0 {
            receipt.sent();
        }
    }

    /// The server has it.
    pub(super) fn confirmed(self) {
        if let Some(receipt) = self.0 {
            receipt.confirm();
        }
    }

    /// It was not sent, or its ack did not come.
    pub(super) fn failed(self) {
        if let Some(receipt) = self.0 {
            receipt.failed();
        }
    }
}
