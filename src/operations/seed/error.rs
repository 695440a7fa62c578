//! Why something could not be made.

use std::error::Error;
use std::fmt;

use crate::load::OperationError;
use crate::server::write_chain;

/// Why a [`Seeder`](super::Seeder) could not make something; its source is the client's own error.
///
/// `Debug` prints the whole chain as a sentence.
pub struct SeedError {
    kind: SeedErrorKind,
    name: String,
    source: OperationError,
}

/// What could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SeedErrorKind {
    /// A stream: is JetStream on, is the name allowed, does another stream have its subjects?
    Stream,
    /// A consumer of a stream.
    Consumer,
    /// A message: does the stream that is there take `<stream>.0`, is the payload too large, is the stream full?
    Message,
    /// A key-value bucket or an object store.
    Bucket,
    /// A key.
    Key,
    /// An object.
    Object,
}

impl SeedError {
    pub(super) fn new(
        kind: SeedErrorKind,
        name: impl Into<String>,
        source: impl Into<OperationError>,
    ) -> Self {
        Self { kind, name: name.into(), source: source.into() }
    }

    /// Returns what could not be made.
    #[must_use]
    pub fn kind(&self) -> SeedErrorKind {
        self.kind
    }

    /// Returns the name of what could not be made; of a message, its stream's.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for SeedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match self.kind {
            SeedErrorKind::Stream => write!(f, "cannot make the stream `{name}`"),
            SeedErrorKind::Consumer => write!(f, "cannot make the consumer `{name}`"),
            SeedErrorKind::Message => write!(f, "cannot publish into the stream `{name}`"),
            SeedErrorKind::Bucket => write!(f, "cannot make the bucket `{name}`"),
            SeedErrorKind::Key => write!(f, "cannot create the key `{name}`"),
            SeedErrorKind::Object => write!(f, "cannot put the object `{name}`"),
        }
    }
}

impl fmt::Debug for SeedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_chain(self, f)
    }
}

impl Error for SeedError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}
