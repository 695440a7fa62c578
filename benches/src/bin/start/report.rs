//! The tables. What was not measured says so; nothing is filled in.

use std::fmt::Write as _;

use isolated_nats_benches::random::Random;
use isolated_nats_benches::stats::{Estimate, Verdict, median, quantile};
use isolated_nats_benches::table::Table;

use crate::arguments::Arguments;
use crate::lab::{Flavor, HEAP_MB, MESSAGES, TOGETHER};
use crate::rounds::{Kind, Measured, Series, Way};

const START_BUDGET: f64 = 1.10;
const DROP_BUDGET_MS: f64 = 10.0;
const HIT_BUDGET_US: f64 = 100.0;

const NOTES: &str = "\
Ratios: the median of the ratios within each round, with its 95 % bootstrap interval; a verdict needs the whole interval on
one side of the budget.
The floor spawns with the same configuration, flags and environment in a directory made before its clock starts.
watermelon-testkit 0.1.0 differs: it logs debug and trace, polls each 10 ms, asks /healthz for a core server too, does not
tie the server to the test process, and does not check whose port it has found; its drop does not wait for the end of the
process (here its shutdown ends it, outside the clock), so that no drop of it is measured.
";

pub(crate) fn render(measured: &Measured, arguments: &Arguments) -> String {
    let mut random = Random::new(arguments.seed);
    let mut text = format!("machine: {}\nnats-server: {}\n", measured.machine, measured.server);
    let (rounds, asked, took) = (measured.rounds, arguments.rounds, measured.took.as_secs_f64());
    let _ = writeln!(text, "rounds: {rounds} of {asked} asked for, seed {}, {took:.0} s\n", arguments.seed);
    for flavor in [Flavor::Core, Flavor::JetStream] {
        let _ = writeln!(text, "{}", starts(measured, flavor, &mut random));
    }
    let _ = writeln!(text, "{}", starts_with_heap(measured, &mut random));
    let _ = writeln!(text, "{}", drops(measured, &mut random));
    let _ = writeln!(text, "{}", binaries(measured, &mut random));
    let _ = writeln!(text, "{}", tens(measured, &mut random));
    text + NOTES
}

fn starts(measured: &Measured, flavor: Flavor, random: &mut Random) -> Table {
    let title = format!("start to first PONG, {flavor:?}, ms");
    let header = ["", "n", "median", "p90", "x floor", "95 % interval", "budget 1.10"];
    let mut table = Table::new(&title, &header);
    let ways = [
        (Way::Floor, "floor: bare spawn-and-connect loop"),
        (Way::Blocking, "isolated-nats, start_blocking()"),
        (Way::Async, "isolated-nats, start().await"),
        (Way::Testkit, "watermelon-testkit 0.1.0"),
    ];
    let series = |way| Series::Of(Kind::Start(way, flavor));
    for (way, name) in ways {
        let mut row = figures(name, &measured.seconds(series(way)), 1e3);
        if way != Way::Floor {
            let ratios = measured.ratios(series(way), series(Way::Floor));
            row.extend(ratio(&ratios, (way != Way::Testkit).then_some(START_BUDGET), random));
        }
        table.row(row);
    }
    table
}

fn starts_with_heap(measured: &Measured, random: &mut Random) -> Table {
    let title = format!("start to first PONG, Core, from a process with {HEAP_MB} MB of heap in use, ms");
    let header = ["", "n", "median", "p90", "x floor", "95 % interval", "budget 1.10"];
    let mut table = Table::new(&title, &header);
    let series = |way| Series::Of(Kind::StartWithHeap(way));
    table.row(figures("floor: bare spawn-and-connect loop", &measured.seconds(series(Way::Floor)), 1e3));
    let mut row = figures("isolated-nats, start_blocking()", &measured.seconds(series(Way::Blocking)), 1e3);
    let ratios = measured.ratios(series(Way::Blocking), series(Way::Floor));
    row.extend(ratio(&ratios, Some(START_BUDGET), random));
    table.row(row);
    table
}

