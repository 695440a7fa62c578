//! In which order the sides run.

/// The order of a round. Two sides go A B, B A, B A, A B. More go by the rows of a Williams square: in as many rounds as there are sides (twice as
/// many, where their number is odd) each is at each place once, and comes after each other once (twice). What a side leaves behind, such as
/// a server that still writes, then meets all others alike.
pub(super) fn order(sides: usize, round: usize) -> Vec<usize> {
    if sides < 3 {
        let is_turned = matches!(round % 4, 1 | 2);
        let mut order: Vec<usize> = (0..sides).collect();
        if is_turned {
            order.reverse();
        }
        return order;
    }
    // Odd numbers take each row forwards and backwards.
    let is_turned = sides % 2 == 1 && (round / sides) % 2 == 1;
    let mut order: Vec<usize> = (0..sides).map(|place| (zigzag(sides, place) + round) % sides).collect();
    if is_turned {
        order.reverse();
    }
    order
}

/// 0, 1, n - 1, 2, n - 2, ...
fn zigzag(sides: usize, place: usize) -> usize {
    if place % 2 == 1 { place.div_ceil(2) } else { (sides - place / 2) % sides }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_sides_take_turns() {
        let rounds: Vec<Vec<usize>> = (0..5).map(|round| order(2, round)).collect();
        assert_eq!(rounds, [[0, 1], [1, 0], [1, 0], [0, 1], [0, 1]]);
        assert_eq!([order(1, 0), order(1, 3)], [[0], [0]]);
    }

    #[test]
    fn each_is_at_each_place_and_after_each_other_as_often() {
        for sides in 2..8 {
            let rounds = if sides == 2 { 4 } else { sides * (1 + sides % 2) };
            let orders: Vec<Vec<usize>> = (0..rounds).map(|round| order(sides, round)).collect();
            let places = rounds / sides;
            for (one, place) in (0..sides).flat_map(|one| (0..sides).map(move |place| (one, place))) {
                let here = orders.iter().filter(|order| order[place] == one).count();
                assert_eq!(here, places, "side {one} at {place} of {sides}");
                let after =
                    orders.iter().flat_map(|order| order.windows(2)).filter(|pair| **pair == [one, place]);
                assert_eq!(
                    after.count(),
                    if one == place { 0 } else { places },
                    "{place} after {one} of {sides}"
                );
            }
        }
    }
}
