//! What goes on beside the operations: events, and workers that leave and join.

use std::future::poll_fn;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::{Event, Run};
use crate::load::engine::shared::Shared;
use crate::load::engine::worker::caught;
use crate::load::error::chain;
use crate::load::figures::LoadEvent;
use crate::memory;
use crate::poll::delay;

impl Run {
    /// Starts what goes on beside the operations: events, and workers that leave and join.
    pub(super) fn start_beside(&mut self, from: Instant) -> JoinSet<()> {
        let _ours = memory::ours();
        let mut beside = JoinSet::new();
        let events = std::mem::take(&mut self.setting.events);
        self.happened.lock().unwrap_or_else(PoisonError::into_inner).extend(events.iter().map(not_begun));
        for (at, event) in events.into_iter().enumerate() {
            beside.spawn(happen(at, event, from, Arc::clone(&self.happened)));
        }
        if let Some(every) = self.setting.churn {
            beside.spawn(churn(Arc::clone(&self.shared), every));
        }
        beside
    }

    /// Waits for events that have begun, and ends the rest.
    pub(super) async fn end_beside(&mut self, beside: &mut JoinSet<()>) {
        let under_way = || {
            let happened = self.happened.lock().unwrap_or_else(PoisonError::into_inner);
            happened.iter().any(|event| event.took == UNDER_WAY)
        };
        let limit = Instant::now() + self.setting.stop_timeout;
        while under_way() && Instant::now() < limit {
            delay(Duration::from_millis(2)).await;
        }
        beside.shutdown().await;
    }
}

/// How long an event takes that has not ended.
pub(super) const UNDER_WAY: Duration = Duration::MAX;

/// What is reported of an event for which the run ended too soon.
fn not_begun(event: &Event) -> LoadEvent {
    let error = Some("was not begun: the run ended before it".into());
    LoadEvent { name: event.name.clone(), at: event.at, took: Duration::ZERO, error }
}

async fn happen(at: usize, event: Event, from: Instant, happened: Arc<Mutex<Vec<LoadEvent>>>) {
    delay(event.at.saturating_sub(from.elapsed())).await;
    let begun = Instant::now();
    let under_way = LoadEvent {
        name: event.name,
        at: begun.saturating_duration_since(from),
        took: UNDER_WAY,
        error: None,
    };
    happened.lock().unwrap_or_else(PoisonError::into_inner)[at] = under_way;
    let act = event.act.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut acting = Box::pin(async move { act().await });
    let result = poll_fn(|context| caught(|| acting.as_mut().poll(context))).await;
    let result = result.unwrap_or_else(|panic| Err(panic.into()));
    let mut happened = happened.lock().unwrap_or_else(PoisonError::into_inner);
    happened[at].took = begun.elapsed();
    happened[at].error = result.err().map(|error| chain(error.as_ref()));
}

/// Lets one worker after the other leave.
async fn churn(shared: Arc<Shared>, every: Duration) {
    for seat in shared.source.seats().iter().cycle() {
        delay(every).await;
        if seat.ready.load(Relaxed) {
            seat.leave.store(true, Relaxed);
            seat.wake();
        }
    }
}