fn drops(measured: &Measured, random: &mut Random) -> Table {
    let header = ["", "n", "median", "p90", "max", "over 10", "median against 10"];
    let mut table = Table::new("drop of a server, ms", &header);
    let stream = format!("isolated-nats, JetStream, {MESSAGES} messages");
    let rows = [
        ("kill, wait, remove of the bare loop, core", vec![Series::DropAfter(Way::Floor, Flavor::Core)]),
        ("the same, JetStream, empty", vec![Series::DropAfter(Way::Floor, Flavor::JetStream)]),
        ("isolated-nats, core", ours(Flavor::Core)),
        ("isolated-nats, JetStream, empty", ours(Flavor::JetStream)),
        (&stream, vec![Series::Of(Kind::DropWithStream)]),
    ];
    for (name, series) in rows {
        let seconds: Vec<f64> = series.into_iter().flat_map(|series| measured.seconds(series)).collect();
        let mut row = figures(name, &seconds, 1e3);
        let limit = DROP_BUDGET_MS / 1e3;
        row.push(number(quantile(&seconds, 1.0), 1e3));
        row.push(seconds.iter().filter(|seconds| **seconds >= limit).count().to_string());
        row.push(verdict(&seconds, limit, random));
        table.row(row);
    }
    table
}

fn ours(flavor: Flavor) -> Vec<Series> {
    vec![Series::DropAfter(Way::Blocking, flavor), Series::DropAfter(Way::Async, flavor)]
}

fn binaries(measured: &Measured, random: &mut Random) -> Table {
    let mut table = Table::new(
        "getting the executable",
        &["", "n", "median", "p90", "unit", "median against the budget"],
    );
    let hits = measured.seconds(Series::Of(Kind::CacheHit));
    let mut row = figures("cache hit (medians of 21 in a row)", &hits, 1e6);
    row.extend(["µs".to_owned(), format!("{} (100 µs)", verdict(&hits, HIT_BUDGET_US / 1e6, random))]);
    table.row(row);
    let name = format!("cold fetch over loopback, {:.1} MB tar.gz", measured.archive_bytes as f64 / 1e6);
    let mut row = figures(&name, &measured.seconds(Series::Of(Kind::ColdFetch)), 1e3);
    row.extend(["ms".to_owned(), "no budget".to_owned()]);
    table.row(row);
    table
}

fn tens(measured: &Measured, random: &mut Random) -> Table {
    let title = format!("{TOGETHER} core servers from {TOGETHER} threads, until the last first PONG, ms");
    let mut table = Table::new(&title, &["", "n", "median", "p90", "x floor", "95 % interval", ""]);
    let rows = [
        (Kind::TenFloors, "floor: bare loops"),
        (Kind::TenCached, "isolated-nats, cached"),
        (Kind::TenCold, "isolated-nats, one empty cache, loopback"),
    ];
    for (kind, name) in rows {
        let mut row = figures(name, &measured.seconds(Series::Of(kind)), 1e3);
        if kind == Kind::TenCached {
            let ratios = measured.ratios(Series::Of(kind), Series::Of(Kind::TenFloors));
            row.extend(ratio(&ratios, None, random));
        }
        table.row(row);
    }
    table
}

/// A name, the count, the median and the 90th percentile.
fn figures(name: &str, seconds: &[f64], scale: f64) -> Vec<String> {
    let (middle, ninety) = (median(seconds), quantile(seconds, 0.9));
    vec![name.to_owned(), seconds.len().to_string(), number(middle, scale), number(ninety, scale)]
}

/// The median of ratios, its interval, and the verdict where there is a budget.
fn ratio(ratios: &[f64], budget: Option<f64>, random: &mut Random) -> Vec<String> {
    let Some(estimate) = Estimate::of(ratios, random) else {
        return vec!["not measured (fewer than two rounds)".to_owned()];
    };
    let Estimate { median, low, high } = estimate;
    let verdict = budget.map_or("no budget", |budget| word(estimate.judge(budget)));
    vec![format!("{median:.3}"), format!("{low:.3} to {high:.3}"), verdict.to_owned()]
}

fn verdict(samples: &[f64], limit: f64, random: &mut Random) -> String {
    let estimate = Estimate::of(samples, random);
    estimate.map_or("not measured", |estimate| word(estimate.judge(limit))).to_owned()
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Within => "within",
        Verdict::Over => "OVER",
        Verdict::Inconclusive => "inconclusive",
    }
}

fn number(value: Option<f64>, scale: f64) -> String {
    value.map_or_else(|| "not measured".to_owned(), |value| format!("{:.2}", value * scale))
}
