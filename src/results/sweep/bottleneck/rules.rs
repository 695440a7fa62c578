//! The rules, each for itself.

use super::super::figure::Figure;
use super::super::rung::Rung;
use super::super::window::Room;
use super::super::{Axis, BottleneckKind as Kind};
use super::{Case, Found, at};
use crate::results::stats;

/// A processor, a thread or a machine is busy from this share on.
const BUSY: f64 = 0.9;
/// So much may others use: of one processor, or of the machine where that is more; as of a load's validity.
const OTHERS: f64 = 0.2;
const OTHERS_OF_MACHINE: f64 = 0.05;
/// Storage is waited for from this share of the time on, with so many bytes per second moved.
const DISK_WAIT: f64 = 0.2;
const DISK_BYTES: f64 = 1024.0 * 1024.0;
const MEMORY: f64 = 0.5;
/// CPU time of an operation, against the first stable level.
const DEARER: f64 = 1.25;
/// Throughput, against the knee.
const FALLEN: f64 = 0.9;
/// Times of waiting, against those without.
const WAITING: f64 = 2.0;
/// Times above the knee, against those at first: twice the knee doubles them, with what a round trip takes in both.
const QUEUED: f64 = 1.5;
/// Below this, in seconds, waiting is nothing but timers.
const LEAST_WAIT: f64 = 0.001;
const UNFINISHED: f64 = 0.01;
/// Throughput times p50 may be off the level by so much.
const LITTLE: f64 = 0.2;
/// Client and server use less than this share of the machine: it is not the processors that are waited for.
const IDLE: f64 = 0.5;

