//! Workers that come, go and crash, by a seed.

use partition_workers::Handler;

use crate::crew::{Crew, Outcome};

/// What becomes of one worker in a round, after which there are as many as before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// One joins, and then one leaves.
    JoinLeave,
    /// One leaves, and then one joins.
    LeaveJoin,
    /// One crashes, and one joins in its place.
    Crash,
}

/// Numbers by a seed: the same again for the same seed (SplitMix64).
#[derive(Clone, Debug)]
pub struct Seeded(pub u64);

impl Seeded {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((bits ^ (bits >> 31)) % limit as u64).unwrap_or_default()
    }

    /// What comes next: with crashes, one in five is one.
    pub fn change(&mut self, crashes: bool) -> Change {
        match self.below(if crashes { 5 } else { 4 }) {
            0 | 1 => Change::JoinLeave,
            2 | 3 => Change::LeaveJoin,
            _ => Change::Crash,
        }
    }

    /// Makes one change to some worker, and waits until the group is stable again.
    pub async fn round<H: Handler>(
        &mut self,
        crew: &mut Crew,
        change: Change,
        make: impl Fn() -> H,
    ) -> Outcome {
        let one = self.below(crew.len());
        match change {
            Change::JoinLeave => {
                crew.join(make()).await?;
                crew.stable().await?;
                crew.take(one).stop().await?;
            }
            Change::LeaveJoin => {
                crew.take(one).stop().await?;
                crew.stable().await?;
                crew.join(make()).await?;
            }
            Change::Crash => {
                drop(crew.take(one));
                crew.join(make()).await?;
            }
        }
        crew.stable().await.map(drop)
    }
}
