//! A report as a person reads it.

use std::fmt::Write as _;
use std::time::Duration;

use super::figures::{Figure, HeapFigures, PhaseFigures, ProcessFigures};
use super::report::MemoryReport;
use super::text::{bytes, count, duration, percent, signed_bytes, table};

/// A slope for each hour of a shorter time is mostly noise; it is in the report all the same.
const LEAST_FOR_SLOPE: Duration = Duration::from_secs(60);
/// A share of the CPU of a shorter time as well.
const LEAST_FOR_SHARE: Duration = Duration::from_millis(1);

pub(super) fn report(report: &MemoryReport) -> String {
    let mut text = format!("memory of `{}`, {}\n", report.test, duration(report.duration));
    match (&report.heap, &report.no_heap) {
        (Some(figures), _) => heap(&mut text, figures, report.duration),
        (None, Some(why)) => drop(writeln!(text, "heap      not measured: {why}")),
        (None, None) => {}
    }
    if report.own_process.is_none() {
        text.push_str("process   not measured: it is shared with other tests\n");
    }
    report.processes.iter().for_each(|figures| process(&mut text, figures, report));
    if let Some(tasks) = report.tasks {
        let _ = writeln!(text, "tasks     {} (of the samples)", counted(&tasks));
    }
    for gauge in &report.gauges {
        let show: fn(f64) -> String = if gauge.name.ends_with("bytes") { bytes } else { plain };
        let values = gauge.figure.map_or_else(|| "no value".to_owned(), |figure| over_time(&figure, show));
        let panicked = if gauge.panicked { " (its closure panicked)" } else { "" };
        let _ = writeln!(text, "{}  {values}{panicked}", gauge.name);
    }
    components(&mut text, report);
    if report.phases.len() > 1 {
        phases(&mut text, &report.phases);
    }
    let sampling = report.sampling;
    let each = sampling.interval.map_or(String::new(), |each| format!(", one each {}", duration(each)));
    let _ =
        writeln!(text, "{} samples{each}, which took {}", count(sampling.samples), duration(sampling.cost));
    text
}

fn heap(text: &mut String, heap: &HeapFigures, took: Duration) {
    let _ = write!(text, "heap      peak {}", bytes(heap.peak_bytes as f64));
    if heap.peak_error_bytes > 0 {
        let _ = write!(text, " (± {})", bytes(heap.peak_error_bytes as f64));
    }
    if let Some(live) = heap.live_bytes {
        let _ = write!(text, ", live {}", bytes(live as f64));
    }
    let _ =
        writeln!(text, ", growth {} ({})", signed_bytes(heap.growth_bytes as f64), heap.inheritance.text());
    // More is given back than was asked for when it is of before the start.
    let freed = match heap.freed_bytes as f64 / heap.allocated_bytes as f64 {
        share if share <= 1.0 => format!("{} of it", percent(share)),
        _ => bytes(heap.freed_bytes as f64),
    };
    let _ = writeln!(
        text,
        "          {} allocations of {}, {freed} freed",
        count(heap.allocations),
        bytes(heap.allocated_bytes as f64),
    );
    if let Some(slope) = heap.slope.filter(|_| took >= LEAST_FOR_SLOPE) {
        let _ = writeln!(
            text,
            "          slope {} per hour (95 % between {} and {})",
            signed_bytes(slope.per_hour),
            signed_bytes(slope.low),
            signed_bytes(slope.high)
        );
    }
    sizes(text, heap);
    remarks(text, heap);
}

fn sizes(text: &mut String, heap: &HeapFigures) {
    let used: Vec<_> = heap.size_classes.iter().filter(|class| class.allocations > 0).collect();
    if !used.is_empty() {
        let classes = used.iter().map(|class| {
            let limit =
                class.up_to_bytes.map_or("more".to_owned(), |limit| format!("≤ {}", bytes(limit as f64)));
            format!("{limit}: {}", count(class.allocations))
        });
        let _ = writeln!(text, "          by size {}", classes.collect::<Vec<_>>().join(", "));
    }
}

