//! Live bytes after each round, with and without a leak.

use isolated_nats_benches::random::Random;

/// The standard deviation of the noise, in bytes: threads that are ending, channels that have grown.
pub(crate) const NOISE_BYTES: f64 = 200.0;

/// What happens to live bytes beside a leak. Times are shares of the rounds, drawn anew for each series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Nothing at all.
    Constant,
    /// Independent normal noise.
    White,
    /// Noise of which each value keeps half of the one before.
    HalfKept,
    /// Noise of which each value keeps 0.9 of the one before.
    MostlyKept,
    /// Ramps of 10 noises that end in a drop, of 4 rounds to 1/8 of the rounds.
    Sawtooth,
    /// The same, of 1/8 to 1/3 of the rounds.
    SlowSawtooth,
    /// 50 noises approached exponentially, with a time constant of 1/60 to 1/15.
    WarmUp,
    /// The same, of 1/8 to 1/3.
    SlowWarmUp,
    /// 50 noises reached in a line, after 1/4 to 3/4, and then no more.
    Filling,
    /// In 8 % of the rounds a spike of 20 noises in the mean.
    Spiky,
    /// 5 jumps in the mean, up or down, of 5 noises.
    RandomJumps,
    /// One jump up of 20 noises.
    OneJump,
    /// A jump of 20 noises each time the rounds have doubled, as records of random sizes come.
    Records,
    /// A table that doubles until 1/10 to 4/5 of the rounds, of 40 bytes for each round so far.
    TableThatStops,
}

/// How a leak leaves its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leak {
    /// The same in each round.
    EachRound,
    /// Five times as many in one of five rounds, at random.
    AtRandom,
    /// All at once, 12 to 30 times in the series.
    InBatches,
    /// A table that keeps an entry of each round, and doubles.
    Table,
}

impl Shape {
    pub(crate) const ALL: [Self; 14] = [
        Self::Constant,
        Self::White,
        Self::HalfKept,
        Self::MostlyKept,
        Self::Sawtooth,
        Self::SlowSawtooth,
        Self::WarmUp,
        Self::SlowWarmUp,
        Self::Filling,
        Self::Spiky,
        Self::RandomJumps,
        Self::OneJump,
        Self::Records,
        Self::TableThatStops,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::White => "white noise",
            Self::HalfKept => "AR(1) noise, 0.5",
            Self::MostlyKept => "AR(1) noise, 0.9",
            Self::Sawtooth => "sawtooth",
            Self::SlowSawtooth => "slow sawtooth",
            Self::WarmUp => "warm-up",
            Self::SlowWarmUp => "slow warm-up",
            Self::Filling => "cache that fills up",
            Self::Spiky => "spikes",
            Self::RandomJumps => "random jumps",
            Self::OneJump => "one jump",
            Self::Records => "log-spaced jumps",
            Self::TableThatStops => "table that stops doubling",
        }
    }

    /// Bytes after each round, without a leak.
    fn bytes(self, rounds: usize, random: &mut Random) -> Vec<f64> {
        match self {
            Self::Constant => vec![0.0; rounds],
            Self::HalfKept => kept_noise(rounds, 0.5, random),
            Self::MostlyKept => kept_noise(rounds, 0.9, random),
            _ => {
                let curve = self.curve(rounds, random);
                curve.into_iter().map(|bytes| bytes + NOISE_BYTES * random.normal()).collect()
            }
        }
    }

    /// What is below the white noise.
    fn curve(self, rounds: usize, random: &mut Random) -> Vec<f64> {
        let all = rounds as f64;
        match self {
            Self::Sawtooth => sawtooth(rounds, between(random, 4.0, all / 8.0), random),
            Self::SlowSawtooth => sawtooth(rounds, between(random, all / 8.0, all / 3.0), random),
            Self::WarmUp => approach(rounds, between(random, all / 60.0, all / 15.0)),
            Self::SlowWarmUp => approach(rounds, between(random, all / 8.0, all / 3.0)),
            Self::Filling => {
                let full = between(random, all / 4.0, all * 3.0 / 4.0);
                each(rounds, |round| 50.0 * NOISE_BYTES * (round / full).min(1.0))
            }
            Self::Spiky => each(rounds, |_| if random.unit() < 0.08 { spike(random) } else { 0.0 }),
            Self::RandomJumps => random_jumps(rounds, random),
            Self::OneJump => {
                let at = between(random, 0.05 * all, 0.95 * all);
                each(rounds, |round| if round < at { 0.0 } else { 20.0 * NOISE_BYTES })
            }
            Self::Records => {
                let first = between(random, 1.0, 2.0);
                each(rounds, |round| 20.0 * NOISE_BYTES * ((round + 1.0) / first).log2().floor())
            }
            Self::TableThatStops => table(rounds, 40.0, between(random, all / 10.0, all * 4.0 / 5.0), random),
            _ => vec![0.0; rounds],
        }
    }
}

