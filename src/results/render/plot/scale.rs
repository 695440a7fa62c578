//! From values to places, with ticks at round values.

use crate::memory::text;
use crate::results::metric::Unit;

/// An axis from `low` to `high`, which are never the same.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scale {
    low: f64,
    high: f64,
    log: bool,
    /// In ascending order, each with its text.
    pub(super) ticks: Vec<(f64, String)>,
}

impl Scale {
    /// Holds all the values, and zero where that costs less than half of its length or `zero` asks for it; `None` without values.
    pub(super) fn linear(values: impl IntoIterator<Item = f64>, unit: &Unit, zero: bool) -> Option<Self> {
        let (mut low, mut high) = bounds(values)?;
        if zero || (low > 0.0 && low < high / 2.0) {
            low = low.min(0.0);
            high = high.max(0.0);
        }
        if high - low <= high.abs().max(low.abs()) * 1e-9 {
            let around = if high == 0.0 { 1.0 } else { high.abs() * 0.1 };
            (low, high) = (if low == 0.0 { 0.0 } else { low - around }, high + around);
        }
        let (size, name) = unit_of(unit, low.abs().max(high.abs()));
        let step = nice((high - low) / size / 5.0);
        let first = (low / size / step + 1e-9).floor();
        let steps = ((high / size / step - 1e-9).ceil() - first).clamp(1.0, 50.0);
        let ticks = (0..=text::whole(steps)).map(|tick| {
            let value = (first + tick as f64) * step;
            (value * size, format!("{}{name}", decimals(value, step)))
        });
        let (low, high) = (first * step * size, (first + steps) * step * size);
        Some(Self { low, high, log: false, ticks: ticks.collect() })
    }

    /// Holds those values that are above zero; `None` without any.
    pub(super) fn log(values: impl IntoIterator<Item = f64>, unit: &Unit) -> Option<Self> {
        let (low, high) = bounds(values.into_iter().filter(|value| *value > 0.0))?;
        let (low, high) = if high > low * 1.02 { (low, high) } else { (low / 1.5, high * 1.5) };
        // Room for what is at the ends.
        let room = (high / low).powf(0.03);
        let (low, high) = (low / room, high * room);
        let ticks = log_ticks(low, high).into_iter().map(|value| (value, log_text(value, unit)));
        Some(Self { low, high, log: true, ticks: ticks.collect() })
    }

    /// With these ticks and no others.
    pub(super) fn with_ticks(mut self, ticks: Vec<(f64, String)>) -> Self {
        self.ticks = ticks;
        self
    }

    pub(super) fn of(low: f64, high: f64, ticks: Vec<(f64, String)>) -> Self {
        Self { low, high, log: false, ticks }
    }

    pub(super) fn bounds(&self) -> (f64, f64) {
        (self.low, self.high)
    }

