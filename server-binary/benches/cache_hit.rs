//! How long `Acquire::run` takes when the cache has the version: the budget is 100 µs.
//!
//! `cargo bench -p isolated-nats-server-binary` fills the default cache first if it has to, which needs a source.
#![expect(clippy::print_stdout, reason = "this is a report")]

use std::{error::Error, time::Instant};

use isolated_nats_server_binary::{Acquire, Source};

const ROUNDS: usize = 20_000;

fn main() -> Result<(), Box<dyn Error>> {
    Acquire::from_env()?.run()?;
    let hits = [
        ("exact version", Acquire::new().sources([Source::Cache])),
        ("line of versions", Acquire::new().sources([Source::Cache]).version("2")),
    ];
    for (name, acquire) in hits {
        let mut times = Vec::with_capacity(ROUNDS);
        for _ in 0..ROUNDS {
            let start = Instant::now();
            let server = acquire.run()?;
            times.push(start.elapsed());
            assert_eq!(server.source, Source::Cache);
        }
        times.sort_unstable();
        let (median, p99, max) = (times[ROUNDS / 2], times[ROUNDS / 100 * 99], times[ROUNDS - 1]);
        println!("{name}: median {median:?}, p99 {p99:?}, max {max:?}");
    }
    Ok(())
}
