//! Ceilings: what a report must not exceed.

mod error;

pub use error::{CeilingError, CeilingErrorKind};

use super::figures::{PhaseFigures, ProcessFigures};
use super::report::MemoryReport;
use super::site;
use super::text::{bytes, count, percent, whole};
use error::Context;

/// A limit for one figure of a [`MemoryReport`]: of the whole, of a phase, or of a process.
///
/// # Examples
///
/// ```
/// use isolated_nats::Ceiling;
///
/// let whole = Ceiling::peak_heap(8 << 20);
/// let idle = Ceiling::cpu_share(0.05).in_phase("idle");
/// let server = Ceiling::rss_growth(32 << 20).of_process("server");
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a ceiling does nothing until a report is checked against it"]
pub struct Ceiling {
    what: What,
    at_most: f64,
    phase: Option<String>,
    process: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
enum What {
    PeakHeap,
    LiveHeap,
    LiveHeapGrowth,
    Allocations,
    PeakRss,
    RssGrowth,
    CpuShare,
    CpuShareOver(String),
    Tasks,
    Threads,
    Descriptors,
}

impl Ceiling {
    fn new(what: What, at_most: f64) -> Self {
        Self { what, at_most, phase: None, process: None }
    }

    /// The most bytes of heap held at any moment.
    pub fn peak_heap(bytes: u64) -> Self {
        Self::new(What::PeakHeap, bytes as f64)
    }

    /// The bytes of heap allocated since the start and still held; not of a phase.
    pub fn live_heap(bytes: u64) -> Self {
        Self::new(What::LiveHeap, bytes as f64)
    }

    /// The growth of the heap: bytes held at the end, less those at the beginning.
    pub fn live_heap_growth(bytes: u64) -> Self {
        Self::new(What::LiveHeapGrowth, bytes as f64)
    }

    /// The blocks of heap asked for.
    pub fn allocations(count: u64) -> Self {
        Self::new(What::Allocations, count as f64)
    }

    /// The most bytes resident.
    pub fn peak_rss(bytes: u64) -> Self {
        Self::new(What::PeakRss, bytes as f64)
    }

    /// The growth of what is resident: at the end, less at the beginning.
    pub fn rss_growth(bytes: u64) -> Self {
        Self::new(What::RssGrowth, bytes as f64)
    }

    /// CPU time over time passed: 0.05 is one processor in use for a twentieth of the time.
    pub fn cpu_share(share: f64) -> Self {
        Self::new(What::CpuShare, share)
    }

    /// By how much the CPU share may be above that of a baseline phase.
    pub fn cpu_share_over(baseline_phase: &str, share: f64) -> Self {
        Self::new(What::CpuShareOver(baseline_phase.to_owned()), share)
    }

    /// The most tokio tasks alive, of all samples.
    pub fn tasks(count: u64) -> Self {
        Self::new(What::Tasks, count as f64)
    }

    /// The most threads of the process, of all samples; not of a phase.
    pub fn threads(count: u64) -> Self {
        Self::new(What::Threads, count as f64)
    }

    /// The most open descriptors of the process, of all samples; not of a phase.
    pub fn open_descriptors(count: u64) -> Self {
        Self::new(What::Descriptors, count as f64)
    }

    /// Limits the first phase of this name alone. Default: from start to finish.
    pub fn in_phase(mut self, name: &str) -> Self {
        self.phase = Some(name.to_owned());
        self
    }

    /// Limits a process that was given to the builder, such as `server`, in the place of the test's own; not for the heap and
    /// the tasks, which are the test's alone.
    pub fn of_process(mut self, label: &str) -> Self {
        self.process = Some(label.to_owned());
        self
    }

    pub(super) fn check(&self, report: &MemoryReport) -> Result<(), CeilingError> {
        if self.at_most.is_nan() {
            return Err(self.error(CeilingErrorKind::Unknown, "its ceiling is not a number"));
        }
        let measured = self.measured(report)?;
        // What cannot be compared is not within a ceiling.
        if measured <= self.at_most {
            return Ok(());
        }
        Err(self.exceeded(report, measured))
    }

