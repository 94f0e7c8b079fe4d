//! The one source of randomness of what plugins and clients can see: the system's, or a seed in a process that says so.

use std::sync::OnceLock;

use parking_lot::Mutex;
use rand::rngs::ChaCha12Rng;
use rand::{Rng, SeedableRng as _};

/// What is drawn from, in a process that has a seed.
static SEEDED: OnceLock<Mutex<ChaCha12Rng>> = OnceLock::new();

/// From now on, this process draws from this seed.
pub fn seed(seed: u64) {
    let begin = || ChaCha12Rng::seed_from_u64(seed);
    *SEEDED.get_or_init(|| Mutex::new(begin())).lock() = begin();
}

/// Fills bytes with randomness.
pub fn fill(bytes: &mut [u8]) -> Result<(), getrandom::Error> {
    match SEEDED.get() {
        Some(seeded) => {
            seeded.lock().fill_bytes(bytes);
            Ok(())
        }
        None => getrandom::fill(bytes),
    }
}

/// A generator of its own, drawn from the seed; none in a process that has no seed.
pub fn seeded() -> Option<impl Rng + Send + 'static> {
    SEEDED.get().map(|seeded| ChaCha12Rng::from_rng(&mut *seeded.lock()))
}
