//! What is asked of the judges, and the tables.

use isolated_nats_benches::Error;
use isolated_nats_benches::table::Table;

use crate::arguments::Arguments;
use crate::series::{Leak, NOISE_BYTES, Shape};
use crate::tally::{Cell, Tally, resolved};

const ROUNDS: [usize; 3] = [30, 100, 600];

/// Sizes around what can be seen in so many rounds, and one far above.
const LEAKS: [[f64; 5]; 3] =
    [[16.0, 32.0, 64.0, 256.0, 1_024.0], [4.0, 8.0, 16.0, 32.0, 256.0], [0.5, 1.0, 2.0, 4.0, 16.0]];

/// A ceiling, and the leaks judged against it as shares of it.
const CEILING: f64 = 256.0;
const OF_CEILING: [f64; 4] = [0.5, 1.0, 1.5, 2.0];

pub(crate) const NOTES: &str = "\
fail, pass, inconcl.: the crate's verdicts in %; the interval is Wilson's 95 % for fail. least squares: % of series whose
slope is above the ceiling by 1.96 standard errors. last-first: % whose last figure is above the first by more than the
ceiling for each round. The two have no third answer: what does not fail passes.
";

/// All tables on synthetic series, in the order of the output.
pub(crate) fn synthetic(arguments: &Arguments) -> Result<Vec<Table>, Error> {
    let mut tables = Vec::new();
    for rounds in ROUNDS {
        tables.push(false_alarms(rounds, arguments)?);
    }
    for (rounds, leaks) in ROUNDS.into_iter().zip(LEAKS) {
        tables.push(power(rounds, leaks, arguments)?);
    }
    tables.push(at_a_ceiling(arguments)?);
    tables.push(rounds_to_tell(arguments)?);
    Ok(tables)
}

fn false_alarms(rounds: usize, arguments: &Arguments) -> Result<Table, Error> {
    let title =
        format!("no leak, {rounds} rounds, ceiling 0, noise {NOISE_BYTES} bytes: each fail is a false alarm");
    let mut table = Table::new(&title, &header(["series"]));
    for shape in Shape::ALL {
        let cell = Cell { shape, leak: Leak::EachRound, bytes_per_round: 0.0, rounds, ceiling: 0.0 };
        table.row(row([shape.name().to_owned()], cell, arguments)?);
    }
    Ok(table)
}

fn power(rounds: usize, leaks: [f64; 5], arguments: &Arguments) -> Result<Table, Error> {
    let title = format!("a leak, {rounds} rounds, ceiling 0, noise {NOISE_BYTES} bytes: each fail is a find");
    let mut table = Table::new(&title, &header(["series", "leak", "B/round", "of noise"]));
    let kinds = [
        (Shape::White, Leak::EachRound),
        (Shape::MostlyKept, Leak::EachRound),
        (Shape::Spiky, Leak::EachRound),
        (Shape::Sawtooth, Leak::EachRound),
        (Shape::White, Leak::AtRandom),
        (Shape::White, Leak::InBatches),
        (Shape::White, Leak::Table),
    ];
    for (shape, leak) in kinds {
        for bytes_per_round in leaks {
            let cell = Cell { shape, leak, bytes_per_round, rounds, ceiling: 0.0 };
            let of_noise = bytes_per_round / NOISE_BYTES;
            let names = [
                shape.name().to_owned(),
                leak.name().to_owned(),
                bytes_per_round.to_string(),
                format!("{of_noise:.3}"),
            ];
            table.row(row(names, cell, arguments)?);
        }
    }
    Ok(table)
}

fn at_a_ceiling(arguments: &Arguments) -> Result<Table, Error> {
    let title =
        format!("a leak each round beside a ceiling of {CEILING} bytes per round, noise {NOISE_BYTES} bytes");
    let mut table = Table::new(&title, &header(["series", "rounds", "B/round"]));
    for shape in [Shape::White, Shape::MostlyKept, Shape::Sawtooth] {
        for rounds in ROUNDS {
            for share in OF_CEILING {
                let bytes_per_round = share * CEILING;
                let cell = Cell { shape, leak: Leak::EachRound, bytes_per_round, rounds, ceiling: CEILING };
                let names = [shape.name().to_owned(), rounds.to_string(), bytes_per_round.to_string()];
                table.row(row(names, cell, arguments)?);
            }
        }
    }
    Ok(table)
}

fn rounds_to_tell(arguments: &Arguments) -> Result<Table, Error> {
    let title =
        "inconclusive series, and new ones with as many rounds as were said to tell (at most 500 trials)";
    let header = ["series", "rounds", "B/round", "inconcl.", "rounds said", "then told %"];
    let mut table = Table::new(title, &header);
    for shape in [Shape::White, Shape::MostlyKept, Shape::Sawtooth, Shape::OneJump] {
        for (rounds, bytes_per_round) in [(30, 0.0), (30, 32.0), (100, 0.0), (100, 16.0)] {
            let cell = Cell { shape, leak: Leak::EachRound, bytes_per_round, rounds, ceiling: 0.0 };
            let (asked, told, median) = resolved(cell, arguments.trials.min(500), arguments.seed)?;
            let share = if asked == 0 {
                "-".to_owned()
            } else {
                format!("{:.0}", 100.0 * told as f64 / asked as f64)
            };
            let said = median.map_or_else(|| "-".to_owned(), |rounds| rounds.to_string());
            let names = [shape.name().to_owned(), rounds.to_string(), bytes_per_round.to_string()];
            table.row(names.into_iter().chain([asked.to_string(), said, share]).collect());
        }
    }
    Ok(table)
}

fn header<const N: usize>(names: [&'static str; N]) -> Vec<&'static str> {
    let columns = ["fail %", "95 %", "pass %", "inconcl. %", "least squares %", "last-first %"];
    names.into_iter().chain(columns).collect()
}

fn row<const N: usize>(names: [String; N], cell: Cell, arguments: &Arguments) -> Result<Vec<String>, Error> {
    let tally = Tally::of(cell, arguments.trials, arguments.seed)?;
    Ok(names.into_iter().chain(tally.columns()).collect())
}
