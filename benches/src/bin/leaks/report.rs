//! The tables, and the budgets beside what was measured.

use std::fmt::Write as _;

use isolated_nats_benches::random::Random;
use isolated_nats_benches::stats::{Estimate, Verdict, median, quantile};
use isolated_nats_benches::table::Table;

use crate::checks::{CHECKS, Check, SETTINGS, Sample, Setting};
use crate::spawns::{ENTRIES, FLAVORS, Spawns};

/// The median of a check that passes, in milliseconds, on one thread and on several.
const VERDICT_BUDGETS_MS: (f64, f64) = (3.0, 6.0);

pub(crate) const NOTES: &str = "\
Ratios: the median of the ratios within each round, with its 95 % bootstrap interval; a verdict needs the whole interval on
one side of the budget.
Checks: the body spawns and joins ten tasks; with a server it also connects, subscribes, publishes, flushes and drops. start
is the baseline; check is `check().await`, with all that it waits for; whole is all three with the body. By hand is
`num_alive_tasks` and yields until it is as before: it names no task, sees no blocking or local one, and asks no server.
Spawns: whole programs, one allocator each; 10 000 tasks that do nothing, spawned and joined one after the other, the median
of five batches after one for nothing.
";

pub(crate) fn checks(samples: &[Sample], random: &mut Random) -> String {
    let mut text = String::new();
    for setting in SETTINGS {
        let _ = writeln!(text, "{}", of_setting(samples, setting, random));
    }
    text
}

fn of_setting(samples: &[Sample], setting: Setting, random: &mut Random) -> Table {
    let (flavor, budget) = if setting.is_multi_thread {
        ("multi_thread", VERDICT_BUDGETS_MS.1)
    } else {
        ("current_thread", VERDICT_BUDGETS_MS.0)
    };
    let server = if setting.has_server { "with a server" } else { "without a server" };
    let header = [
        "",
        "n",
        "start",
        "check",
        "95 % interval",
        "p99",
        "budget",
        "",
        "whole",
        "whole x by hand",
        "95 % interval",
    ];
    let mut table = Table::new(&format!("a check that passes, {flavor}, {server}, ms"), &header);
    for check in CHECKS {
        let of = |figure: fn(&Sample) -> f64| -> Vec<f64> {
            let own = samples.iter().filter(|one| one.setting == setting && one.check == check);
            own.map(|one| figure(one) * 1e3).collect()
        };
        let mut row = vec![name(check).to_owned(), of(|one| one.whole).len().to_string()];
        if check == Check::None {
            row.extend(std::iter::repeat_n(String::new(), 6));
        } else {
            row.push(milliseconds(median(&of(|one| one.start))));
            let budget = (check == Check::Guard).then_some(budget);
            row.extend(judged(&of(|one| one.verdict), budget, random));
        }
        row.push(milliseconds(median(&of(|one| one.whole))));
        row.extend(ratio(&over_by_hand(samples, setting, check), random));
        table.row(row);
    }
    table
}

/// The whole of a check over that of the one by hand, round by round.
fn over_by_hand(samples: &[Sample], setting: Setting, check: Check) -> Vec<f64> {
    let of = |check| samples.iter().filter(move |one| one.setting == setting && one.check == check);
    of(check).zip(of(Check::ByHand)).map(|(one, by_hand)| one.whole / by_hand.whole).collect()
}

pub(crate) fn spawns(measured: &Spawns, unoptimised: bool, random: &mut Random) -> String {
    let mut text = String::new();
    let profile = if unoptimised { "opt-level 0" } else { "release" };
    for (flavor, name) in FLAVORS.into_iter().enumerate() {
        let title = format!("spawn and join, {name}, {profile}");
        let mut table = Table::new(&title, &["", "n", "µs each", "x System", "95 % interval"]);
        let of = |number| measured.get(&(number, flavor)).cloned().unwrap_or_default();
        let system = of(0);
        for (number, (name, ..)) in ENTRIES.into_iter().enumerate() {
            let own = of(number);
            let each = median(&own).map_or_else(no, |each| format!("{:.2}", each / 1e3));
            let mut row = vec![name.to_owned(), own.len().to_string(), each];
            if number > 0 {
                let ratios: Vec<f64> = own.iter().zip(&system).map(|(own, system)| own / system).collect();
                row.extend(ratio(&ratios, random));
            }
            table.row(row);
        }
        let _ = writeln!(text, "{table}");
    }
    text
}

fn name(check: Check) -> &'static str {
    match check {
        Check::None => "no check",
        Check::ByHand => "by hand",
        Check::Guard => "LeakGuard",
    }
}

/// Median, interval, p99, budget and verdict.
fn judged(samples: &[f64], budget: Option<f64>, random: &mut Random) -> Vec<String> {
    let Some(estimate) = Estimate::of(samples, random) else {
        return vec![no(), String::new(), String::new(), String::new(), String::new()];
    };
    let (limit, verdict) = budget.map_or_else(Default::default, |budget| {
        (format!("{budget:.0}"), word(estimate.judge(budget)).to_owned())
    });
    let Estimate { median, low, high } = estimate;
    let p99 = milliseconds(quantile(samples, 0.99));
    vec![format!("{median:.3}"), format!("{low:.3} to {high:.3}"), p99, limit, verdict]
}

fn ratio(ratios: &[f64], random: &mut Random) -> Vec<String> {
    Estimate::of(ratios, random).map_or_else(
        || vec![no(), String::new()],
        |Estimate { median, low, high }| vec![format!("{median:.2}"), format!("{low:.2} to {high:.2}")],
    )
}

fn milliseconds(figure: Option<f64>) -> String {
    figure.map_or_else(no, |figure| format!("{figure:.3}"))
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Within => "pass",
        Verdict::Over => "FAIL",
        Verdict::Inconclusive => "interval straddles",
    }
}

fn no() -> String {
    "not measured".to_owned()
}
