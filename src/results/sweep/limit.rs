//! Up to which level all is well, and which one to look at next.

use super::Limit;
use super::rung::Rung;

/// Levels nearer to each other than this are the same.
const NEAR: f64 = 1.05;

/// The highest level of those that are well from the lowest one on; `None` when the lowest one is not.
///
/// A level that only a busy machine may have spoiled ends nothing when a higher one is well.
pub(super) fn limit(rungs: &[Rung]) -> Option<Limit> {
    let well_above = |at: usize| rungs[at + 1..].iter().any(Rung::is_well);
    let is_ill = |at: &usize| !(rungs[*at].is_well() || rungs[*at].is_excused() && well_above(*at));
    let first_ill = (0..rungs.len()).find(is_ill);
    let last_well = rungs[..first_ill.unwrap_or(rungs.len())].iter().rev().find(|rung| rung.is_well())?;
    let ill = first_ill.and_then(|at| rungs.get(at));
    Some(Limit { level: last_well.level, fails_at: ill.map(|rung| rung.level), why: ill.and_then(Rung::why) })
}

/// The level between the last good and the first bad one, in the middle by their ratio; `None` when there is none, or they are near.
/// Between whole numbers it is a whole number.
pub(super) fn between(limit: &Limit) -> Option<f64> {
    let (low, high) = (limit.level, limit.fails_at?);
    if high / low < NEAR {
        return None;
    }
    let middle = (low * high).sqrt();
    let middle = if low.fract() == 0.0 && high.fract() == 0.0 { middle.round() } else { middle };
    (low < middle && middle < high).then_some(middle)
}

#[cfg(test)]
mod tests {
    use super::super::window::Window;
    use super::*;

    fn rung(level: f64, ill: usize, windows: usize) -> Rung {
        let problems = |at| if at < ill { vec!["`p99<5ms`: was 9 ms".to_owned()] } else { Vec::new() };
        let window = |at| Window { problems: problems(at), ..Window::default() };
        Rung { level, windows: (0..windows).map(window).collect() }
    }

    #[test]
    fn the_limit_is_below_the_first_level_that_most_windows_fail() {
        let rungs = [rung(1.0, 0, 3), rung(2.0, 1, 3), rung(4.0, 2, 3), rung(8.0, 0, 3)];
        let limit = limit(&rungs).unwrap();
        assert_eq!((limit.level, limit.fails_at), (2.0, Some(4.0)));
        assert_eq!(limit.why.unwrap(), "`p99<5ms`: was 9 ms (so or otherwise in 2 of 3 windows)");
        assert_eq!(rungs[2].problems().len(), 2);
        assert_eq!(rungs[1].problems(), Vec::<String>::new());
    }

    #[test]
    fn without_a_bad_level_the_limit_is_the_highest_and_without_a_good_one_there_is_none() {
        let found = limit(&[rung(1.0, 0, 1), rung(2.0, 0, 1)]).unwrap();
        assert_eq!((found.level, found.fails_at, found.why.clone()), (2.0, None, None));
        assert_eq!(between(&found), None);
        assert_eq!(limit(&[rung(1.0, 1, 2), rung(2.0, 0, 1)]), None);
        assert_eq!(limit(&[]), None);
    }

    #[test]
    fn a_level_that_the_machine_spoiled_ends_nothing_when_a_higher_one_is_well() {
        let spoiled = |level| {
            let mut rung = rung(level, 3, 3);
            rung.windows.iter_mut().for_each(|window| window.excused = true);
            rung
        };
        let found = limit(&[rung(1.0, 0, 3), spoiled(2.0), rung(4.0, 0, 3), spoiled(8.0)]).unwrap();
        assert_eq!((found.level, found.fails_at), (4.0, Some(8.0)));
        let found = limit(&[spoiled(1.0), rung(2.0, 0, 3), rung(4.0, 2, 3), rung(8.0, 0, 3)]).unwrap();
        assert_eq!((found.level, found.fails_at), (2.0, Some(4.0)));
        assert_eq!(limit(&[spoiled(1.0), spoiled(2.0)]), None);
    }

    #[test]
    fn the_next_level_is_in_the_middle_by_ratio() {
        let next = |level, fails_at| between(&Limit { level, fails_at: Some(fails_at), why: None });
        assert_eq!(next(4.0, 8.0), Some(6.0));
        assert_eq!(next(3.0, 4.0), None);
        assert_eq!(next(1000.0, 4000.0), Some(2000.0));
        assert_eq!(next(1000.0, 1040.0), None);
        assert_eq!(next(0.5, 2.0), Some(1.0));
    }
}
