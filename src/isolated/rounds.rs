//! A test that is run several times, and compared with a baseline.

use std::time::Duration;

use super::Test;
use crate::memory::MemoryReport;
#[cfg(feature = "results")]
pub(super) use compared::Rounds;

/// What one round measured.
#[derive(Debug)]
#[cfg_attr(not(feature = "results"), expect(dead_code, reason = "without results nothing is compared"))]
pub(super) struct Round {
    /// How long the body took, its arguments included.
    pub(super) took: Duration,
    /// The CPU time of the test's thread meanwhile, on a runtime of one thread.
    pub(super) cpu: Option<Duration>,
    pub(super) memory: Option<MemoryReport>,
    /// The threads of the runtime that tasks run on.
    pub(super) workers: usize,
}

#[cfg(feature = "results")]
mod compared {
    use super::{Round, Test};
    use crate::environment;
    use crate::evidence;
    use crate::isolated::Flavor;
    use crate::memory;
    use crate::results::{CPU_TIME, Rounds as Measured, Sample, is_quick};
    use crate::server::ExternalNats;

    /// The rounds of a test.
    pub(in crate::isolated) struct Rounds {
        baseline: String,
        wanted: usize,
        is_multi_thread: bool,
        /// One round goes first that does not count.
        warm: bool,
        measured: Measured,
    }

    impl Rounds {
        /// `None` for a test that is run once: it has no baseline, or the run is a quick one.
        pub(in crate::isolated) fn of(test: &Test) -> Result<Option<Self>, String> {
            let Some(baseline) = test.baseline else { return Ok(None) };
            environment::check()?;
            match (is_quick(), environment::is("ISOLATED_NATS_BLESS", "1")) {
                (true, true) => {
                    return Err(
                        "a quick run can be no baseline (unset ISOLATED_NATS_QUICK, or ISOLATED_NATS_BLESS)"
                            .into(),
                    );
                }
                (true, false) => return Ok(None),
                (false, _) => {}
            }
            // With the crate's name: two binaries of one package may have tests of one name.
            let baseline =
                if baseline.is_empty() { test.name.replace("::", ".") } else { baseline.to_owned() };
            let measured = Measured::begin(&baseline, test.name);
            let is_multi_thread = matches!(test.flavor, Flavor::MultiThread { .. });
            Ok(Some(Self { baseline, wanted: test.rounds, is_multi_thread, warm: false, measured }))
        }

        pub(in crate::isolated) fn take(&mut self, round: Round, server: &ExternalNats) {
            let _ours = memory::ours();
            if !std::mem::replace(&mut self.warm, true) {
                return;
            }
            let memory = round.memory.map(Sample::from).unwrap_or_default();
            let mut sample = Sample::from(round.took);
            if let Some(cpu) = round.cpu {
                sample = sample.time(CPU_TIME, cpu);
            }
            // The server's memory is not the test's, and tasks are only sampled.
            let own = ["peak heap", "live heap", "allocations", "peak rss"];
            sample.take_from(memory, &own);
            let workers = self.is_multi_thread.then_some(round.workers);
            self.measured.take(sample, server, workers);
        }

        /// Says of which round the failure is that follows.
        pub(in crate::isolated) fn say_which(&self, name: &str) {
            let (round, all) = (self.measured.count() + usize::from(self.warm) + 1, self.wanted + 1);
            evidence::print(&format!("isolated-nats: test `{name}` ends in run {round} of {all}\n"));
        }

        pub(in crate::isolated) fn are_over(&self) -> bool {
            self.measured.count() >= self.wanted
        }

        /// Compares what was measured with the baseline, or makes it the baseline.
        pub(in crate::isolated) fn judge(&mut self) -> Result<(), String> {
            let _ours = memory::ours();
            let record = self.measured.record();
            record.check_regression(&self.baseline).map(drop).map_err(|error| format!("{error:?}"))
        }
    }
}

/// Without the feature, a test that wants to be compared cannot be.
#[cfg(not(feature = "results"))]
pub(super) enum Rounds {}

#[cfg(not(feature = "results"))]
impl Rounds {
    pub(super) fn of(test: &Test) -> Result<Option<Self>, String> {
        match test.baseline {
            Some(_) => {
                Err("`baseline` needs the feature `results` of isolated-nats, which is on by default".into())
            }
            None => Ok(None),
        }
    }

    pub(super) fn take(&mut self, _round: Round, _server: &crate::server::ExternalNats) {
        match *self {}
    }

    pub(super) fn say_which(&self, _name: &str) {
        match *self {}
    }

    pub(super) fn are_over(&self) -> bool {
        match *self {}
    }

    pub(super) fn judge(&mut self) -> Result<(), String> {
        match *self {}
    }
}
