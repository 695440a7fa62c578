//! The stack of an allocation: return addresses now, names and lines when they are wanted.

/// How many return addresses are kept.
pub(crate) const FRAMES: usize = 64;

/// Writes the return addresses of the calling thread, innermost first, and returns how many there are. It allocates
/// nothing through us, and takes no lock, so that it can be called within an allocation.
pub(super) fn capture(addresses: &mut [usize; FRAMES]) -> usize {
    let mut count = 0;
    let look = |frame: &backtrace::Frame| {
        addresses[count] = frame.ip().addr();
        count += 1;
        count < FRAMES
    };
    // SAFETY: the lock that the other form takes guards the symbols of Windows, of which none are looked up here.
    unsafe { backtrace::trace_unsynchronized(look) };
    count
}
