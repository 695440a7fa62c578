//! What a run cost: the report of the load, with those of memory and of the server's process.

use super::machine::CpuPerOperation;
use super::report::LoadReport;
use crate::memory::{MemoryReport, MemorySplit};
use crate::process::ProcessProbe;

/// What the process of a server is called in a report of memory.
const SERVER: &str = "server";

impl LoadReport {
    /// Adds what the run cost: the report of a [`MemoryProbe`](crate::MemoryProbe) that ran around it, and the name `server` for that
    /// process among those of [`machine`](Self::machine).
    ///
    /// The server need not have been given to the builder, for children of this process are measured anyway. A
    /// server that was restarted during the run counts as one process, whose earlier pids the report of memory knows
    /// ([`MemoryProbeBuilder::server`](crate::MemoryProbeBuilder::server)). A server whose process was not measured has no figures,
    /// and the machine figures say why.
    ///
    /// ```no_run
    /// # // It would start a server.
    /// # async fn f(load: isolated_nats::LoadGenerator, nats: isolated_nats::ExternalNats) -> Result<(), isolated_nats::LoadError> {
    /// # let generator = isolated_nats::LoadGenerator::builder();
    /// use isolated_nats::MemoryProbe;
    ///
    /// let probe = MemoryProbe::builder().server(&nats).start();
    /// let report = generator.run().await?;
    /// let report = report.with(&probe.finish(), &nats.process());
    /// println!("{report}");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with(self, memory: &MemoryReport, server: &ProcessProbe) -> Self {
        let mut report = self.with_memory(memory);
        let earlier = memory.process(SERVER).map(|process| process.pids.clone()).unwrap_or_default();
        let known = std::iter::once(server.pid()).filter(|pid| *pid != 0);
        let pids: Vec<u32> = known.chain(earlier).collect();
        if let Some(machine) = &mut report.machine {
            machine.name_server(&pids);
        }
        report
    }

    /// Adds the report of a [`MemoryProbe`](crate::MemoryProbe) that ran around the run; it replaces one that was added before. The
    /// builder's thresholds are judged again, for some are of memory.
    #[must_use]
    pub fn with_memory(mut self, memory: &MemoryReport) -> Self {
        self.memory = Some(memory.clone());
        self.judge_again();
        self
    }

    /// Returns the report of memory that was added; `None` when none was.
    #[must_use]
    pub fn memory(&self) -> Option<&MemoryReport> {
        self.memory.as_ref()
    }

    /// Returns what memory the library took, what its server, and both: [`MemoryReport::split`] of the report that was added.
    /// `None` without one, and where it has no server.
    #[must_use]
    pub fn split(&self) -> Option<MemorySplit> {
        self.memory.as_ref()?.split()
    }

    /// Returns the CPU time of client and server divided by the operations that ended, well or not.
    ///
    /// The client's is all that this process used: the code under test, its client, and the generator. What the generator uses for itself
    /// is not told apart; a run of an operation that does nothing, at the same rate, shows it. The server's is `None` until a process
    /// is called `server`, by [`with`](Self::with) or by the builder. All is `None` where the process could not be
    /// measured, and when no operation ended.
    #[must_use]
    pub fn cpu_per_operation(&self) -> Option<CpuPerOperation> {
        self.machine.as_ref()?.cpu_per_operation(self.count())
    }
}
