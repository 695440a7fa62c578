//! The verdict on real loops: the live heap of this process, counted by the tracking allocator.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hint::black_box;

use isolated_nats::{GrowthReport, GrowthVerdict, MemoryProbe};
use isolated_nats_benches::Error;
use isolated_nats_benches::stats::wilson;
use isolated_nats_benches::table::Table;
use tokio::runtime::{Builder, Runtime};

use crate::arguments::Arguments;

const ROUNDS: [usize; 3] = [30, 100, 600];
/// Loops are slower than synthetic series.
const TRIALS_OF: usize = 40;
const MOST_TRIALS: usize = 50;

/// One kind of work, which leaves so many bytes behind each round.
struct Work {
    name: &'static str,
    leak: usize,
    run: fn(&Runtime, usize, &RefCell<Kept>) -> Result<GrowthReport, Error>,
}

/// What a loop keeps; dropped after its trial.
#[derive(Default)]
struct Kept {
    blocks: Vec<Vec<u8>>,
    table: HashMap<usize, u64>,
    round: usize,
}

const WORK: [Work; 8] = [
    Work { name: "text, on one thread", leak: 0, run: |_, rounds, kept| text(rounds, 0, kept) },
    Work { name: "text, on one thread", leak: 32, run: |_, rounds, kept| text(rounds, 32, kept) },
    Work { name: "a table of 1000 keys", leak: 0, run: |_, rounds, kept| table(rounds, 1000, kept) },
    Work { name: "a table of 20 keys", leak: 0, run: |_, rounds, kept| table(rounds, 20, kept) },
    Work {
        name: "tasks on two workers",
        leak: 0,
        run: |runtime, rounds, kept| tasks(runtime, rounds, 0, kept),
    },
    Work {
        name: "tasks on two workers",
        leak: 64,
        run: |runtime, rounds, kept| tasks(runtime, rounds, 64, kept),
    },
    Work {
        name: "tasks on two workers",
        leak: 1024,
        run: |runtime, rounds, kept| tasks(runtime, rounds, 1024, kept),
    },
    Work { name: "threads that end", leak: 0, run: |_, rounds, kept| threads(rounds, kept) },
];

/// The table of measured rounds.
pub(crate) fn table_of(arguments: &Arguments) -> Result<Table, Error> {
    let trials = (arguments.trials / TRIALS_OF).clamp(5, MOST_TRIALS);
    let title = format!("real loops, ceiling 0, {trials} trials: each fail without a leak is a false alarm");
    let mut table = Table::new(
        &title,
        &["work", "rounds", "B/round", "fail %", "95 %", "pass %", "inconcl. %", "said B/round"],
    );
    let runtime = Builder::new_multi_thread().worker_threads(2).build()?;
    for work in &WORK {
        for rounds in ROUNDS {
            table.row(row(work, rounds, trials, &runtime)?);
        }
    }
    Ok(table)
}

fn row(work: &Work, rounds: usize, trials: usize, runtime: &Runtime) -> Result<Vec<String>, Error> {
    let (mut fail, mut pass, mut said) = (0, 0, Vec::new());
    for _ in 0..trials {
        let kept = RefCell::new(Kept { blocks: Vec::with_capacity(rounds), ..Kept::default() });
        let report = (work.run)(runtime, rounds, &kept)?;
        match report.verdict(0.0) {
            GrowthVerdict::Fail => fail += 1,
            GrowthVerdict::Pass => pass += 1,
            _ => {}
        }
        said.push(report.bytes_per_round);
    }
    said.sort_by(f64::total_cmp);
    let share = |count: usize| format!("{:.0}", 100.0 * count as f64 / trials as f64);
    let (low, high) = wilson(fail, trials);
    Ok(vec![
        work.name.to_owned(),
        rounds.to_string(),
        work.leak.to_string(),
        share(fail),
        format!("{:.0}-{:.0}", 100.0 * low, 100.0 * high),
        share(pass),
        share(trials - fail - pass),
        format!("{:.1}", said[said.len() / 2]),
    ])
}

fn keep(kept: &RefCell<Kept>, bytes: usize) {
    if bytes > 0 {
        kept.borrow_mut().blocks.push(vec![1; bytes]);
    }
}

fn text(rounds: usize, leak: usize, kept: &RefCell<Kept>) -> Result<GrowthReport, Error> {
    Ok(MemoryProbe::growth_blocking(rounds, || {
        let lines: Vec<String> = (0..20).map(|line| format!("{line}: {}", "x".repeat(line))).collect();
        black_box(lines);
        keep(kept, leak);
    })?)
}

fn table(rounds: usize, keys: usize, kept: &RefCell<Kept>) -> Result<GrowthReport, Error> {
    Ok(MemoryProbe::growth_blocking(rounds, || {
        let kept = &mut *kept.borrow_mut();
        for _ in 0..3 {
            kept.round += 1;
            *kept.table.entry(kept.round % keys).or_default() += 1;
        }
    })?)
}

fn tasks(runtime: &Runtime, rounds: usize, leak: usize, kept: &RefCell<Kept>) -> Result<GrowthReport, Error> {
    let report = runtime.block_on(MemoryProbe::growth(rounds, async || {
        let tasks: Vec<_> = (0..4).map(|task| tokio::spawn(async move { vec![task; 500] })).collect();
        for task in tasks {
            black_box(task.await.ok());
        }
        let blocking = tokio::task::spawn_blocking(|| vec![1_u8; 3000]);
        black_box(blocking.await.ok());
        keep(kept, leak);
    }));
    Ok(report?)
}

fn threads(rounds: usize, _: &RefCell<Kept>) -> Result<GrowthReport, Error> {
    Ok(MemoryProbe::growth_blocking(rounds, || {
        let threads: Vec<_> = (0..2).map(|_| std::thread::spawn(|| vec![1_u8; 2000])).collect();
        threads.into_iter().for_each(|thread| drop(thread.join()));
    })?)
}
