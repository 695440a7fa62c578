//! Public waits: bounded, without a fixed sleep, and able to say the last state they saw.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use super::{Deadline, delay, interval};

type BoxedAttempt<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>>;

/// A named condition for [`all_of`], [`any_of`] and [`in_sequence`].
pub struct Condition<'a> {
    name: String,
    attempt: Box<dyn FnMut() -> BoxedAttempt<'a> + Send + 'a>,
    last: String,
    tries: u64,
}

impl<'a> Condition<'a> {
    /// Makes a condition from a closure that answers `Ok` when it holds, and otherwise `Err` with the state it saw.
    pub fn new<C, F, S>(name: impl Into<String>, mut condition: C) -> Self
    where
        C: FnMut() -> F + Send + 'a,
        F: Future<Output = Result<(), S>> + Send + 'a,
        S: fmt::Display,
    {
        Self {
            name: name.into(),
            attempt: Box::new(move || {
                let attempt = condition();
                Box::pin(async move { attempt.await.map_err(|state| state.to_string()) })
            }),
            last: NO_STATE.into(),
            tries: 0,
        }
    }

    /// Tries once; a try that does not end by the deadline counts as not holding.
    async fn holds(&mut self, deadline: &Deadline) -> bool {
        self.tries += 1;
        match bounded(deadline, (self.attempt)()).await {
            Some(Ok(())) => return true,
            Some(Err(state)) => self.last = state,
            None => {}
        }
        false
    }

    fn error(&self, deadline: &Deadline) -> WaitError {
        WaitError {
            condition: self.name.clone(),
            elapsed: deadline.elapsed(),
            tries: self.tries,
            last_state: self.last.clone(),
        }
    }
}

impl fmt::Debug for Condition<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condition")
            .field("name", &self.name)
            .field("last", &self.last)
            .finish_non_exhaustive()
    }
}

const NO_STATE: &str = "none seen (the condition itself did not answer)";

/// A condition that did not hold within its limit.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WaitError {
    /// The condition's name, as it was given.
    pub condition: String,
    /// How long the wait lasted.
    pub elapsed: Duration,
    /// How often the condition was tried.
    pub tries: u64,
    /// What the condition said the last time it was asked.
    pub last_state: String,
}

impl fmt::Display for WaitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { condition, elapsed, tries, last_state } = self;
        write!(
            f,
            "`{condition}` did not hold within {elapsed:.1?} (tried {tries} times); last state: {last_state}"
        )
    }
}

impl fmt::Debug for WaitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for WaitError {}

/// Waits until a condition holds, and returns the value it holds with.
///
/// `condition` answers `Ok(value)` when it holds, and otherwise `Err(state)` with what it saw, which is shown if the
/// limit passes. It is tried at once, then each 0.5 ms for 50 ms, then at an interval that grows to 10 ms. The wait runs
/// on the system's monotonic clock, whatever tokio's clock does. `limit` is multiplied by [`time_factor`].
///
/// [`time_factor`]: crate::time_factor
///
/// # Errors
///
/// [`WaitError`] with the last state when the limit passes first, also when a single try takes that long.
///
/// A closure that changes what it captures must hand it into the future it returns; one that only looks, as in the
/// example, may borrow.
///
/// # Cancel safety
///
/// Dropping the future drops the try under way and leaves nothing behind.
///
/// # Examples
///
/// ```
/// # async fn example() -> Result<(), isolated_nats::WaitError> {
/// # use std::{sync::atomic::{AtomicU32, Ordering}, time::Duration};
/// let received = AtomicU32::new(3);
/// let count = isolated_nats::eventually("three messages arrived", Duration::from_secs(5), async || {
///     match received.load(Ordering::Relaxed) {
///         count @ 3.. => Ok(count),
///         count => Err(format!("{count} messages")),
///     }
/// })
/// .await?;
/// assert_eq!(count, 3);
/// # Ok(()) }
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(example()).unwrap();
/// ```
pub async fn eventually<T, S: fmt::Display, F: Future<Output = Result<T, S>>>(
    what: &str,
    limit: Duration,
    mut condition: impl FnMut() -> F,
) -> Result<T, WaitError> {
    let deadline = Deadline::after(limit);
    let mut tries = 0;
    let mut last_state = NO_STATE.to_owned();
    loop {
        tries += 1;
        match bounded(&deadline, condition()).await {
            Some(Ok(value)) => return Ok(value),
            Some(Err(state)) => last_state = state.to_string(),
            None => {}
        }
        if deadline.is_over() {
            return Err(WaitError { condition: what.into(), elapsed: deadline.elapsed(), tries, last_state });
        }
        delay(interval(deadline.elapsed()).min(deadline.remaining())).await;
    }
}

/// Waits until every condition holds in one and the same round.
///
/// # Errors
///
/// [`WaitError`] of the first condition that did not hold in the last round.
pub async fn all_of(
    limit: Duration,
    conditions: impl IntoIterator<Item = Condition<'_>>,
) -> Result<(), WaitError> {
    let mut conditions: Vec<_> = conditions.into_iter().collect();
    let deadline = Deadline::after(limit);
    loop {
        let mut failed = None;
        for condition in &mut conditions {
            if !condition.holds(&deadline).await && failed.is_none() {
                failed = Some(condition.error(&deadline));
            }
        }
        match failed {
            None => return Ok(()),
            Some(error) if deadline.is_over() => return Err(error),
            Some(_) => delay(interval(deadline.elapsed()).min(deadline.remaining())).await,
        }
    }
}