/// What may be missing from the figures, or wrong in the program.
fn remarks(text: &mut String, heap: &HeapFigures) {
    if heap.unattributed_bytes > 0 {
        let _ = writeln!(
            text,
            "          not attributed to any test: {} (see `MemoryProbe::enter`)",
            bytes(heap.unattributed_bytes as f64)
        );
    }
    if heap.untagged_frees > 0 {
        let frees = count(heap.untagged_frees);
        let _ = writeln!(
            text,
            "          {frees} blocks freed that were allocated elsewhere, or overwritten at their end"
        );
    }
}

fn process(text: &mut String, process: &ProcessFigures, report: &MemoryReport) {
    let rss = &process.rss_bytes;
    let how = if rss.peak_is_exact { "" } else { " (of the samples)" };
    let why = match &report.own_process {
        Some(why) if process.label == "own" => format!(" ({why})"),
        _ => String::new(),
    };
    let _ = writeln!(
        text,
        "{:<9} resident {} to {}, peak {}{how}{why}",
        process.label,
        bytes(rss.start),
        bytes(rss.end),
        bytes(rss.peak),
    );
    if let (Some(pss), Some(private)) = (process.pss_bytes, process.private_bytes) {
        let _ =
            writeln!(text, "          proportional {}, private {}", bytes(pss as f64), bytes(private as f64));
    }
    let _ =
        write!(text, "          cpu {} ({} of one)", duration(process.cpu_time), percent(process.cpu_share));
    let counts = [("threads", process.threads), ("descriptors", process.open_descriptors)];
    for (name, figure) in counts.iter().filter_map(|(name, figure)| Some((name, figure.as_ref()?))) {
        let _ = write!(text, ", {name} {}", counted(figure));
    }
    if let (Some(read), Some(written)) = (process.read_bytes, process.written_bytes) {
        let _ = write!(text, ", disk {} read, {} written", bytes(read as f64), bytes(written as f64));
    }
    text.push('\n');
}

fn components(text: &mut String, report: &MemoryReport) {
    if report.components.is_empty() {
        return;
    }
    let head = ["component", "peak", "live", "allocations", "allocated"].map(str::to_owned).to_vec();
    let rows = report.components.iter().map(|component| {
        vec![
            component.name.clone(),
            bytes(component.peak_bytes as f64),
            component.live_bytes.map_or_else(String::new, |live| bytes(live as f64)),
            count(component.allocations),
            bytes(component.allocated_bytes as f64),
        ]
    });
    text.push_str(&table(&std::iter::once(head).chain(rows).collect::<Vec<_>>()));
}

fn phases(text: &mut String, phases: &[PhaseFigures]) {
    let mut head =
        vec!["phase".to_owned(), "time".into(), "heap peak".into(), "growth".into(), "allocations".into()];
    let labels: Vec<_> = phases[0].processes.iter().map(|process| process.label.clone()).collect();
    head.extend(labels.iter().flat_map(|label| [format!("{label} peak"), format!("{label} cpu")]));
    let rows = phases.iter().map(|phase| {
        let mut row = vec![phase.name.clone(), duration(phase.duration)];
        row.extend(match phase.heap {
            Some(heap) => [
                bytes(heap.peak_bytes as f64),
                signed_bytes(heap.growth_bytes as f64),
                count(heap.allocations),
            ],
            None => std::array::from_fn(|_| String::new()),
        });
        for label in &labels {
            let process = phase.processes.iter().find(|process| process.label == *label);
            row.extend(process.map_or([String::new(), String::new()], |process| {
                [
                    process.peak_rss_bytes.map_or_else(String::new, |peak| bytes(peak as f64)),
                    if phase.duration < LEAST_FOR_SHARE { "–".into() } else { percent(process.cpu_share) },
                ]
            }));
        }
        row
    });
    text.push_str(&table(&std::iter::once(head).chain(rows).collect::<Vec<_>>()));
}

fn counted(figure: &Figure) -> String {
    over_time(figure, plain)
}

fn over_time(figure: &Figure, show: fn(f64) -> String) -> String {
    format!("{} to {}, peak {}", show(figure.start), show(figure.end), show(figure.peak))
}

fn plain(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 { format!("{value:.0}") } else { format!("{value:.2}") }
}
