//! What was measured of one scenario, or of one side of a comparison.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::files;
use super::fingerprint::Fingerprint;
use super::metric::Metric;
use super::target::Target;
use super::time::Moment;
use crate::load::{Latency, LoadReport};
use crate::memory::MemoryReport;

/// The schema that this version writes. Older ones are read; of newer ones, what is known is, if their number says that it can be.
pub const SCHEMA: u32 = 1;

/// The key of a configuration under which the path of a test is that has a baseline by the attribute.
pub(super) const TEST: &str = "test";

/// What was measured of one scenario, or of one side of a comparison: every output is made from it.
///
/// What was not measured is `None`, or absent; it is never zero, and never a default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Record {
    /// The version of the schema: [`SCHEMA`].
    pub schema: u32,
    /// What was measured, as the test calls it.
    pub scenario: String,
    /// Which side of a comparison it is; `None` when it stands alone.
    pub side: Option<String>,
    /// When the first round began.
    pub taken: Moment,
    /// Whether it was a quick run (`ISOLATED_NATS_QUICK=1`), which never becomes a baseline.
    pub quick: bool,
    /// How many rounds were measured.
    pub rounds: usize,
    /// What the machine and the build were.
    #[serde(default)]
    pub fingerprint: Fingerprint,
    /// What the scenario was set to, by the test and by the load generator: two records can be compared when these are equal.
    #[serde(default)]
    pub configuration: BTreeMap<String, String>,
    /// SHA-256 of the configuration, in hexadecimal: of each key and value in the order of the keys, each after its length in bytes (8
    /// bytes, the lowest first).
    #[serde(default)]
    pub configuration_hash: String,
    /// What was measured, in the order in which it was.
    pub metrics: Vec<Metric>,
    /// What the control was, which ran in turn with what is measured.
    pub control: Option<String>,
    /// What was aimed at.
    #[serde(default)]
    pub targets: Vec<Target>,
    /// Rounds whose figures cannot be believed, and why: the round, from 0, and the reason.
    #[serde(default)]
    pub invalid: Vec<(usize, String)>,
    /// The response times of all rounds together; in closed loops the service times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<Latency>,
    /// The load of the last round, whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<LoadReport>,
    /// The memory of the last round, whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<MemoryReport>,
}

/// SHA-256 of a configuration, in hexadecimal: of each key and value in the order of the keys, each after its length in bytes (8 bytes, the
/// lowest first), so that no two configurations are one text.
pub(super) fn configuration_hash(configuration: &BTreeMap<String, String>) -> String {
    let mut bytes = Vec::new();
    for text in configuration.iter().flat_map(|(key, value)| [key, value]) {
        bytes.extend((text.len() as u64).to_le_bytes());
        bytes.extend(text.as_bytes());
    }
    files::sha256(&bytes)
}

/// What differs between two configurations, in the order of the keys: `payload: 1 KiB, was 128 B`.
pub(super) fn configuration_differences(
    now: &BTreeMap<String, String>,
    was: &BTreeMap<String, String>,
) -> Vec<String> {
    let keys: BTreeSet<&String> = now.keys().chain(was.keys()).collect();
    let differs = keys.into_iter().filter(|key| now.get(*key) != was.get(*key));
    let text = |value: Option<&String>| value.map_or("not set", String::as_str).to_owned();
    differs.map(|key| format!("{key}: {}, was {}", text(now.get(key)), text(was.get(key)))).collect()
}

impl Record {
    /// Makes a record without metrics: taken now, of 0 rounds, of this scenario, with nothing known of the machine.
    #[must_use]
    pub fn new(scenario: impl Into<String>) -> Self {
        Self {
            schema: SCHEMA,
            scenario: scenario.into(),
            side: None,
            taken: Moment::now(),
            quick: false,
            rounds: 0,
            fingerprint: Fingerprint::default(),
            configuration: BTreeMap::new(),
            configuration_hash: configuration_hash(&BTreeMap::new()),
            metrics: Vec::new(),
            control: None,
            targets: Vec::new(),
            invalid: Vec::new(),
            latency: None,
            load: None,
            memory: None,
        }
    }

    /// Adds to what the scenario was set to, and takes the hash anew; a value that is there already is replaced.
    #[must_use]
    pub fn configured(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.configuration.insert(key.into(), value.into());
        self.configuration_hash = configuration_hash(&self.configuration);
        self
    }

    /// Returns a metric by its name.
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<&Metric> {
        self.metrics.iter().find(|metric| metric.name == name)
    }

    /// A metric by its name, without the samples of rounds that cannot be believed.
    pub(super) fn believed(&self, name: &str) -> Option<Metric> {
        let mut metric = self.metric(name)?.clone();
        for (round, _) in &self.invalid {
            if let Some(sample) = metric.samples.get_mut(*round) {
                *sample = None;
            }
        }
        Some(metric)
    }

    /// Returns the side's name, or that of the scenario.
    #[must_use]
    pub fn title(&self) -> &str {
        self.side.as_deref().unwrap_or(&self.scenario)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configuration(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    /// By Python: `hashlib.sha256(b"".join(struct.pack("<Q", len(t)) + t for t in [b"a", b"1", b"b", b"22"])).hexdigest()`.
    #[test]
    fn a_hash_depends_on_each_key_and_value_and_not_on_their_order() {
        let hash = |pairs: &[(&str, &str)]| configuration_hash(&configuration(pairs));
        let expected = "c9c0bac2fd78215012efda1c9889ea6598a978f0bc57ee0ae53cf2ee83573f0e";
        assert_eq!(hash(&[("a", "1"), ("b", "22")]), expected);
        assert_eq!(hash(&[("b", "22"), ("a", "1")]), expected);
        assert_eq!(hash(&[]), files::sha256(b""));
        assert_ne!(hash(&[("a", "b")]), hash(&[("ab", "")]));
        assert_ne!(hash(&[("a", "1"), ("b", "22")]), hash(&[("a", "1b22")]));
    }

    #[test]
    fn a_record_that_is_configured_has_the_hash_of_it() {
        let record = Record::new("a").configured("b", "21").configured("a", "1").configured("b", "22");
        assert_eq!(record.configuration, configuration(&[("a", "1"), ("b", "22")]));
        assert_eq!(record.configuration_hash, configuration_hash(&record.configuration));
    }

    #[test]
    fn differences_are_named_by_key() {
        let was = configuration(&[("gone", "1"), ("payload", "128 B"), ("same", "x")]);
        let now = configuration(&[("added", "2"), ("payload", "1 KiB"), ("same", "x")]);
        assert_eq!(
            configuration_differences(&now, &was),
            ["added: 2, was not set", "gone: not set, was 1", "payload: 1 KiB, was 128 B"]
        );
        assert!(configuration_differences(&now, &now).is_empty());
    }
}
