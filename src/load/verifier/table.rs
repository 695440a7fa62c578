//! What a verifier found, as a table.

use std::cmp::Reverse;
use std::fmt;

use super::verification::{DeliveryCounts, ReceiverFigures, Verification};
use crate::memory::text;

/// Most subjects of one receiver that are printed.
const SHOWN: usize = 20;

impl fmt::Display for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [stamped, sent, confirmed] = [self.stamped(), self.sent(), self.confirmed()].map(text::count);
        write!(f, "messages: {stamped} stamped, {sent} sent, {confirmed} confirmed")?;
        if let Some(share) = self.delivered_share() {
            let missing = self.lost() + self.in_flight();
            write!(f, "; {} delivered", share_text(share, missing))?;
        }
        writeln!(f)?;
        if self.receivers().is_empty() {
            return writeln!(f, "  no receiver");
        }
        f.write_str(&text::table(&self.rows()))
    }
}

/// `100.0 %` only when nothing is missing.
fn share_text(share: f64, missing: u64) -> String {
    let text = text::percent(share);
    if missing > 0 && text == "100.0 %" { "less than 100 %".into() } else { text }
}

impl Verification {
    fn rows(&self) -> Vec<Vec<String>> {
        let head = [
            "receiver",
            "expected",
            "received",
            "lost",
            "in flight",
            "unconfirmed",
            "again",
            "late",
            "foreign",
            "p50",
            "p99",
            "max",
        ];
        let mut rows = vec![head.map(String::from).to_vec()];
        for receiver in self.receivers() {
            let mut row = cells(receiver.name.clone(), &receiver.counts);
            row.push(text::count(receiver.foreign));
            let delivery = &receiver.delivery;
            let times = [delivery.percentile(50.0), delivery.percentile(99.0), delivery.max()];
            row.extend(times.map(|time| time.map_or_else(|| "-".into(), text::duration)));
            rows.push(row);
            rows.extend(receiver.subject_rows());
        }
        rows
    }
}

impl ReceiverFigures {
    /// Those of which most was lost first; none for a single subject, of which the receiver's own row says all.
    fn subject_rows(&self) -> Vec<Vec<String>> {
        if self.subjects.len() < 2 {
            return Vec::new();
        }
        let mut subjects: Vec<_> = self.subjects.iter().collect();
        subjects.sort_by_key(|one| Reverse((one.counts.lost, one.counts.in_flight, one.counts.expected)));
        let mut rows: Vec<_> =
            subjects.iter().take(SHOWN).map(|one| cells(format!("  {}", one.subject), &one.counts)).collect();
        if let Some(more) = subjects.len().checked_sub(SHOWN).filter(|more| *more > 0) {
            rows.push(vec![format!("  and {more} more subjects")]);
        }
        rows
    }
}

fn cells(name: String, counts: &DeliveryCounts) -> Vec<String> {
    let DeliveryCounts { expected, received, lost, in_flight, unconfirmed, duplicates, reordered } = *counts;
    let numbers = [expected, received, lost, in_flight, unconfirmed, duplicates, reordered];
    std::iter::once(name).chain(numbers.map(text::count)).collect()
}
