//! Names that are made once, and drawn for each operation.

use std::sync::Arc;

use async_nats::Subject;

use super::popularity::Popularity;
use super::random::mix;
use crate::load::OperationContext;

/// So that what is drawn here has nothing to do with what the generator draws from the same number.
const SALT: u64 = 0x7375_626a_6563_7473;

/// One subject, or several that are drawn.
#[derive(Clone, Debug)]
pub(super) struct Subjects {
    names: Arc<[Subject]>,
    popularity: Popularity,
}

impl Subjects {
    pub(super) fn one(subject: String) -> Self {
        Self { names: [Subject::from(subject)].into(), popularity: Popularity::uniform(1) }
    }

    /// `<subject>.0`, `<subject>.1` and so on.
    pub(super) fn spread(&self, popularity: Popularity) -> Self {
        let base = &self.names[0];
        let names = (0..popularity.count()).map(|number| Subject::from(format!("{base}.{number}")));
        Self { names: names.collect(), popularity }
    }

    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// The number of the subject for message number `message` of an operation.
    pub(super) fn pick(&self, context: &OperationContext, message: u64) -> usize {
        if self.names.len() == 1 { 0 } else { self.popularity.pick(drawn(context, message)) }
    }

    pub(super) fn get(&self, index: usize) -> &Subject {
        &self.names[index]
    }
}

/// Keys, drawn for each operation.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    names: Arc<[String]>,
    popularity: Popularity,
}

impl Keys {
    pub(super) fn new(popularity: Popularity) -> Self {
        Self { names: (0..popularity.count()).map(key_name).collect(), popularity }
    }

    pub(super) fn pick(&self, context: &OperationContext) -> &str {
        &self.names[self.popularity.pick(drawn(context, 0))]
    }
}

/// The name of key number `number`, for operations and seeders alike.
pub(super) fn key_name(number: usize) -> String {
    format!("key.{number}")
}

fn drawn(context: &OperationContext, message: u64) -> u64 {
    mix(context.random() ^ mix(SALT ^ message))
}
