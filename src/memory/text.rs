//! Quantities as a person reads them.

use std::time::Duration;

/// `1.31 MiB`: three figures, and the binary unit that suits.
pub(crate) fn bytes(bytes: f64) -> String {
    let units = [(1024.0_f64.powi(3), "GiB"), (1024.0 * 1024.0, "MiB"), (1024.0, "KiB")];
    match units.iter().find(|(size, _)| bytes.abs() >= *size * 0.9995) {
        Some((size, unit)) => format!("{} {unit}", three_figures(bytes / size)),
        None => format!("{bytes:.0} B"),
    }
}

/// The same with its sign, for what may shrink.
pub(crate) fn signed_bytes(value: f64) -> String {
    if value > 0.0 { format!("+{}", bytes(value)) } else { bytes(value) }
}

fn three_figures(value: f64) -> String {
    match value.abs() {
        ..9.995 => format!("{value:.2}"),
        ..99.95 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// `12 345 678`: in groups of three.
pub(crate) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// A figure that is a whole number, as one; a negative one is zero.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
pub(crate) fn whole(value: f64) -> u64 {
    value as u64
}

/// `12.3 ms`.
pub(crate) fn duration(value: Duration) -> String {
    let units = [(1.0, "s"), (1e-3, "ms"), (1e-6, "µs")];
    if value.is_zero() {
        return "0 s".into();
    }
    let seconds = value.as_secs_f64();
    let (size, unit) = units.into_iter().find(|(size, _)| seconds >= size * 0.9995).unwrap_or((1e-9, "ns"));
    format!("{} {unit}", three_figures(seconds / size))
}

/// `12.5 %`.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// Rows of cells in columns: the first to the left, the others to the right.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let cells = |column: usize| rows.iter().filter_map(move |row| row.get(column));
    let width = |column| cells(column).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::from(" ");
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let fill = " ".repeat(width - cell.chars().count());
            let parts = if column == 0 { [" ", cell, &fill] } else { ["  ", &fill, cell] };
            line.extend(parts);
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_three_figures_and_a_unit() {
        for (value, text) in [
            (0.0, "0 B"),
            (1023.0, "1023 B"),
            (1024.0, "1.00 KiB"),
            (10_230.0, "9.99 KiB"),
            (10_239.0, "10.0 KiB"),
            (1_048_575.0, "1.00 MiB"),
            (-3_500_000.0, "-3.34 MiB"),
            (5e12, "4657 GiB"),
        ] {
            assert_eq!(bytes(value), text);
        }
        assert_eq!(signed_bytes(2048.0), "+2.00 KiB");
    }

    #[test]
    fn counts_are_grouped_and_times_have_a_unit() {
        assert_eq!([count(0), count(999), count(1000), count(1_234_567)], ["0", "999", "1 000", "1 234 567"]);
        assert_eq!(duration(Duration::from_millis(1500)), "1.50 s");
        assert_eq!(duration(Duration::from_micros(1500)), "1.50 ms");
        assert_eq!(percent(0.1234), "12.3 %");
    }

    #[test]
    fn columns_are_aligned() {
        let rows = [vec!["a".into(), "10".into()], vec!["long".into(), "5".into()]];
        assert_eq!(table(&rows), "  a     10\n  long   5\n");
    }
}
