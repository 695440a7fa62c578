//! What do the workers cost in memory? Run with `cargo run --release --example memory_benchmark`; `-- --help` has the options.
//!
//! Each configuration is measured in a process of its own, several times, in an order that is shuffled anew for each repeat.
//!
//! | module | what it does |
//! | --- | --- |
//! | `arguments`, `near` | the command line |
//! | `cell`, `plan`, `order` | what is measured, in which order, and what a child is told |
//! | `runner`, `progress` | children, one at a time, and how far they are |
//! | `child`, `measure`, `leaks`, `application` | what a child does |
//! | `records`, `analysis`, `fit` | what was measured, and what it comes to |
//! | `compare` | saved runs |
//! | `report`, `table`, `plot` | the outputs |

mod analysis;
#[path = "../../support/answering.rs"]
mod answering;
mod application;
mod arguments;
mod cell;
mod child;
mod compare;
mod fit;
mod leaks;
mod measure;
mod near;
mod order;
mod plan;
mod plot;
mod progress;
mod records;
mod report;
mod runner;
mod table;

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Instant;

use isolated_nats::{ExternalNats, TrackingAllocator};

use arguments::{Arguments, Asked};
use cell::Cell;
use compare::Saved;
use order::{Answer, Order};
use plan::Plan;
use progress::Progress;
use records::Records;
use report::{LeakCheck, Report};

#[global_allocator]
static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();

/// Trouble with the environment; bad usage (`EX_USAGE` of sysexits.h).
const TROUBLE: u8 = 3;
const USAGE: u8 = 64;

fn main() -> ExitCode {
    match arguments::parse(std::env::args().skip(1)) {
        Ok(Asked::Help) => {
            say(arguments::HELP).map_or_else(|why| failed(&why, TROUBLE), |()| ExitCode::SUCCESS)
        }
        Ok(Asked::Child(order)) => child::run(&order),
        Ok(Asked::Run(arguments)) => run(&arguments).unwrap_or_else(|why| failed(&why, TROUBLE)),
        Err(why) => failed(&why, USAGE),
    }
}

fn failed(why: &str, code: u8) -> ExitCode {
    eprintln!("memory_benchmark: {why}");
    code.into()
}

/// Writes to the standard output; a reader that has gone, such as `head`, has read what it wants.
fn say(text: &str) -> Result<(), String> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(format!("the report cannot be printed: {error}"))
        }
        _ => Ok(()),
    }
}

/// What would be in vain after minutes is refused before.
fn prepare(arguments: &Arguments) -> Result<Option<Saved>, String> {
    arguments.save.as_deref().map_or(Ok(()), compare::check_name)?;
    arguments.report_file.as_deref().map_or(Ok(()), report::check_path)?;
    let saved = arguments.compare.as_deref().map(Saved::load).transpose()?;
    // The first server of a machine is fetched here, and takes no child's time.
    let nats = ExternalNats::start_blocking();
    drop(nats.map_err(|error| format!("there is no server to measure with: {error:?}"))?);
    Ok(saved)
}

fn run(arguments: &Arguments) -> Result<ExitCode, String> {
    let plan = Plan::of(arguments);
    eprintln!("{}", plan.announcement());
    let saved = prepare(arguments)?;
    let mut run = Run::new(&plan);
    run.measure();
    let leaks = run.seek_leaks();
    run.progress.clear();
    let (records, failures) = (run.records.into_records(), run.failures);
    let compared = saved.zip(arguments.compare.clone());
    let compared = compared.map(|(saved, name)| (name, saved.compare(&records)));
    let saved =
        arguments.save.as_ref().filter(|_| failures.is_empty()).map(|name| compare::save(name, &records));
    let report = Report::new(plan, records, leaks, compared, failures);
    say(&report.text())?;
    let mut files = arguments.report_file.as_deref().map_or(Ok(Vec::new()), |path| report.write(path))?;
    files.extend(saved.transpose()?);
    say(&files.iter().map(|file| format!("{}\n", file.display())).collect::<String>())?;
    Ok(report.exit_code().into())
}

/// The children of a run, and what they say.
struct Run<'a> {
    plan: &'a Plan,
    progress: Progress,
    records: Records,
    /// Which children failed, and why.
    failures: Vec<(Cell, String)>,
}

impl<'a> Run<'a> {
    fn new(plan: &'a Plan) -> Self {
        let children = plan.orders().len() + usize::from(plan.leak_check().is_some());
        let progress = Progress::new(plan.expected(), children);
        Self { plan, progress, records: Records::default(), failures: Vec::new() }
    }

    fn measure(&mut self) {
        for order in self.plan.orders() {
            if let Some(Answer::Measured(one)) = self.ask(&order) {
                self.records.add(self.plan, order.cell, *one);
            }
        }
    }

    /// `None` where the check is left out, or failed, which is among the failures then.
    fn seek_leaks(&mut self) -> Option<LeakCheck> {
        let order = self.plan.leak_check()?;
        let Some(Answer::Leaks(places)) = self.ask(&order) else { return None };
        Some(LeakCheck { cell: order.cell, places })
    }

    /// What a child answers; a child that fails is noted, and the others go on.
    fn ask(&mut self, order: &Order) -> Option<Answer> {
        let begun = Instant::now();
        let answer = runner::run(order, || self.progress.tick(order, begun.elapsed()));
        self.progress.next(order, begun.elapsed());
        answer.map_err(|why| self.failures.push((order.cell, why))).ok()
    }
}
