//! Programs that spawn and join tasks that do nothing: the dearest case, since a task that does something costs more itself.

use std::collections::BTreeMap;

use isolated_nats_benches::Error;
use isolated_nats_benches::apart::{Programs, numbers};
use isolated_nats_benches::random::Random;

use crate::arguments::Arguments;

pub(crate) const FLAVORS: [&str; 2] = ["current_thread", "multi_thread"];
const TASKS: &str = "10000";

/// Name, program, guard; the first is what the others are compared with.
pub(crate) const ENTRIES: [(&str, &str, &str); 3] = [
    ("System", "allocator-system", "-"),
    ("TrackingAllocator, no guard alive", "allocator-isolated-nats", "-"),
    ("TrackingAllocator, a LeakGuard alive", "allocator-isolated-nats", "leak-guard"),
];

/// Nanoseconds for each task, by entry and flavor, and by round.
pub(crate) type Spawns = BTreeMap<(usize, usize), Vec<f64>>;

pub(crate) fn build(unoptimised: bool) -> Result<Programs, Error> {
    Programs::build(&["allocator-system", "allocator-isolated-nats"], unoptimised)
}

pub(crate) fn measure(
    programs: &Programs,
    arguments: &Arguments,
    random: &mut Random,
) -> Result<Spawns, Error> {
    let mut measured = Spawns::new();
    for _ in 0..arguments.spawn_rounds {
        for (flavor, name) in FLAVORS.into_iter().enumerate() {
            let mut turn: Vec<usize> = (0..ENTRIES.len()).collect();
            random.shuffle(&mut turn);
            for number in turn {
                let (_, program, guard) = ENTRIES[number];
                let answer = numbers(&programs.run(program, &["spawns", name, TASKS, guard])?)?;
                let each = *answer.first().ok_or("a program answered nothing")?;
                measured.entry((number, flavor)).or_default().push(each);
            }
        }
    }
    Ok(measured)
}