type Rule = fn(&Case<'_>, &Rung) -> Option<Found>;

/// What operations or messages are lost to.
pub(super) const LOSSES: [Rule; 4] = [refused, slow_consumer, workers, drops];

/// The same, of a level at which most operations failed: what the errors say.
pub(super) const ERRORS: [Rule; 3] = [refused, workers, drops];

pub(super) const CAUSES: [Rule; 8] =
    [client_cpu, server_cpu, processors, other_processes, disk, memory, contention, queueing];

fn room(rung: &Rung) -> Room {
    rung.windows.first().map(|window| window.room.clone()).unwrap_or_default()
}

fn text(figure: Figure, value: f64) -> String {
    figure.unit().text(value)
}

/// Processors in use by all processes together, and of how many.
fn machine(rung: &Rung) -> Option<(f64, f64)> {
    let cores = room(rung).machine_cores?;
    Some((ours(rung)? + rung.median(Figure::OtherCores)?, cores))
}

/// Processors in use by client and server.
fn ours(rung: &Rung) -> Option<f64> {
    Some(rung.median(Figure::ClientCores)? + rung.median(Figure::ServerCores).unwrap_or(0.0))
}

/// How many processors the runtime's threads can keep busy, and what they are.
fn threads(room: &Room) -> Option<(f64, String)> {
    let (flavor, threads) = room.runtime.as_ref()?;
    let usable = if flavor == "current_thread" { 1.0 } else { *threads };
    let usable = room.cores.map_or(usable, |cores| usable.min(cores)).max(1.0);
    Some((usable, format!("{usable} that its runtime ({flavor}) can use")))
}

fn refused(_: &Case<'_>, rung: &Rung) -> Option<Found> {
    let text = rung.windows.iter().find_map(|window| window.refused.as_ref())?;
    Some((5.0, Kind::LimitReached, format!("operations fail with {text} {}", at(rung))))
}

fn slow_consumer(_: &Case<'_>, rung: &Rung) -> Option<Found> {
    let most = |figure| rung.values(figure).into_iter().reduce(f64::max).filter(|value| *value > 0.0);
    let dropped = most(Figure::SlowConsumers).map(|count| {
        format!("clients that the server dropped for being slow: {}", text(Figure::SlowConsumers, count))
    });
    let missing = most(Figure::Undelivered).map(|count| {
        format!("messages that were sent and did not arrive: {}", text(Figure::Undelivered, count))
    });
    let evidence: Vec<_> = dropped.into_iter().chain(missing).collect();
    let told = (!evidence.is_empty()).then(|| evidence.join(", "))?;
    Some((4.0, Kind::SlowConsumer, format!("{told} in a window {}", at(rung))))
}

fn client_cpu(_: &Case<'_>, rung: &Rung) -> Option<Found> {
    let (usable, what) = threads(&room(rung))?;
    let used = rung.median(Figure::ClientCores)?;
    let told = || format!("this process uses {used:.2} processors of the {what}, {}", at(rung));
    (used >= usable * BUSY).then(|| (2.0 + used / usable, Kind::ClientCpu, told()))
}

fn server_cpu(_: &Case<'_>, rung: &Rung) -> Option<Found> {
    let room = room(rung);
    let usable = room.server_cores.or(room.machine_cores)?;
    let used = rung.median(Figure::ServerCores)?;
    let told = || format!("the server uses {used:.2} of {usable} processors {}", at(rung));
    (used >= usable * BUSY).then(|| (2.0 + used / usable, Kind::ServerCpu, told()))
}

/// Weaker than what names the one that is busy. Where others are what is busy, it is not the load that is limited by itself.
fn processors(_: &Case<'_>, rung: &Rung) -> Option<Found> {
    let (used, cores) = machine(rung)?;
    let is_ours = ours(rung)? * 2.0 >= used;
    let part = |name: &str, figure| rung.median(figure).map(|used| format!("{name} {used:.2}"));
    let parts = [
        part("client", Figure::ClientCores),
        part("server", Figure::ServerCores),
        part("others", Figure::OtherCores),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    let told = || format!("{used:.2} of {cores} processors are busy {}: {}", at(rung), parts.join(", "));
    (used >= cores * BUSY && is_ours).then(|| (1.9, Kind::Processors, told()))
}

/// The weakest: that they disturb is no sign that they limit.
fn other_processes(_: &Case<'_>, rung: &Rung) -> Option<Found> {
    let (used, cores) = others(rung)?;
    let told = format!(
        "other processes use {used:.2} of {cores} processors {} ({:.2} would do)",
        at(rung),
        allowed(cores)
    );
    Some((0.5, Kind::OtherProcesses, told))
}

/// Processors that others use, and of how many, where it is more than they may.
pub(super) fn others(rung: &Rung) -> Option<(f64, f64)> {
    let cores = room(rung).machine_cores?;
    let used = rung.median(Figure::OtherCores).filter(|used| *used > allowed(cores))?;
    Some((used, cores))
}

fn allowed(cores: f64) -> f64 {
    (cores * OTHERS_OF_MACHINE).max(OTHERS)
}

fn disk(_: &Case<'_>, rung: &Rung) -> Option<Found> {
    let (wait, bytes) = (rung.median(Figure::DiskWait)?, rung.median(Figure::ServerIo)?);
    let told = || {
        format!(
            "some task of the machine waits for storage {} of the time {}, while the server moves {}/s",
            text(Figure::DiskWait, wait),
            at(rung),
            crate::memory::text::bytes(bytes)
        )
    };
    (wait >= DISK_WAIT && bytes >= DISK_BYTES).then(|| (2.0 + wait, Kind::Disk, told()))
}

fn memory(case: &Case<'_>, rung: &Rung) -> Option<Found> {
    let whole = room(rung).memory?;
    let held = |rung: &Rung| {
        let server = rung.median(Figure::ServerRss).unwrap_or(0.0);
        Some(rung.median(Figure::ClientRss)? + server)
    };
    let here = held(rung)?;
    let before = case.stable().filter(|stable| stable.level < rung.level);
    let slope = before.and_then(|stable| Some((here - held(stable)?) / (rung.level - stable.level)));
    let bytes = crate::memory::text::bytes;
    let growth = slope.map_or_else(String::new, |slope| format!(", {} more for each unit", bytes(slope)));
    let told = || {
        format!("client and server have {} of {} of memory {}{growth}", bytes(here), bytes(whole), at(rung))
    };
    (here > whole * MEMORY).then(|| (2.0 + here / whole, Kind::Memory, told()))
}

/// With more in a message or in a stream, CPU time rises without any contention.
fn contention(case: &Case<'_>, rung: &Rung) -> Option<Found> {
    if !matches!(case.axis, Axis::Rate | Axis::Concurrency) {
        return None;
    }
    dearer(case, rung).or_else(|| fallen(case, rung))
}

fn dearer(case: &Case<'_>, rung: &Rung) -> Option<Found> {
    let per_operation =
        |rung: &Rung| Some(rung.median(Figure::ClientCpu)? + rung.median(Figure::ServerCpu).unwrap_or(0.0));
    let stable = case.stable().filter(|stable| stable.level < rung.level)?;
    let (before, here) = (per_operation(stable)?, per_operation(rung)?);
    let free = machine(rung).is_some_and(|(used, cores)| used < cores * BUSY);
    let told = || {
        let cpu = |value| text(Figure::ClientCpu, value);
        format!("an operation costs {} of CPU time {}, {} {}", cpu(here), at(rung), cpu(before), at(stable))
    };
    (free && here > before * DEARER).then(|| (1.5 + (here / before).log10(), Kind::Contention, told()))
}

fn fallen(case: &Case<'_>, rung: &Rung) -> Option<Found> {
    let knee = case.at_knee().filter(|knee| knee.level < rung.level)?;
    let (before, here) = (knee.median(Figure::Throughput)?, rung.median(Figure::Throughput)?);
    let threads =
        room(rung).runtime.filter(|(flavor, threads)| flavor != "current_thread" && *threads > 1.0)?.1;
    let told = || {
        let rate = |value| text(Figure::Throughput, value);
        format!(
            "throughput falls from {} {} to {} {}, on {threads} threads",
            rate(before),
            at(knee),
            rate(here),
            at(rung)
        )
    };
    (here < before * FALLEN).then(|| (1.5 + 1.0 - here / before, Kind::Contention, told()))
}

fn workers(_: &Case<'_>, rung: &Rung) -> Option<Found> {
    let text = rung.windows.iter().find_map(|window| window.all_workers_busy.as_ref())?;
    Some((1.4, Kind::LimitReached, format!("{text} ({})", at(rung))))
}

fn drops(_: &Case<'_>, rung: &Rung) -> Option<Found> {
    let count = |figure| rung.median(figure).filter(|count| *count > 0.0);
    let (dropped, unfinished) = (count(Figure::Dropped), count(Figure::Unfinished));
    let shares: Vec<_> = rung.windows.iter().filter_map(|window| window.unfinished_share).collect();
    let is_much = stats::median(&shares).is_some_and(|share| share >= UNFINISHED);
    let unfinished = unfinished.filter(|_| is_much);
    let one = |name: &str, value: Option<f64>| {
        Some(format!("{} operations were {name}", text(Figure::Dropped, value?)))
    };
    let told: Vec<_> =
        [one("dropped", dropped), one("not finished", unfinished)].into_iter().flatten().collect();
    (!told.is_empty()).then(|| (1.3, Kind::Drops, format!("{} in a window {}", told.join(", "), at(rung))))
}

fn queueing(case: &Case<'_>, rung: &Rung) -> Option<Found> {
    served(case, rung).or_else(|| waited(rung)).or_else(|| grown(case, rung))
}

/// All that are in flight but some wait: by Little's law, with a throughput that does not rise, and nobody busy.
fn served(case: &Case<'_>, rung: &Rung) -> Option<Found> {
    let knee = case.at_knee().filter(|knee| *case.axis == Axis::Concurrency && knee.level < rung.level)?;
    let first = case.stable().filter(|stable| stable.level <= knee.level)?;
    let (rate, p50) = (rung.median(Figure::Throughput)?, rung.median(Figure::P50)?);
    let (before, alone) = (knee.median(Figure::Throughput)?, first.median(Figure::P50)?);
    let (ours, cores) = (ours(rung)?, room(rung).machine_cores?);
    let in_flight = rate * p50;
    let is_flat = rate >= before * FALLEN && rate <= before / FALLEN;
    let is_little = (in_flight / rung.level - 1.0).abs() <= LITTLE;
    let is_idle = ours < cores * IDLE && client_cpu(case, rung).is_none() && server_cpu(case, rung).is_none();
    let told = || {
        let served = (rate * alone).round().max(1.0);
        // Where the lowest level already waits, its times say no more.
        let most = if first.level > 1.0 && served >= first.level { "at most " } else { "" };
        format!(
            "as if {most}{served} were served at a time: throughput is {} {} and {} {}, p50 {} and {}; throughput times p50 is \
             {in_flight:.1}, and client and server use {ours:.2} of {cores} processors",
            text(Figure::Throughput, before),
            at(knee),
            text(Figure::Throughput, rate),
            at(rung),
            text(Figure::P50, knee.median(Figure::P50).unwrap_or(alone)),
            text(Figure::P50, p50),
        )
    };
    (is_flat && is_little && is_idle && p50 >= alone * QUEUED).then(|| (2.1, Kind::Queueing, told()))
}

fn waited(rung: &Rung) -> Option<Found> {
    let time = |value| text(Figure::P99, value);
    let (p99, service) = (rung.median(Figure::P99), rung.median(Figure::ServiceP99));
    if let (Some(p99), Some(service)) = (p99, service)
        && p99 >= service * WAITING
        && p99 - service >= LEAST_WAIT
    {
        let told = format!("p99 is {} {}, that of the service times {}", time(p99), at(rung), time(service));
        return Some((1.2, Kind::Queueing, told));
    }
    None
}

/// What is larger takes longer without any queue, so only where more is asked for.
fn grown(case: &Case<'_>, rung: &Rung) -> Option<Found> {
    if !matches!(case.axis, Axis::Rate | Axis::Concurrency) {
        return None;
    }
    let time = |value| text(Figure::P50, value);
    let (stable, _) = (case.stable()?, case.knee.filter(|knee| *knee < rung.level)?);
    let (before, here) = (stable.median(Figure::P50)?, rung.median(Figure::P50)?);
    let told = || {
        format!(
            "above the knee, p50 is {} {}, {} {}: what is added waits for its turn",
            time(here),
            at(rung),
            time(before),
            at(stable)
        )
    };
    (here >= before * QUEUED).then(|| (1.2, Kind::Queueing, told()))
}

/// No rule found anything.
pub(super) fn nothing(case: &Case<'_>, rung: &Rung) -> Found {
    let used =
        machine(rung).map(|(used, cores)| format!("{used:.2} of {cores} processors are busy {}", at(rung)));
    let used = used.unwrap_or_else(|| format!("how busy the machine is {} was not measured", at(rung)));
    let latency = rung.median(Figure::P50).map(|p50| text(Figure::P50, p50));
    let is_well = rung.is_well() && case.fails_at().is_none() && !case.is_erratic;
    match (case.knee, latency) {
        (None, Some(p50)) if *case.axis == Axis::Concurrency && is_well => {
            let told = format!("each operation waits {p50} for its answer (p50), and {used}");
            (0.0, Kind::LatencyBound, told)
        }
        (None, _) if is_well => (0.0, Kind::None, format!("all is well at the highest level, and {used}")),
        _ => (0.0, Kind::Unknown, format!("none of the figures says what does: {used}")),
    }
}
