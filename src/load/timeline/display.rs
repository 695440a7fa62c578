//! A timeline as a table with bars.

use std::fmt;

use super::window::number;
use super::{Timeline, Window};
use crate::memory::text;

/// Most rows of a table.
const ROWS: usize = 40;
/// Characters of the longest bar.
const BAR: usize = 24;
/// From an eighth of a character to all of it.
const EIGHTHS: [char; 8] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

impl fmt::Display for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.windows.is_empty() {
            return f.write_str("  no window\n");
        }
        let together = self.windows.len().div_ceil(ROWS);
        let windows: Vec<_> = self.windows.chunks(together).filter_map(Window::merged).collect();
        let rates = windows.iter().filter_map(Window::succeeded_per_second);
        let highest = rates.fold(0.0, f64::max);
        let head = ["from", "due", "well", "failed", "outstanding", "p50", "p99", "max", "well/s", ""];
        let mut rows = vec![head.map(String::from).to_vec()];
        rows.extend(windows.iter().map(|window| row(window, highest)));
        f.write_str(&text::table(&rows))
    }
}

fn row(window: &Window, highest: f64) -> Vec<String> {
    let time = |time: Option<_>| time.map_or_else(|| "-".into(), text::duration);
    let rate = window.succeeded_per_second();
    vec![
        format!("{:.2} s", window.at.as_secs_f64()),
        window.due.map_or_else(|| "-".into(), text::count),
        text::count(window.succeeded),
        text::count(window.failed),
        text::count(window.outstanding),
        time(window.p50),
        time(window.p99),
        time(window.max),
        rate.map_or_else(|| "-".into(), |rate| text::count(text::whole(rate.round()))),
        bar(rate.unwrap_or(0.0), highest),
    ]
}

/// As many eighths of a character as the value is of the highest, filled up with blanks: the column is aligned to the right.
fn bar(value: f64, highest: f64) -> String {
    let eighths = if highest > 0.0 { value / highest * number(BAR as u64 * 8) } else { 0.0 };
    let eighths = usize::try_from(text::whole(eighths.round())).unwrap_or(0).min(BAR * 8);
    let mut bar: String = std::iter::repeat_n(EIGHTHS[7], eighths / 8).collect();
    bar.extend(eighths.checked_rem(8).filter(|rest| *rest > 0).map(|rest| EIGHTHS[rest - 1]));
    let fill = BAR - bar.chars().count();
    bar + &" ".repeat(fill)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn bars_are_in_proportion() {
        assert_eq!(bar(100.0, 100.0), "█".repeat(24));
        assert_eq!(bar(50.0, 100.0).trim_end(), "█".repeat(12));
        assert_eq!(bar(1.0, 100.0).trim_end(), "▎");
        assert_eq!([bar(0.0, 100.0), bar(0.0, 0.0)], [" ".repeat(24), " ".repeat(24)]);
    }

    #[test]
    fn a_long_run_has_forty_rows_and_loses_nothing() {
        let window = |number: u32| Window {
            at: Duration::from_millis(100) * number,
            length: Duration::from_millis(100),
            due: Some(10),
            succeeded: if number == 990 { 0 } else { 10 },
            failed: u64::from(number == 990),
            outstanding: u64::from(number),
            p50: Some(Duration::from_micros(150)),
            p99: Some(Duration::from_micros(900)),
            max: None,
        };
        let timeline = Timeline { windows: (0..1000).map(window).collect() };
        let table = timeline.to_string();
        let lines: Vec<_> = table.lines().collect();
        assert_eq!(lines.len(), 41);
        let cells: Vec<_> = lines[1].split_whitespace().collect();
        let bar = "█".repeat(24);
        let expected = ["0.00", "s", "250", "250", "0", "24", "150", "µs", "900", "µs", "-", "100", &bar];
        assert_eq!(cells, expected);
        assert!(lines[40].contains("  240       1 "), "{table}");
        assert_eq!(Timeline::default().to_string(), "  no window\n");
    }

    #[test]
    fn a_closed_loop_has_nothing_due_and_an_outage_no_latency() {
        let window = Window {
            at: Duration::ZERO,
            length: Duration::from_millis(100),
            due: None,
            succeeded: 0,
            failed: 3,
            outstanding: 8,
            p50: None,
            p99: None,
            max: None,
        };
        let table = Timeline { windows: vec![window] }.to_string();
        let cells: Vec<_> = table.lines().nth(1).unwrap().split_whitespace().collect();
        assert_eq!(cells, ["0.00", "s", "-", "0", "3", "8", "-", "-", "-", "0"]);
    }
}
