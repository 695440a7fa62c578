//! The tables, and the budget beside what was measured.

use std::fmt::Write as _;

use isolated_nats_benches::random::Random;
use isolated_nats_benches::stats::{Estimate, median};
use isolated_nats_benches::table::Table;

use crate::loops::Took;
use crate::rounds::{Measured, Round};

/// Of the throughput of the plain loop.
const BUDGET: f64 = 0.97;

pub(crate) const NOTES: &str = "\
Everybody runs the same operations on one server in one run; in each round, each case has a slice of each runner in an order
shuffled anew, and then the same backwards. A ratio is of both slices of one runner over both of another in one round; shown
are the median of all rounds and its 95 % bootstrap interval.
plain: one task for each worker; two clocks around each operation, recorded into an hdrhistogram of two digits that is the
task's own. bare: the same without clocks. ours: `closed_count`, a `Workload`. Publishing ends with a round trip, so that
the server has all of it. The responder has a thread and a connection of its own. Stream and bucket are in memory.
nats bench: a process of its own in each round, with its own connection for each client; its own clock. Its latency of
`pub` is that of filling a buffer.
";

pub(crate) fn tables(measured: &Measured, random: &mut Random) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{}", throughput(measured, random));
    let _ = writeln!(text, "{}", latency(measured));
    for (case, why) in &measured.peer_failed {
        let _ = writeln!(text, "nats bench, {}: not measured: {why}", case.name());
    }
    text
}

fn throughput(measured: &Measured, random: &mut Random) -> Table {
    let header = [
        "",
        "n",
        "plain/s",
        "ours x plain",
        "95 % interval",
        "budget",
        "",
        "ns more",
        "ours x bare",
        "plain x bare",
        "nats bench x plain",
    ];
    let mut table = Table::new("throughput, closed loop", &header);
    for (case, rounds) in &measured.rounds {
        let over = |over: fn(&Round) -> [Took; 2], under: fn(&Round) -> [Took; 2]| -> Vec<f64> {
            rounds.iter().map(|round| seconds(under(round)) / seconds(over(round))).collect()
        };
        let ratios = over(|round| round.ours, |round| round.plain);
        let each: Vec<f64> =
            rounds.iter().flat_map(|round| round.plain).map(|took| took.per_second).collect();
        let mut row = vec![case.name(), rounds.len().to_string(), figure(median(&each), 0)];
        row.extend(judged(&ratios, random));
        let more: Vec<f64> = rounds.iter().map(nanoseconds_more).collect();
        row.push(figure(median(&more), 0));
        row.push(figure(median(&over(|round| round.ours, |round| round.bare)), 3));
        row.push(figure(median(&over(|round| round.plain, |round| round.bare)), 3));
        let peer =
            rounds.iter().filter_map(|round| Some(round.peer?.per_second * seconds(round.plain) / 2.0));
        row.push(figure(median(&peer.collect::<Vec<_>>()), 2));
        table.row(row);
    }
    table
}

fn latency(measured: &Measured) -> Table {
    let header = [
        "",
        "operations",
        "plain p50",
        "ours p50",
        "plain p99",
        "ours p99",
        "nats bench p50",
        "nats bench p99",
    ];
    let mut table = Table::new("latency, µs (medians of the slices' percentiles)", &header);
    for (case, rounds) in &measured.rounds {
        let of = |figures: fn(&Round) -> Vec<Took>, which: fn((f64, f64)) -> f64| {
            let latencies = rounds.iter().flat_map(figures).filter_map(|took| took.latency);
            figure(median(&latencies.map(which).collect::<Vec<_>>()), 1)
        };
        let (plain, ours): (fn(&Round) -> Vec<Took>, fn(&Round) -> Vec<Took>) =
            (|round| round.plain.to_vec(), |round| round.ours.to_vec());
        let peer: fn(&Round) -> Vec<Took> = |round| round.peer.into_iter().collect();
        table.row(vec![
            case.name(),
            measured.operations[case].to_string(),
            of(plain, |(p50, _)| p50),
            of(ours, |(p50, _)| p50),
            of(plain, |(_, p99)| p99),
            of(ours, |(_, p99)| p99),
            of(peer, |(p50, _)| p50),
            of(peer, |(_, p99)| p99),
        ]);
    }
    table
}

/// For an operation in each of both slices.
fn seconds(both: [Took; 2]) -> f64 {
    both.iter().map(|took| 1.0 / took.per_second).sum()
}

/// What an operation takes longer than in the plain loop, by the throughput.
fn nanoseconds_more(round: &Round) -> f64 {
    (seconds(round.ours) - seconds(round.plain)) / 2.0 * 1e9
}

/// Median, interval, budget and verdict.
fn judged(ratios: &[f64], random: &mut Random) -> Vec<String> {
    let Some(Estimate { median, low, high }) = Estimate::of(ratios, random) else {
        return vec![no(), String::new(), BUDGET.to_string(), String::new()];
    };
    vec![
        format!("{median:.3}"),
        format!("{low:.3} to {high:.3}"),
        BUDGET.to_string(),
        verdict(median, low, high),
    ]
}

fn verdict(median: f64, low: f64, high: f64) -> String {
    let word = if median >= BUDGET { "PASS" } else { "MISSED" };
    let straddles = low < BUDGET && high >= BUDGET;
    if straddles { format!("{word}, interval straddles") } else { word.to_owned() }
}

fn figure(figure: Option<f64>, digits: usize) -> String {
    figure.map_or_else(no, |figure| format!("{figure:.digits$}"))
}

fn no() -> String {
    "not measured".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_says_when_the_interval_leaves_it_open() {
        assert_eq!(verdict(0.99, 0.975, 1.01), "PASS");
        assert_eq!(verdict(0.99, 0.96, 1.01), "PASS, interval straddles");
        assert_eq!(verdict(0.96, 0.95, 0.98), "MISSED, interval straddles");
        assert_eq!(verdict(0.96, 0.95, 0.965), "MISSED");
    }
}