    /// From 0 at the low end to 1 at the high one; what is beyond is at the end.
    pub(super) fn place(&self, value: f64) -> f64 {
        let place = if self.log {
            (value.max(f64::MIN_POSITIVE) / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        place.clamp(0.0, 1.0)
    }

    /// The value so far up, from 0 to 1.
    pub(super) fn value(&self, place: f64) -> f64 {
        if self.log {
            self.low * (self.high / self.low).powf(place)
        } else {
            self.low + place * (self.high - self.low)
        }
    }
}

fn bounds(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    let values = values.into_iter().filter(|value| value.is_finite());
    values.fold(None, |all, value| match all {
        None => Some((value, value)),
        Some((low, high)) => Some((value.min(low), value.max(high))),
    })
}

/// 1, 2 or 5 times a power of ten, at least `step`.
fn nice(step: f64) -> f64 {
    let power = 10_f64.powf(step.max(f64::MIN_POSITIVE).log10().floor());
    let times = [1.0, 2.0, 5.0].into_iter().find(|times| times * power >= step * 0.999).unwrap_or(10.0);
    times * power
}

/// The unit that suits a value, and its size.
fn unit_of(unit: &Unit, largest: f64) -> (f64, &'static str) {
    const KIB: f64 = 1024.0;
    let units: &[(f64, &str)] = match unit {
        Unit::Seconds => &[(1.0, " s"), (1e-3, " ms"), (1e-6, " µs"), (1e-9, " ns")],
        Unit::Bytes => &[(KIB * KIB * KIB, " GiB"), (KIB * KIB, " MiB"), (KIB, " KiB"), (1.0, " B")],
        Unit::Share => &[(0.01, " %")],
        _ => &[(1e12, " T"), (1e9, " G"), (1e6, " M"), (1.0, "")],
    };
    let fits = units.iter().find(|(size, _)| largest >= *size * 0.9995);
    fits.or(units.last()).copied().unwrap_or((1.0, ""))
}

/// With as many digits as the step has.
fn decimals(value: f64, step: f64) -> String {
    if value.abs() >= 1e6 {
        let rounded = format!("{value:.3e}").parse::<f64>().unwrap_or(value);
        return format!("{rounded:e}");
    }
    let digits = text::whole((-step.log10() - 0.01).ceil().clamp(0.0, 12.0));
    let value = if value.abs() < step * 1e-6 { 0.0 } else { value };
    match usize::try_from(digits).unwrap_or(0) {
        0 if value >= 0.0 => text::count(text::whole(value.round())),
        digits => format!("{value:.digits$}"),
    }
}

/// Powers of ten; with their halves and fifths where there are few, and fewer where there are many.
fn log_ticks(low: f64, high: f64) -> Vec<f64> {
    let (first, last) = (low.log10().floor(), high.log10().ceil());
    let times: &[f64] = if (high / low).log10() <= 3.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
    let every = ((last - first) / 9.0).ceil().max(1.0);
    let first = (first / every).floor() * every;
    let powers = (0..=text::whole((last - first) / every)).map(|power| first + power as f64 * every);
    let all = powers.flat_map(|power| times.iter().map(move |times| times * 10_f64.powf(power)));
    let within: Vec<_> = all.filter(|tick| (low * 0.999..=high * 1.001).contains(tick)).collect();
    if within.len() > 1 { within } else { vec![low, high] }
}

/// Two figures at most, but for the ends of a range without a round value in it.
fn log_text(value: f64, unit: &Unit) -> String {
    let (size, name) = unit_of(unit, value);
    let number = value / size;
    let rounded = format!("{number:.1e}").parse::<f64>().unwrap_or(number);
    match rounded {
        1000.0.. if rounded.fract() == 0.0 => format!("{}{name}", text::count(text::whole(rounded))),
        0.001.. => format!("{rounded}{name}"),
        _ => format!("{rounded:e}{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(scale: &Scale) -> Vec<&str> {
        scale.ticks.iter().map(|(_, text)| text.as_str()).collect()
    }

    #[test]
    fn ticks_are_round_and_have_a_unit() {
        let linear = |values: [f64; 2], unit, zero| Scale::linear(values, &unit, zero).unwrap();
        assert_eq!(texts(&linear([0.0, 0.0123], Unit::Seconds, true)), ["0 ms", "5 ms", "10 ms", "15 ms"]);
        assert_eq!(
            texts(&linear([9800.0, 10100.0], Unit::PerSecond, false)),
            ["9 800", "9 900", "10 000", "10 100"]
        );
        let mib = 1024.0 * 1024.0;
        assert_eq!(
            texts(&linear([0.0, 1.9 * mib], Unit::Bytes, true)),
            ["0.0 MiB", "0.5 MiB", "1.0 MiB", "1.5 MiB", "2.0 MiB"]
        );
        assert_eq!(texts(&linear([0.0, 3e9], Unit::Count, true)), ["0 G", "1 G", "2 G", "3 G"]);
        assert_eq!(texts(&linear([-2.0, 2.0], Unit::Count, false)), ["-2", "-1", "0", "1", "2"]);
        assert_eq!(texts(&linear([0.0, 1.9e13], Unit::Seconds, true))[1], "5e12 s");
    }

    #[test]
    fn equal_values_and_single_ones_have_room_around() {
        for value in [0.0, 1e-9, 5.0, -3.0, 1e18] {
            let scale = Scale::linear([value, value], &Unit::Count, false).unwrap();
            let (low, high) = scale.bounds();
            assert!(
                low < high && scale.ticks.len() > 1 && low <= value && value <= high,
                "{value}: {scale:?}"
            );
        }
        assert_eq!(Scale::linear([], &Unit::Count, true), None);
        assert_eq!(Scale::log([0.0, -1.0], &Unit::Count), None);
        let scale = Scale::log([0.004], &Unit::Seconds).unwrap();
        assert!((scale.place(0.004) - 0.5).abs() < 1e-9, "{scale:?}");
    }

    #[test]
    fn decades_have_ticks_and_so_have_short_ranges() {
        let texts = |low, high| texts(&Scale::log([low, high], &Unit::Seconds).unwrap()).join(", ");
        assert_eq!(texts(50e-6, 0.02), "50 µs, 100 µs, 200 µs, 500 µs, 1 ms, 2 ms, 5 ms, 10 ms, 20 ms");
        assert_eq!(texts(1e-8, 100.0).split(", ").count(), 6);
        assert_eq!(texts(0.0031, 0.0044), "3.1 ms, 4.4 ms");
    }

    #[test]
    fn a_place_and_its_value_belong_together() {
        for scale in [Scale::linear([2.0, 9.0], &Unit::Count, true), Scale::log([2.0, 900.0], &Unit::Count)] {
            let scale = scale.unwrap();
            assert!((scale.value(scale.place(5.0)) - 5.0).abs() < 1e-9);
            assert_eq!([scale.place(-1.0), scale.place(1e9)], [0.0, 1.0]);
        }
    }
}
