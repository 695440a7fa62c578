//! One of each kind in each round, in an order shuffled anew, so that noise hits all alike.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use isolated_nats_benches::random::Random;
use isolated_nats_benches::{Error, machine};

use crate::arguments::Arguments;
use crate::lab::{Flavor, Heap, Lab};

/// No further round is begun after this, so that the whole ends within three minutes on a slow machine too.
const LONGEST: Duration = Duration::from_secs(160);
/// Starts of ten, those from a large heap, and fetches, are made in every so many rounds: they take long, and few are enough.
const TENS_EVERY: usize = 5;
const FETCHES_EVERY: usize = 10;

/// Who starts a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    Floor,
    Blocking,
    Async,
    Testkit,
}

/// What one run of one kind does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Start(Way, Flavor),
    /// A core server from a process with a large heap: the floor's or `start_blocking`'s.
    StartWithHeap(Way),
    DropWithStream,
    CacheHit,
    ColdFetch,
    TenFloors,
    TenCached,
    TenCold,
}

/// What a sample is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Series {
    Of(Kind),
    /// The end of a server that a start of this kind has started.
    DropAfter(Way, Flavor),
}

/// Every sample, in seconds, by the round in which it was taken.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    samples: BTreeMap<Series, BTreeMap<usize, f64>>,
    pub(crate) machine: String,
    pub(crate) server: String,
    pub(crate) archive_bytes: usize,
    pub(crate) rounds: usize,
    pub(crate) took: Duration,
}

impl Measured {
    /// The samples of a series in the order of the rounds; empty when there are none.
    pub(crate) fn seconds(&self, series: Series) -> Vec<f64> {
        self.samples.get(&series).into_iter().flat_map(BTreeMap::values).copied().collect()
    }

    /// One series over another, round by round, for the rounds that have both.
    pub(crate) fn ratios(&self, over: Series, under: Series) -> Vec<f64> {
        let (Some(over), Some(under)) = (self.samples.get(&over), self.samples.get(&under)) else {
            return Vec::new();
        };
        over.iter().filter_map(|(round, seconds)| Some(seconds / under.get(round)?)).collect()
    }

    fn add(&mut self, series: Series, round: usize, time: Duration) {
        self.samples.entry(series).or_default().insert(round, time.as_secs_f64());
    }
}

pub(crate) fn run(arguments: &Arguments, scratch: &Path) -> Result<Measured, Error> {
    let machine = machine::describe(); // before any load of our own
    let started = Instant::now();
    let mut lab = Lab::new(scratch)?;
    let mut random = Random::new(arguments.seed);
    // Once for nothing: first calls start threads, sweep and fill the system's caches.
    let mut unused = Measured::default();
    one_round(&mut lab, 1, &mut random, &mut unused)?;
    let server = format!("{} (got from {:?})", lab.binary.version, lab.binary.origin);
    let mut measured =
        Measured { machine, server, archive_bytes: lab.mirror.archive_bytes(), ..Measured::default() };
    while measured.rounds < arguments.rounds && started.elapsed() < LONGEST {
        one_round(&mut lab, measured.rounds, &mut random, &mut measured)?;
        measured.rounds += 1;
    }
    measured.took = started.elapsed();
    Ok(measured)
}

fn one_round(lab: &mut Lab, round: usize, random: &mut Random, measured: &mut Measured) -> Result<(), Error> {
    let mut kinds = kinds(round);
    random.shuffle(&mut kinds);
    for kind in kinds {
        let one = one(lab, kind, round, measured);
        one.map_err(|error| format!("{kind:?} in round {round}: {}", chain(&*error)))?;
    }
    Ok(())
}

fn kinds(round: usize) -> Vec<Kind> {
    let mut kinds = vec![Kind::DropWithStream, Kind::CacheHit];
    for way in [Way::Floor, Way::Blocking, Way::Async, Way::Testkit] {
        kinds.extend([Kind::Start(way, Flavor::Core), Kind::Start(way, Flavor::JetStream)]);
    }
    if round.is_multiple_of(TENS_EVERY) {
        kinds.extend([Kind::StartWithHeap(Way::Floor), Kind::StartWithHeap(Way::Blocking)]);
        kinds.extend([Kind::TenFloors, Kind::TenCached]);
    }
    if round.is_multiple_of(FETCHES_EVERY) {
        kinds.extend([Kind::ColdFetch, Kind::TenCold]);
    }
    kinds
}

fn one(lab: &mut Lab, kind: Kind, round: usize, measured: &mut Measured) -> Result<(), Error> {
    let time = match kind {
        Kind::Start(way, flavor) => {
            let times = match way {
                Way::Floor => lab.floor(flavor, Heap::AsItIs),
                Way::Blocking => lab.blocking(flavor, Heap::AsItIs),
                Way::Async => lab.asynchronous(flavor),
                Way::Testkit => lab.testkit(flavor),
            }?;
            if let Some(time) = times.drop {
                measured.add(Series::DropAfter(way, flavor), round, time);
            }
            times.start
        }
        Kind::StartWithHeap(Way::Floor) => lab.floor(Flavor::Core, Heap::Large)?.start,
        Kind::StartWithHeap(_) => lab.blocking(Flavor::Core, Heap::Large)?.start,
        Kind::DropWithStream => lab.drop_with_stream()?,
        Kind::CacheHit => lab.cache_hit()?,
        Kind::ColdFetch => lab.cold_fetch()?,
        Kind::TenFloors => lab.ten_floors()?,
        Kind::TenCached => lab.ten_cached()?,
        Kind::TenCold => lab.ten_cold()?,
    };
    measured.add(Series::Of(kind), round, time);
    Ok(())
}

fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