/// Waits until one of the conditions holds, and returns its index.
///
/// # Errors
///
/// [`WaitError`] of the last condition when none held; its `condition` joins all names with ` or `, and its
/// `last_state` all states with `; `. No condition at all is an error at once.
pub async fn any_of(
    limit: Duration,
    conditions: impl IntoIterator<Item = Condition<'_>>,
) -> Result<usize, WaitError> {
    let mut conditions: Vec<_> = conditions.into_iter().collect();
    let deadline = Deadline::after(limit);
    loop {
        for (index, condition) in conditions.iter_mut().enumerate() {
            if condition.holds(&deadline).await {
                return Ok(index);
            }
        }
        if deadline.is_over() || conditions.is_empty() {
            return Err(joined(&conditions, &deadline));
        }
        delay(interval(deadline.elapsed()).min(deadline.remaining())).await;
    }
}

fn joined(conditions: &[Condition<'_>], deadline: &Deadline) -> WaitError {
    let join = |part: for<'a> fn(&'a Condition<'_>) -> &'a str, by| {
        conditions.iter().map(part).collect::<Vec<_>>().join(by)
    };
    WaitError {
        condition: join(|condition| &condition.name, " or "),
        elapsed: deadline.elapsed(),
        tries: conditions.iter().map(|condition| condition.tries).max().unwrap_or(0),
        last_state: join(|condition| &condition.last, "; "),
    }
}

/// Waits until each condition has held, one after the other, within one limit for all.
///
/// # Errors
///
/// [`WaitError`] of the condition that did not hold; those after it were not tried.
pub async fn in_sequence(
    limit: Duration,
    conditions: impl IntoIterator<Item = Condition<'_>>,
) -> Result<(), WaitError> {
    let deadline = Deadline::after(limit);
    for mut condition in conditions {
        while !condition.holds(&deadline).await {
            if deadline.is_over() {
                return Err(condition.error(&deadline));
            }
            delay(interval(deadline.elapsed()).min(deadline.remaining())).await;
        }
    }
    Ok(())
}

/// The attempt's answer, or `None` when the deadline comes first; the attempt is polled first.
async fn bounded<T>(deadline: &Deadline, attempt: impl Future<Output = T>) -> Option<T> {
    let mut attempt = pin!(attempt);
    let mut over = pin!(delay(deadline.remaining()));
    std::future::poll_fn(|context| match attempt.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => over.as_mut().poll(context).map(|()| None),
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    const LONG: Duration = Duration::from_secs(30);
    const SHORT: Duration = Duration::from_millis(5);

    fn counts_to<'a>(name: &str, counter: &'a AtomicU32, goal: u32) -> Condition<'a> {
        Condition::new(name, move || async move {
            match counter.fetch_add(1, Ordering::Relaxed) + 1 {
                count if count >= goal => Ok(()),
                count => Err(format!("{count} of {goal}")),
            }
        })
    }

    fn never<'a>(name: &str) -> Condition<'a> {
        Condition::new(name, || async { Err("not yet") })
    }

    #[tokio::test]
    async fn a_condition_that_never_holds_says_its_last_state() {
        let error = eventually("a reply came", SHORT, async || Err::<(), _>("0 replies")).await.unwrap_err();
        assert!(error.tries >= 1);
        let text = error.to_string();
        assert!(text.starts_with("`a reply came` did not hold within "), "{text}");
        assert!(text.ends_with("; last state: 0 replies"), "{text}");
    }

    #[tokio::test]
    async fn a_condition_that_hangs_is_bounded_too() {
        let error =
            eventually("an answer", SHORT, async || std::future::pending::<Result<(), String>>().await).await;
        assert_eq!(error.unwrap_err().last_state, NO_STATE);
    }

    #[tokio::test]
    async fn all_waits_for_the_slowest_and_names_the_one_that_failed() {
        let (a, b) = (AtomicU32::new(0), AtomicU32::new(0));
        all_of(LONG, [counts_to("a", &a, 2), counts_to("b", &b, 5)]).await.unwrap();
        assert_eq!(b.load(Ordering::Relaxed), 5);
        let error = all_of(SHORT, [counts_to("a", &a, 1), never("never")]).await.unwrap_err();
        assert_eq!((error.condition.as_str(), error.last_state.as_str()), ("never", "not yet"));
    }

    #[tokio::test]
    async fn any_gives_the_index_of_the_first_that_held() {
        let a = AtomicU32::new(0);
        assert_eq!(any_of(LONG, [never("x"), counts_to("a", &a, 3)]).await, Ok(1));
        let error = any_of(SHORT, [never("x"), never("y")]).await.unwrap_err();
        assert_eq!((error.condition.as_str(), error.last_state.as_str()), ("x or y", "not yet; not yet"));
        assert_eq!(any_of(LONG, []).await.unwrap_err().tries, 0);
    }

    #[tokio::test]
    async fn a_sequence_tries_a_condition_only_after_the_one_before_it_held() {
        let (a, b) = (AtomicU32::new(0), AtomicU32::new(0));
        in_sequence(LONG, [counts_to("a", &a, 3), counts_to("b", &b, 1)]).await.unwrap();
        assert_eq!((a.load(Ordering::Relaxed), b.load(Ordering::Relaxed)), (3, 1));
        in_sequence(SHORT, [never("x"), counts_to("b", &b, 9)]).await.unwrap_err();
        assert_eq!(b.load(Ordering::Relaxed), 1);
    }
}
