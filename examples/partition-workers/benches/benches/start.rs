//! How long a test waits for its server: from the call of `start_blocking` until clients can connect, and until it is gone.
//!
//! Run it with `cargo bench --manifest-path benches/Cargo.toml`, and with `-- --quick` for a look.

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use isolated_nats::{ExternalNats, ExternalNatsBuilder};

fn start(criterion: &mut Criterion) {
    // The first of a machine may be fetched; that is not what is measured.
    drop(started(ExternalNats::builder()));
    measure(criterion, "core", ExternalNats::builder);
    measure(criterion, "jetstream", || ExternalNats::builder().jetstream());
}

fn measure(criterion: &mut Criterion, name: &str, builder: impl Fn() -> ExternalNatsBuilder) {
    let mut group = criterion.benchmark_group(name);
    // One server at a time: criterion would otherwise keep those of a batch until its end.
    let batch = BatchSize::PerIteration;
    group.bench_function("start_blocking", |bencher| bencher.iter_batched(&builder, started, batch));
    group.bench_function("drop", |bencher| bencher.iter_batched(|| started(builder()), drop, batch));
    group.finish();
}

fn started(builder: ExternalNatsBuilder) -> ExternalNats {
    builder.start_blocking().unwrap_or_else(|error| panic!("{error:?}"))
}

criterion_group!(benches, start);
criterion_main!(benches);
