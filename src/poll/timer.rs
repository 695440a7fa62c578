//! Delays that belong to no runtime: a paused tokio clock neither delays them nor is moved by them, and they need no
//! time driver. One thread serves all delays of the process; it starts with the first and never ends.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::memory;

/// When an entry is due, and a number that tells entries due at the same time apart.
type Key = (Instant, u64);

#[derive(Default)]
struct Waiting {
    wakers: BTreeMap<Key, Waker>,
    last: u64,
}

#[derive(Default)]
struct Timer {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

impl Timer {
    fn global() -> &'static Self {
        static TIMER: OnceLock<&'static Timer> = OnceLock::new();
        TIMER.get_or_init(|| {
            let _ours = memory::ours();
            let timer: &'static Self = Box::leak(Box::default());
            std::thread::Builder::new()
                .name("isolated-nats timer".into())
                .spawn(|| timer.serve())
                .expect("a thread can be started");
            timer
        })
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self) {
        let mut waiting = self.lock();
        loop {
            let now = Instant::now();
            let due = match waiting.wakers.first_entry() {
                Some(entry) if entry.key().0 <= now => Ok(entry.remove()),
                Some(entry) => Err(Some(entry.key().0 - now)),
                None => Err(None),
            };
            waiting = match due {
                Ok(waker) => {
                    drop(waiting); // a waker may drop a task, and with it another delay
                    waker.wake();
                    self.lock()
                }
                Err(Some(rest)) => {
                    self.changed.wait_timeout(waiting, rest).unwrap_or_else(PoisonError::into_inner).0
                }
                Err(None) => self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    fn add(&self, at: Instant, waker: Waker) -> Key {
        let mut waiting = self.lock();
        waiting.last += 1;
        let key = (at, waiting.last);
        waiting.wakers.insert(key, waker);
        self.changed.notify_one();
        key
    }

    fn remove(&self, key: Key) {
        let waker = self.lock().wakers.remove(&key);
        drop(waker); // outside the lock, for the same reason as above
    }
}

/// Completes at a point in time; see [`delay`].
#[derive(Debug)]
pub(crate) struct Delay {
    at: Option<Instant>,
    entry: Option<Key>,
}

/// Returns a future that completes `duration` from now; one too long to be counted never does.
pub(crate) fn delay(duration: Duration) -> Delay {
    Delay { at: Instant::now().checked_add(duration), entry: None }
}

impl Future for Delay {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let _ours = memory::ours(); // a wait must not show in what the test is measured by
        if let Some(entry) = self.entry.take() {
            Timer::global().remove(entry);
        }
        match self.at {
            Some(at) if at <= Instant::now() => Poll::Ready(()),
            Some(at) => {
                self.entry = Some(Timer::global().add(at, context.waker().clone()));
                Poll::Pending
            }
            None => Poll::Pending,
        }
    }
}

impl Drop for Delay {
    fn drop(&mut self) {
        if let Some(entry) = self.entry.take() {
            Timer::global().remove(entry);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_delay_neither_waits_for_nor_moves_a_paused_clock() {
        let virtual_start = tokio::time::Instant::now();
        let start = Instant::now();
        delay(Duration::from_millis(20)).await;
        assert!(start.elapsed() >= Duration::from_millis(20));
        assert_eq!(tokio::time::Instant::now(), virtual_start);
    }

    #[tokio::test]
    async fn delays_end_in_the_order_of_their_lengths() {
        let order = Mutex::new(Vec::new());
        let note = async |length: u64| {
            delay(Duration::from_millis(length)).await;
            order.lock().unwrap().push(length);
        };
        tokio::join!(note(60), note(5), note(30));
        assert_eq!(*order.lock().unwrap(), [5, 30, 60]);
    }

    #[tokio::test]
    async fn a_dropped_delay_leaves_no_entry() {
        let mut long = Box::pin(delay(Duration::from_secs(3600)));
        let key = std::future::poll_fn(|context| {
            assert!(long.as_mut().poll(context).is_pending());
            Poll::Ready(long.entry.expect("registered by the poll"))
        })
        .await;
        drop(long);
        assert!(!Timer::global().lock().wakers.contains_key(&key));
    }
}
