//! The ceilings of the attribute: measured from before the arguments are made until after they are dropped.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use tokio::runtime::Runtime;

use super::{HeldClock, Test};
use crate::alone;
use crate::memory::{self, Ceiling, CeilingError, MemoryProbe, MemoryReport, Moment};

/// Set in the process of a second run: the file that it is to write its heap profile to.
const PROFILE_TO: &str = "ISOLATED_NATS_HEAP_PROFILE_TO";

/// How many places are shown of those that hold most.
const PLACES: usize = 5;

/// A test that is being measured.
#[derive(Debug)]
pub(super) struct Measured {
    probe: MemoryProbe,
    profile: Option<PathBuf>,
}

/// To be called before anything of the test begins.
pub(super) fn prepare(test: &Test) {
    if test.max_rss_growth.is_some() {
        memory::keep_little();
    }
}

impl Measured {
    /// Begins to measure, if the options ask for it; an error says why that cannot be.
    pub(super) fn start(test: &Test, runtime: &Runtime) -> Result<Option<Self>, String> {
        let heap = test.max_peak_heap.is_some() || test.max_live_heap_growth.is_some();
        if !heap && test.max_rss_growth.is_none() && test.baseline.is_none() {
            return Ok(None);
        }
        if let (true, Some(why)) = (heap, memory::why_no_heap()) {
            return Err(why);
        }
        let _tasks = runtime.enter();
        let mut builder = MemoryProbe::builder();
        if let Some(bytes) = test.max_peak_heap {
            builder = builder.peak_heap_ceiling(bytes);
        }
        let profile = std::env::var_os(PROFILE_TO).map(PathBuf::from);
        if profile.is_some() {
            builder = builder.heap_profile();
        }
        Ok(Some(Self { probe: builder.start(), profile }))
    }

    /// Waits until the test is at rest, and judges it; an error is what the test fails with.
    pub(super) fn check(self, test: &Test, name: &str, runtime: &Runtime) -> Result<MemoryReport, String> {
        let still = test.start_paused.then(|| HeldClock::new(runtime));
        runtime.block_on(self.probe.settle());
        drop(still);
        let _ours = memory::ours();
        if let Some(path) = &self.profile {
            self.probe.write_heap_profile(path).map_err(|error| format!("no heap profile: {error}"))?;
        }
        let report = self.probe.finish();
        let errors: Vec<CeilingError> =
            ceilings(test).iter().filter_map(|ceiling| report.check(ceiling).err()).collect();
        if errors.is_empty() { Ok(report) } else { Err(failure(test, name, &report, &errors)) }
    }
}

fn ceilings(test: &Test) -> Vec<Ceiling> {
    let ceilings = [
        test.max_peak_heap.map(Ceiling::peak_heap),
        test.max_live_heap_growth.map(Ceiling::live_heap_growth),
        test.max_rss_growth.map(Ceiling::rss_growth),
    ];
    ceilings.into_iter().flatten().collect()
}

fn failure(test: &Test, name: &str, report: &MemoryReport, errors: &[CeilingError]) -> String {
    let mut text = String::new();
    for error in errors {
        let _ = writeln!(text, "{error:?}");
    }
    text += &report.to_string();
    let heap = test.max_peak_heap.is_some() || test.max_live_heap_growth.is_some();
    if heap && std::env::var_os(PROFILE_TO).is_none() {
        text += &profile(test, name);
    }
    text.trim_end().to_owned()
}

/// Runs the test a second time, in a process of its own, for its heap profile, if `ISOLATED_NATS_HEAP_PROFILE` asks for it.
fn profile(test: &Test, name: &str) -> String {
    let Some(directory) = std::env::var_os("ISOLATED_NATS_HEAP_PROFILE").filter(|text| !text.is_empty())
    else {
        return "for every place that allocated, set ISOLATED_NATS_HEAP_PROFILE to a directory: the test then runs once more, and \
                writes a file for dhat's viewer\n"
            .into();
    };
    match write_profile(test, name, Path::new(&directory)) {
        Ok(path) => format!(
            "{}heap profile  {} (open it with dhat's dh_view.html)\n",
            places(test, &path),
            path.display()
        ),
        Err(why) => format!("heap profile  none: {why}\n"),
    }
}

/// The places that hold most at the moments that the test is judged by.
fn places(test: &Test, path: &Path) -> String {
    let moments = [
        (test.max_peak_heap, Moment::Peak, "at the peak, most is held by"),
        (test.max_live_heap_growth, Moment::End, "at the end, most is held by"),
    ];
    let asked = moments.iter().filter(|(ceiling, ..)| ceiling.is_some());
    asked
        .filter_map(|(_, moment, head)| Some((head, memory::largest(path, *moment, PLACES).ok()?)))
        .filter(|(_, places)| !places.is_empty())
        .map(|(head, places)| format!("{head}\n{places}"))
        .collect()
}

fn write_profile(test: &Test, name: &str, directory: &Path) -> Result<PathBuf, String> {
    let unusable = |error: std::io::Error| format!("`{}` cannot be used: {error}", directory.display());
    std::fs::create_dir_all(directory).map_err(unusable)?;
    let path = directory.canonicalize().map_err(unusable)?.join(test.name.replace("::", "-") + ".dhat.json");
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(unusable(error)),
        _ => {}
    }
    // That run fails as this one did; what counts is the file.
    let outcome = alone::run_quietly(name, test.timeout, &[(PROFILE_TO, path.as_os_str())]);
    match outcome {
        _ if path.exists() => Ok(path),
        Err(failure) => Err(format!("the second run {failure:?}")),
        Ok(()) => Err("the second run passed".into()),
    }
}
