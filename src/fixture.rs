//! What a test function may take as an argument.

use std::error::Error;
use std::fmt;
use std::future::Future;

use crate::leak::LeakGuard;
use crate::memory::MemoryProbe;
use crate::server::{ExternalNats, write_chain};

/// What a test function may take as an argument of `#[isolated_nats]`.
///
/// All arguments of one test share one server; they are made in order and dropped in reverse order. Here it is for
/// [`ExternalNats`], `async_nats::Client`, `async_nats::jetstream::Context`, [`MemoryProbe`], [`LeakGuard`] and
/// [`TestName`]; give it to a type of your own, and tests take that.
///
/// # Examples
///
/// ```no_run
/// // `no_run`: a documentation test would fetch a server.
/// use isolated_nats::{FromTest, FromTestError, TestContext};
///
/// struct Orders {
///     stream: async_nats::jetstream::stream::Stream,
/// }
///
/// impl FromTest for Orders {
///     const JETSTREAM: bool = true;
///
///     async fn from_test(context: &TestContext) -> Result<Self, FromTestError> {
///         let jetstream = context.server().jetstream().await?;
///         let config = async_nats::jetstream::stream::Config { name: "ORDERS".into(), ..Default::default() };
///         let stream = jetstream.create_stream(config).await.map_err(FromTestError::new)?;
///         Ok(Self { stream })
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of a test",
    label = "no `FromTest`",
    note = "a test takes `ExternalNats`, `async_nats::Client`, `async_nats::jetstream::Context`, `MemoryProbe`, \
            `LeakGuard`, `TestName`, and types with `impl FromTest`, by value",
    note = "the client's types must be of the version that `isolated_nats::async_nats` re-exports"
)]
pub trait FromTest: Sized {
    /// Whether asking for this argument turns JetStream on. Default: no.
    const JETSTREAM: bool = false;

    /// Makes the argument, in the test's runtime, once the server is ready.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from being made; the test then fails with it, and its body is not run.
    fn from_test(context: &TestContext) -> impl Future<Output = Result<Self, FromTestError>> + Send;
}

/// What an argument of a test is made from.
#[derive(Debug)]
pub struct TestContext {
    test_name: String,
    server: ExternalNats,
}

impl TestContext {
    pub(crate) fn new(test_name: String, server: ExternalNats) -> Self {
        Self { test_name, server }
    }

    /// Returns the test's name as its runner shows it, such as `orders::are_kept`.
    #[must_use]
    pub fn test_name(&self) -> &str {
        &self.test_name
    }

    /// Returns the test's server.
    pub fn server(&self) -> &ExternalNats {
        &self.server
    }
}

/// The name of the running test, as its runner shows it: an argument for names of streams and subjects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestName(String);

impl TestName {
    /// Returns the name, such as `orders::are_kept`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TestName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromTest for ExternalNats {
    async fn from_test(context: &TestContext) -> Result<Self, FromTestError> {
        Ok(context.server.clone())
    }
}

impl FromTest for async_nats::Client {
    async fn from_test(context: &TestContext) -> Result<Self, FromTestError> {
        Ok(context.server.client().await?)
    }
}

impl FromTest for async_nats::jetstream::Context {
    const JETSTREAM: bool = true;

    async fn from_test(context: &TestContext) -> Result<Self, FromTestError> {
        Ok(context.server.jetstream().await?)
    }
}

/// A probe that has started, with the test's server among what it measures.
impl FromTest for MemoryProbe {
    async fn from_test(context: &TestContext) -> Result<Self, FromTestError> {
        Ok(Self::builder().server(&context.server).start())
    }
}

/// A guard that has started, with the test's server among what it looks at; it needs `guard.verify().await` at the end. For
/// allowances start one by [`LeakGuard::builder`] instead.
impl FromTest for LeakGuard {
    async fn from_test(context: &TestContext) -> Result<Self, FromTestError> {
        Ok(Self::builder().server(&context.server).start_flushed().await)
    }
}

impl FromTest for TestName {
    async fn from_test(context: &TestContext) -> Result<Self, FromTestError> {
        Ok(Self(context.test_name.clone()))
    }
}

/// Why an argument of a test could not be made.
pub struct FromTestError {
    argument: Option<&'static str>,
    cause: Box<dyn Error + Send + Sync>,
}

impl FromTestError {
    /// Wraps what kept the argument from being made: an error, or a text.
    pub fn new(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { argument: None, cause: cause.into() }
    }

    fn of(mut self, argument: &'static str) -> Self {
        self.argument.get_or_insert(argument);
        self
    }
}

impl fmt::Display for FromTestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.argument {
            Some(argument) => write!(f, "the argument `{argument}` could not be made"),
            None => f.write_str("an argument could not be made"),
        }
    }
}

impl fmt::Debug for FromTestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            let Self { argument, cause } = self;
            return f
                .debug_struct("FromTestError")
                .field("argument", argument)
                .field("cause", cause)
                .finish();
        }
        write_chain(self, f)
    }
}

impl Error for FromTestError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.cause)
    }
}

macro_rules! from {
    ($($error:ty),*) => { $(
        impl From<$error> for FromTestError {
            fn from(error: $error) -> Self {
                Self::new(error)
            }
        }
    )* };
}
from!(
    async_nats::ConnectError,
    crate::FaultError,
    crate::MonitorError,
    crate::StartError,
    crate::WaitError,
    Box<dyn Error + Send + Sync>
);

/// Makes one argument; called by the attribute's expansion.
#[doc(hidden)]
pub async fn argument<T: FromTest>(context: &TestContext, text: &'static str) -> Result<T, FromTestError> {
    T::from_test(context).await.map_err(|error| error.of(text))
}
