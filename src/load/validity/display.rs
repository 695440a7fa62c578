//! Why a run is inconclusive, in words.

use std::fmt;

use super::{InvalidReason, Validity};
use crate::memory::text::{count, duration};

impl fmt::Display for Validity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_valid() {
            writeln!(f, "valid")?;
        } else if self.reasons.iter().all(InvalidReason::is_disturbance) {
            writeln!(f, "disturbed: figures may be worse than the code under test deserves, and no better")?;
        } else {
            writeln!(f, "inconclusive: the figures say little")?;
        }
        for reason in &self.reasons {
            writeln!(f, "  {reason}")?;
        }
        self.not_judged.iter().try_for_each(|what| writeln!(f, "  not judged: {what}"))
    }
}

impl fmt::Display for InvalidReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("no operation ended (see the errors; or run it longer)"),
            Self::FellBehind { planned, started } => write!(
                f,
                "the generator fell behind: {} of {} operations that were due were started (lower the rate, or give the \
                 test more threads: `flavor = \"multi_thread\"`)",
                count(*started),
                count(*planned),
            ),
            Self::Lag { p99, allowed } => write!(
                f,
                "operations were started late: 1 in 100 by more than {}, where {} is allowed (lower the rate, call \
                 `precise`, give the test more threads, or build it with optimizations)",
                duration(*p99),
                duration(*allowed),
            ),
            Self::InFlightLimit { workers, outstanding, p99 } => in_flight(f, *workers, *outstanding, *p99),
            Self::Dropped { count: dropped } => write!(
                f,
                "{} operations were dropped, for all workers were busy (raise `max_in_flight`, or let them wait: \
                 `Overflow::Queue`)",
                count(*dropped),
            ),
            Self::NotDelivered { expected, missing } => write!(
                f,
                "{} of {} messages did not arrive, though nothing was done to the server (receive faster, raise the \
                 client's `subscription_capacity`, or lower the rate)",
                count(*missing),
                count(*expected),
            ),
            Self::OtherProcesses { cores, allowed } => write!(
                f,
                "other processes used {cores:.2} processors, where {allowed:.2} are allowed (end them, or run it again when \
                 the machine is quiet)"
            ),
            Self::Stolen { cores, allowed } => write!(
                f,
                "the hypervisor gave {cores:.2} processors to other guests, where {allowed:.2} are allowed (run it again, or \
                 on a machine of its own)"
            ),
        }
    }
}

fn in_flight(
    f: &mut fmt::Formatter<'_>,
    workers: u64,
    outstanding: u64,
    p99: Option<std::time::Duration>,
) -> fmt::Result {
    let late = p99.map(|p99| format!(", and 1 in 100 waited more than {} for one", duration(p99)));
    write!(
        f,
        "all {} workers were busy: {} operations were outstanding at once{} (raise `max_in_flight` to more than that; if \
         they only become more, the system does not bear the rate)",
        count(workers),
        count(outstanding),
        late.unwrap_or_default(),
    )
}