    fn measured(&self, report: &MemoryReport) -> Result<f64, CeilingError> {
        let phase = self.phase.as_deref().map(|name| self.phase_of(report, name)).transpose()?;
        let value = match &self.what {
            _ if self.is_of_test_alone() && self.process.is_some() => None,
            What::PeakHeap | What::LiveHeap | What::LiveHeapGrowth | What::Allocations => {
                self.heap(report, phase)
            }
            What::Tasks => match phase {
                Some(phase) => phase.peak_tasks.map(|tasks| tasks as f64),
                None => report.tasks.map(|tasks| tasks.peak),
            },
            What::CpuShareOver(baseline) => {
                let baseline = self.phase_of(report, baseline)?;
                let share = self.of_its_process(report, phase)?;
                share.zip(self.of_its_process(report, Some(baseline))?).map(|(share, base)| share - base)
            }
            _ => self.of_its_process(report, phase)?,
        };
        value.ok_or_else(|| self.error(CeilingErrorKind::NotMeasured, &self.why_absent(report)))
    }

    /// Whether no process but the test's own has such a figure.
    fn is_of_test_alone(&self) -> bool {
        let of_heap = [What::PeakHeap, What::LiveHeap, What::LiveHeapGrowth, What::Allocations];
        of_heap.contains(&self.what) || self.what == What::Tasks
    }

    fn heap(&self, report: &MemoryReport, phase: Option<&PhaseFigures>) -> Option<f64> {
        let Some(phase) = phase else {
            let heap = report.heap.as_ref()?;
            return Some(match self.what {
                What::PeakHeap => heap.peak_bytes as f64,
                What::LiveHeap => heap.live_bytes? as f64,
                What::LiveHeapGrowth => heap.growth_bytes as f64,
                _ => heap.allocations as f64,
            });
        };
        let heap = phase.heap.as_ref()?;
        match self.what {
            What::PeakHeap => Some(heap.peak_bytes as f64),
            What::LiveHeap => None,
            What::LiveHeapGrowth => Some(heap.growth_bytes as f64),
            _ => Some(heap.allocations as f64),
        }
    }

    fn of_its_process(
        &self,
        report: &MemoryReport,
        phase: Option<&PhaseFigures>,
    ) -> Result<Option<f64>, CeilingError> {
        let label = self.process.as_deref().unwrap_or("own");
        let Some(process) = report.process(label) else {
            let known = report.processes.iter().map(|process| format!("`{}`", process.label));
            return match &self.process {
                Some(label) => Err(self.unknown("process", label, &known.collect::<Vec<_>>())),
                None => Ok(None),
            };
        };
        Ok(match phase {
            None => self.of_whole(process),
            Some(phase) => {
                let phase = phase.processes.iter().find(|process| process.label == label);
                phase.and_then(|phase| match self.what {
                    What::PeakRss => phase.peak_rss_bytes.map(|bytes| bytes as f64),
                    What::RssGrowth => Some(phase.rss_growth_bytes as f64),
                    What::CpuShare | What::CpuShareOver(_) => Some(phase.cpu_share),
                    _ => None,
                })
            }
        })
    }

    fn of_whole(&self, process: &ProcessFigures) -> Option<f64> {
        match self.what {
            // A sample can miss the peak: it is no pass.
            What::PeakRss => process.rss_bytes.peak_is_exact.then_some(process.rss_bytes.peak),
            What::RssGrowth => Some(process.rss_bytes.growth()),
            What::CpuShare | What::CpuShareOver(_) => Some(process.cpu_share),
            What::Threads => process.threads.map(|threads| threads.peak),
            What::Descriptors => process.open_descriptors.map(|descriptors| descriptors.peak),
            _ => None,
        }
    }

