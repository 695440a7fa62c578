//! `nats bench`, where it is on PATH, on the same server and with the same sizes.

use std::process::{Command, Stdio};

use isolated_nats_benches::Error;

use crate::lab::{Case, ECHO, STORED, STREAM, UNHEARD};
use crate::loops::Took;

/// The program, if there is one, with its version.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) version: String,
}

impl Peer {
    pub(crate) fn find() -> Option<Self> {
        let output = Command::new("nats").arg("--version").stdin(Stdio::null()).output().ok()?;
        // It prints its version to one or the other, by version.
        let text = [output.stdout, output.stderr].concat();
        let version = String::from_utf8_lossy(&text).trim().to_owned();
        output.status.success().then_some(Self { version })
    }

    /// Runs it once for a case.
    pub(crate) fn run(&self, url: &str, case: Case, operations: u64) -> Result<Took, Error> {
        let output = Command::new("nats")
            .args(["--server", url])
            .args(arguments(case, operations))
            .stdin(Stdio::null())
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            let why = String::from_utf8_lossy(&output.stderr);
            return Err(format!("`nats bench` for {}: {}", case.name(), why.trim()).into());
        }
        parse(&text).ok_or_else(|| format!("`nats bench` for {} printed `{text}`", case.name()).into())
    }
}

fn arguments(case: Case, operations: u64) -> Vec<String> {
    let slice = case.slice(operations);
    let words: Vec<String> = match case {
        Case::Publish { .. } => ["pub", UNHEARD].map(Into::into).into(),
        Case::Request { in_flight } => {
            ["service", "request", ECHO, "--clients", &in_flight.to_string()].map(Into::into).into()
        }
        Case::Store { in_flight: 1 } => {
            ["js", "pub", "sync", STORED, "--stream", STREAM].map(Into::into).into()
        }
        Case::Store { in_flight } => {
            let batch = in_flight.to_string();
            ["js", "pub", "async", STORED, "--stream", STREAM, "--batch", &batch].map(Into::into).into()
        }
        Case::Put => ["kv", "put", "--storage", "memory"].map(Into::into).into(),
        Case::Get => ["kv", "get"].map(Into::into).into(),
    };
    let (messages, size) = (slice.operations.to_string(), slice.bytes.to_string());
    let common = ["--msgs", &messages, "--size", &size, "--no-progress"].map(Into::into);
    std::iter::once("bench".to_owned()).chain(words).chain(common).collect()
}

/// Reads the last line with a rate (of all clients together, where there are several), and the last percentiles.
fn parse(text: &str) -> Option<Took> {
    let line = text.lines().rfind(|line| line.contains(" stats: ") && line.contains(" msgs/sec"))?;
    let (before, _) = line.split_once(" msgs/sec")?;
    let per_second = number(before.rsplit(' ').next()?)?;
    let latency = percentile(text, "P50").zip(percentile(text, "P99"));
    Some(Took { per_second, latency })
}

/// The figure in microseconds after a name, such as `P99: 1,234.5us` or `P99 1,234.5us`; not that of `P99.9`.
fn percentile(text: &str, name: &str) -> Option<f64> {
    let is_it = |after: &&str| after.starts_with([':', ' ']);
    let after = text.rsplit(name).filter(is_it).next()?;
    let (figure, _) = after.trim_start_matches([':', ' ']).split_once("us")?;
    number(figure)
}

fn number(text: &str) -> Option<f64> {
    text.replace(',', "").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_one_client_is_read() {
        let text = "12:00:01 Starting Core NATS service request benchmark [clients=1]\n\
                    NATS Core NATS service requester stats: 11,735 msgs/sec ~ 183 KiB/sec ~ min: 61us ~ avg: 84.7us ~ \
                    max: 1,034.22us ~ P50: 78.01us ~ P90: 110us ~ P99: 1,166.5us ~ P99.9: 402us\n";
        let took = parse(text).unwrap();
        assert_eq!((took.per_second, took.latency), (11_735.0, Some((78.01, 1_166.5))));
    }

    #[test]
    fn of_several_clients_the_lines_for_all_are_read() {
        let text = "  [1] 1,000 msgs/sec ~ 15 KiB/sec ~ P50: 1us ~ P90: 2us ~ P99: 3us ~ P99.9: 4us (50 msgs)\n\
                    \n NATS Core NATS service requester aggregated stats: 112,003 msgs/sec ~ 1.7 MiB/sec\n \
                    message rates min 1,000 | avg 1,750 | max 1,800 | stddev 3 msgs\n \
                    latencies per operation min 99us | avg 570us | max 9,000us | stddev 7us | P50 502us | P90 900us | \
                    P99 1,469.2us | P99.9: 3,000us\n";
        let took = parse(text).unwrap();
        assert_eq!((took.per_second, took.latency), (112_003.0, Some((502.0, 1_469.2))));
    }

    #[test]
    fn versions_without_latencies_have_a_rate_and_others_nothing() {
        let took = parse("Pub stats: 1,500,000 msgs/sec ~ 23 MiB/sec\n").unwrap();
        assert_eq!((took.per_second, took.latency), (1_500_000.0, None));
        assert!(parse("No publisher or subscribers. Nothing to report.").is_none());
    }
}
