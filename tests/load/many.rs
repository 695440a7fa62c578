//! As many operations in flight as can be.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use isolated_nats::{LoadGenerator, Schedule};

#[tokio::test]
async fn as_many_in_flight_as_a_hundred_thousand() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counter, high) = (Arc::clone(&now), Arc::clone(&most));
    let open = Arc::new(tokio::sync::Notify::new());
    let report = LoadGenerator::builder()
        .schedule(Schedule::burst(100_000, Duration::from_millis(10), 1))
        .operation("meet", 1, move |_| {
            let (counter, high, open) = (Arc::clone(&counter), Arc::clone(&high), Arc::clone(&open));
            async move {
                let mut opened = std::pin::pin!(open.notified());
                opened.as_mut().enable();
                if high.fetch_max(counter.fetch_add(1, Relaxed) + 1, Relaxed) == 99_999 {
                    open.notify_waiters();
                } else {
                    opened.await;
                }
                Ok(())
            }
        })
        .max_in_flight(100_000)
        .stop_timeout(Duration::from_secs(60))
        .run()
        .await
        .unwrap();
    assert_eq!((report.count(), most.load(Relaxed)), (100_000, 100_000), "{:?}", report.counts());
}
