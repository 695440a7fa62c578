//! Says so when a check does not go on: a task that blocks its thread, and had no turn before, has it now.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use crate::evidence;
use crate::poll::{Delay, delay, scaled};

/// More than all that is waited for, one after the other.
const LIMIT: Duration = Duration::from_secs(15);

struct Alarm {
    test: String,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        evidence::print_uncaptured(&text(&self.test));
    }
}

fn text(test: &str) -> String {
    format!(
        "isolated-nats: the leak check of test `{test}` has not come to an end in {:.1?}: a task of its runtime blocks its thread \
         (use `.await`, or `spawn_blocking`)\n",
        scaled(LIMIT)
    )
}

/// Prints when the limit passes before this is dropped.
#[derive(Debug)]
#[must_use = "it is called off when it is dropped"]
pub(super) struct Stuck {
    _delay: Pin<Box<Delay>>,
}

impl Stuck {
    pub(super) fn watch(test: &str) -> Self {
        let mut delay = Box::pin(delay(scaled(LIMIT)));
        let waker = Waker::from(Arc::new(Alarm { test: test.to_owned() }));
        let _pending = delay.as_mut().poll(&mut Context::from_waker(&waker));
        Self { _delay: delay }
    }
}
