//! Which operation is done next.

use std::sync::Arc;

use super::serve::Operation;
use crate::load::random::mix;

/// An operation with its name and its share.
#[derive(Clone)]
pub(in crate::load) struct Named {
    pub(in crate::load) name: String,
    pub(in crate::load) weight: u32,
    pub(in crate::load) operation: Arc<dyn Operation>,
}

/// Draws operations by their weights: which one depends on the seed and the number alone, however the run goes.
#[derive(Debug)]
pub(super) struct Mixture {
    /// Where the share of each operation ends.
    ends: Vec<u64>,
    seed: u64,
}

impl Mixture {
    pub(super) fn new(operations: &[Named], seed: u64) -> Self {
        let mut end = 0;
        let ends = operations.iter().map(|operation| {
            end += u64::from(operation.weight);
            end
        });
        Self { ends: ends.collect(), seed }
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The operation with which arrival `number` is done.
    pub(super) fn operation(&self, number: u64) -> usize {
        match self.ends.as_slice() {
            [] | [_] => 0,
            [.., last] => {
                let drawn = mix(self.seed ^ 0xa5a5, number) % last;
                self.ends.partition_point(|end| *end <= drawn)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_follow_the_weights() {
        let mixture = Mixture { ends: vec![30, 30, 100], seed: 5 };
        let mut counts = [0_u32; 3];
        (0..100_000).for_each(|number| counts[mixture.operation(number)] += 1);
        assert_eq!(counts[1], 0);
        assert!((29_000..31_000).contains(&counts[0]), "{counts:?}");
    }
}
