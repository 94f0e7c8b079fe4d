//! The memory of tapes that are over, for those that follow. Each tape of a busy room is full after a part of a second, and memory
//! that the kernel hands out anew is cleared page by page.

use parking_lot::Mutex;

/// How many are kept, and of how many bytes each at most: the tape of a room of a server takes about 300 KiB.
const SPARES: usize = 8;
const SPARE_BYTES: usize = 512 << 10;
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
    if !(LEAST_BYTES..=SPARE_BYTES).contains(&tape.capacity()) {
        return;
    }
    tape.clear();
    let mut spares = SPARE.lock();
    if spares.len() < SPARES {
        spares.push(tape);
    }
}