impl Leak {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::EachRound => "each round",
            Self::AtRandom => "1 of 5 rounds",
            Self::InBatches => "in batches",
            Self::Table => "table doubling",
        }
    }

    fn bytes(self, rounds: usize, bytes_per_round: f64, random: &mut Random) -> Vec<f64> {
        match self {
            Self::EachRound => each(rounds, |round| bytes_per_round * round),
            Self::AtRandom => {
                let mut live = 0.0;
                each(rounds, |_| {
                    live += if random.unit() < 0.2 { 5.0 * bytes_per_round } else { 0.0 };
                    live
                })
            }
            Self::InBatches => {
                let batch = (rounds as f64 / between(random, 12.0, 30.0)).round().max(1.0);
                each(rounds, |round| bytes_per_round * batch * (round / batch).floor())
            }
            Self::Table => table(rounds, bytes_per_round, f64::INFINITY, random),
        }
    }
}

/// Draws a series: the figure after each round.
pub(crate) fn draw(
    shape: Shape,
    leak: Leak,
    bytes_per_round: f64,
    rounds: usize,
    random: &mut Random,
) -> Vec<i64> {
    let below = shape.bytes(rounds, random);
    let leaked = leak.bytes(rounds, bytes_per_round, random);
    below.into_iter().zip(leaked).map(|(below, leaked)| (below + leaked).round() as i64).collect()
}

fn each(rounds: usize, mut bytes: impl FnMut(f64) -> f64) -> Vec<f64> {
    (0..rounds).map(|round| bytes(round as f64)).collect()
}

fn between(random: &mut Random, low: f64, high: f64) -> f64 {
    low + (high - low) * random.unit()
}

fn kept_noise(rounds: usize, kept: f64, random: &mut Random) -> Vec<f64> {
    let mut noise = random.normal();
    each(rounds, |_| {
        noise = kept * noise + (1.0 - kept * kept).sqrt() * random.normal();
        NOISE_BYTES * noise
    })
}

fn sawtooth(rounds: usize, period: f64, random: &mut Random) -> Vec<f64> {
    let phase = random.unit();
    each(rounds, |round| 10.0 * NOISE_BYTES * (round / period + phase).fract())
}

fn approach(rounds: usize, time_constant: f64) -> Vec<f64> {
    each(rounds, |round| 50.0 * NOISE_BYTES * (1.0 - (-round / time_constant).exp()))
}

fn spike(random: &mut Random) -> f64 {
    -20.0 * NOISE_BYTES * (1.0 - random.unit()).ln()
}

fn random_jumps(rounds: usize, random: &mut Random) -> Vec<f64> {
    let mut live = 0.0;
    each(rounds, |_| {
        if random.unit() < 5.0 / rounds as f64 {
            live += 5.0 * NOISE_BYTES * random.normal();
        }
        live
    })
}

/// A table whose capacity is the greatest of powers of two, times a first size, below the rounds so far.
fn table(rounds: usize, bytes_per_entry: f64, last: f64, random: &mut Random) -> Vec<f64> {
    let first = between(random, 1.0, 2.0);
    each(rounds, |round| bytes_per_entry * first * ((round + 1.0).min(last) / first).log2().floor().exp2())
}
