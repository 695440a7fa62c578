//! Whether the library bears load for long, while workers join, leave and crash.
//!
//! For some seconds with every `cargo test`; for longer with a variable, which also shows the figures:
//!
//! ```text
//! PARTITION_WORKERS_SOAK=2h cargo test --release --test soak -- --nocapture
//! ```
//!
//! Every request is answered, by owners whose fences never go down, and neither the heap nor the tasks grow.

#[path = "../../support/answering.rs"]
mod answering;
mod asking;
mod churn;
#[path = "../support/crew.rs"]
mod crew;
mod judge;
mod leaking;
mod length;
mod soak;

use std::time::Duration;

use isolated_nats::{ExternalNats, TrackingAllocator, isolated_nats};

use answering::Answering;
use crew::Outcome;
use judge::Verdict;
use leaking::{Leaked, Leaking};
use soak::{PREFIX, Soak, Until};

#[global_allocator]
static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();

const SHORT: Duration = Duration::from_secs(4);
/// A length that is asked for is worth a larger group.
const LARGE: Soak = Soak { workers: 10, partitions: 100, crashes: true };
const SMALL: Soak = Soak { workers: 3, partitions: 24, crashes: true };

#[isolated_nats(jetstream, process)]
async fn nothing_grows_while_workers_come_and_go(nats: ExternalNats) -> Outcome {
    let asked_for = length::asked_for()?;
    let (soak, length) = asked_for.map_or((SMALL, SHORT), |length| (LARGE, length));
    println!("soaking for {length:?} ({} makes it longer, such as 2h)", length::VARIABLE);
    let soaked = soak.run(&nats, Until::Time(length), |client| Answering::new(client, PREFIX)).await?;
    println!("{soaked}");
    soaked.assert_all_answered();
    for judged in &soaked.judged {
        assert_ne!(judged.verdict, Verdict::Fails, "{judged}"); // a short run is rarely conclusive, and no reason to fail
    }
    Ok(())
}

#[isolated_nats(jetstream, process)]
async fn a_leak_is_found(nats: ExternalNats) -> Outcome {
    let leaked = Leaked::default();
    let soak = Soak { crashes: false, ..SMALL };
    let soaked = soak
        .run(&nats, Until::Rounds(40), |client| Leaking {
            handler: Answering::new(client, PREFIX),
            leaked: leaked.clone(),
        })
        .await?;
    println!("{soaked}");
    for judged in soaked.judged.iter().take(2) {
        assert_eq!(judged.verdict, Verdict::Fails, "{judged}");
    }
    Ok(())
}