    fn phase_of<'a>(&self, report: &'a MemoryReport, name: &str) -> Result<&'a PhaseFigures, CeilingError> {
        let known = || report.phases.iter().map(|phase| format!("`{}`", phase.name)).collect::<Vec<_>>();
        report.phase(name).ok_or_else(|| self.unknown("phase", name, &known()))
    }

    fn unknown(&self, what: &str, name: &str, known: &[String]) -> CeilingError {
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        self.error(CeilingErrorKind::Unknown, &format!("the report has no {what} `{name}` (it has {known})"))
    }

    fn why_absent(&self, report: &MemoryReport) -> String {
        let of_phase = "it is not known of a phase (leave out `in_phase`)".to_owned();
        match self.what {
            _ if self.is_of_test_alone() && self.process.is_some() => {
                "it is known of the test alone (leave out `of_process`)".into()
            }
            What::LiveHeap | What::Threads | What::Descriptors if self.phase.is_some() => of_phase,
            What::PeakHeap | What::LiveHeap | What::LiveHeapGrowth | What::Allocations => {
                report.no_heap.clone().unwrap_or_else(|| "the age of blocks is not known any more".into())
            }
            What::Tasks => "the probe was not started within a tokio runtime".into(),
            _ if self.process.is_none() && report.own_process.is_none() => {
                "the process is shared with other tests (write `process` in the attribute, or run with nextest or \
                 `--test-threads=1`)"
                    .into()
            }
            _ => "this system does not tell".into(),
        }
    }

    fn exceeded(&self, report: &MemoryReport, measured: f64) -> CeilingError {
        let mut evidence = Vec::new();
        if self.what == What::PeakHeap {
            if self.phase.is_none() && report.phases.len() > 1 {
                let peak = |phase: &&PhaseFigures| phase.heap.map(|heap| heap.peak_bytes);
                let highest = report.phases.iter().max_by_key(peak);
                evidence.extend(highest.map(|phase| format!("  in phase `{}`\n", phase.name)));
            }
            evidence.push(match &report.crossing {
                Some(crossing) => {
                    let passed = bytes(crossing.ceiling as f64);
                    format!("  {passed} was first passed here:\n{}", site::render(&crossing.addresses))
                }
                None => "  to see where, give `MemoryProbe::builder().peak_heap_ceiling(..)` this ceiling\n"
                    .into(),
            });
        }
        CeilingError::new(Context {
            kind: CeilingErrorKind::Exceeded,
            ceiling: self.clone(),
            measured: Some(measured),
            text: format!(
                "{} is {}, above its ceiling of {}",
                self.name(),
                self.show(measured),
                self.show(self.at_most)
            ),
            evidence: evidence.concat(),
        })
    }

    fn error(&self, kind: CeilingErrorKind, why: &str) -> CeilingError {
        let text = format!("{} cannot be judged: {why}", self.name());
        CeilingError::new(Context {
            kind,
            ceiling: self.clone(),
            measured: None,
            text,
            evidence: String::new(),
        })
    }

    fn name(&self) -> String {
        let what = match &self.what {
            What::PeakHeap => "the heap's peak",
            What::LiveHeap => "the live heap",
            What::LiveHeapGrowth => "the live heap's growth",
            What::Allocations => "the number of allocations",
            What::PeakRss => "the resident peak",
            What::RssGrowth => "the resident growth",
            What::CpuShare => "the CPU share",
            What::CpuShareOver(baseline) => &format!("the CPU share above that of phase `{baseline}`"),
            What::Tasks => "the number of tasks",
            What::Threads => "the number of threads",
            What::Descriptors => "the number of open descriptors",
        };
        let process = self.process.as_ref().map(|label| format!(" of process `{label}`")).unwrap_or_default();
        let phase = self.phase.as_ref().map(|name| format!(" in phase `{name}`")).unwrap_or_default();
        format!("{what}{process}{phase}")
    }

    fn show(&self, value: f64) -> String {
        match self.what {
            What::PeakHeap | What::LiveHeap | What::LiveHeapGrowth | What::PeakRss | What::RssGrowth => {
                match value.abs() {
                    ..1000.0 => bytes(value),
                    _ => format!("{} ({value:.0} B)", bytes(value)),
                }
            }
            What::CpuShare | What::CpuShareOver(_) => percent(value),
            What::Allocations | What::Tasks | What::Threads | What::Descriptors => count(whole(value)),
        }
    }
}
