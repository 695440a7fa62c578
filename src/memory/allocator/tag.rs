//! The eight bytes behind each block: whose it is, and since when.
//!
//! Rust gives the size back when a block is freed, so that they can stand behind it: alignment, lazy zeroing and resizing
//! in place stay as they are, and glibc's smallest classes (16n + 8) hold them without growing.

use super::domain::DomainId;

/// What every block is longer by, in bytes.
pub(super) const TAG_BYTES: usize = 8;

/// The number of probe starts before a block was allocated, or last resized; it stops counting at its maximum.
pub(super) type Epoch = u16;

/// The owner of a block, and the epoch it was allocated or last resized in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag {
    pub(super) domain: DomainId,
    pub(super) epoch: Epoch,
}

const EPOCH_BITS: u32 = Epoch::BITS;
/// A domain of 24 bits and an epoch of 16; the 24 bits above them are zero.
const PAYLOAD_BITS: u32 = 40;

/// 2^64 over the golden ratio, as in Fibonacci hashing, and the number that undoes a multiplication by it.
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
const INVERSE: u64 = 0xf1de_83e1_9937_733d;
const _: () = assert!(MULTIPLIER.wrapping_mul(INVERSE) == 1);

/// The owner of a block as it is in a tag, where the epoch is still to be put in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owner(u64);

impl Owner {
    /// No tag of a block has this owner.
    pub(super) const NOBODY: Self = Self(1 << PAYLOAD_BITS);

    pub(super) fn new(domain: DomainId) -> Self {
        Self(u64::from(domain.number()) << EPOCH_BITS)
    }

    #[inline(always)]
    pub(super) fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    #[inline(always)]
    pub(super) const fn bits(self) -> u64 {
        self.0
    }

    pub(super) fn domain(self) -> DomainId {
        DomainId::from_number((self.0 >> EPOCH_BITS) as u32)
    }

    /// What stands at `address` behind a block of this owner: each bit depends on owner, epoch and address, and a block
    /// that was allocated elsewhere, or whose end was overwritten, is told by what it then decodes to.
    #[inline(always)]
    pub(super) fn seal(self, epoch: Epoch, address: usize) -> u64 {
        ((self.0 | u64::from(epoch)) ^ turned(address)).wrapping_mul(MULTIPLIER)
    }
}

impl Tag {
    /// What stands at `address`.
    #[cfg(test)]
    pub(super) fn seal(self, address: usize) -> u64 {
        Owner::new(self.domain).seal(self.epoch, address)
    }

    /// Reads what stands at `address`; `None` when it is no tag of that place.
    #[inline(always)]
    pub(super) fn open(sealed: u64, address: usize) -> Option<Self> {
        let payload = sealed.wrapping_mul(INVERSE) ^ turned(address);
        (payload >> PAYLOAD_BITS == 0)
            .then_some(Self { domain: Owner(payload).domain(), epoch: payload as Epoch })
    }
}

/// The address with its lower bits, in which two places differ, above those of the payload.
#[inline(always)]
fn turned(address: usize) -> u64 {
    (address as u64).rotate_left(PAYLOAD_BITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_read_where_it_was_written_and_nowhere_else() {
        for (domain, epoch, address) in
            [(0, 0, 0x1000), (1, 1, 0x1001), (0xff_ffff, u16::MAX, usize::MAX - 8)]
        {
            let tag = Tag { domain: DomainId::from_number(domain), epoch };
            let sealed = tag.seal(address);
            assert_eq!(Tag::open(sealed, address), Some(tag));
            assert_eq!(Tag::open(sealed, address ^ 16), None);
            assert_eq!(Tag::open(sealed ^ (1 << 20), address), None);
        }
        assert_eq!(Tag::open(0, 0x7f00_1234_5678), None);
        assert_eq!(Tag::open(u64::MAX, 0x7f00_1234_5678), None);
    }

    #[test]
    fn each_byte_that_is_overwritten_is_noticed() {
        let (tag, address) = (Tag { domain: DomainId::from_number(7), epoch: 3 }, 0x7f12_3456_7890);
        let sealed = tag.seal(address);
        for (byte, change) in (0..8).flat_map(|byte| (1..=255_u64).map(move |change| (byte, change))) {
            assert_eq!(Tag::open(sealed ^ change << (8 * byte), address), None, "{byte} {change}");
        }
    }

    #[test]
    fn what_is_no_tag_is_rarely_taken_for_one() {
        let mut state = 1_u64;
        let taken = (0..if cfg!(miri) { 1000 } else { 1_000_000 }).filter(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            Tag::open(state, (state >> 17) as usize).is_some()
        });
        assert!(taken.count() < 5, "one in sixteen million is expected");
    }
}
