//! Counts the programs of `truth` by dhat, in a process of its own: started by `truth` with the name of one.

use isolated_nats_benches::Error;
use isolated_nats_benches::truth::exact::{Counted, PROGRAMS, warm_up};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

fn main() -> Result<(), Error> {
    let name = std::env::args().nth(1).unwrap_or_default();
    let (_, program) = PROGRAMS.iter().find(|(own, _)| *own == name).ok_or("no such program")?;
    warm_up();
    let _profiler = dhat::Profiler::builder().testing().build();
    let kept = program();
    let stats = dhat::HeapStats::get();
    drop(kept);
    let counted = Counted {
        total_blocks: stats.total_blocks,
        total_bytes: stats.total_bytes,
        current_blocks: stats.curr_blocks as u64,
        current_bytes: stats.curr_bytes as u64,
        max_bytes: stats.max_bytes as u64,
    };
    println!("{counted}");
    Ok(())
}
