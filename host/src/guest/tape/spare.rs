//! The memory of tapes that are over, for those that follow. Each tape of a busy room is full after a part of a second, and memory
//! that the kernel hands out anew is cleared page by page.

use parking_lot::Mutex;

/// How many bytes are kept in all: the tape of a room of a server takes 300 KiB to 2 MiB.
const SPARE_BYTES: usize = 6 << 20;
/// One with less is not worth keeping.
const LEAST_BYTES: usize = 64 << 10;

static SPARE: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// Gives a tape place for so many bytes in all.
pub fn grow(tape: &mut Vec<u8>, whole: usize) {
    let fits = |spare: &Vec<u8>| (whole..=2 * whole).contains(&spare.capacity());
    let found = {
        let mut spares = SPARE.lock();
        spares.iter().rposition(fits).map(|at| spares.swap_remove(at))
    };
    let Some(mut place) = found else { return tape.reserve_exact(whole.saturating_sub(tape.len())) };
    place.extend_from_slice(tape);
    *tape = place;
}

/// Keeps the memory of a tape that is over.
pub fn keep(mut tape: Vec<u8>) {
    if tape.capacity() < LEAST_BYTES {
        return;
    }
    tape.clear();
    let mut spares = SPARE.lock();
    let kept: usize = spares.iter().map(Vec::capacity).sum();
    if kept.saturating_add(tape.capacity()) <= SPARE_BYTES {
        spares.push(tape);
    }
}
