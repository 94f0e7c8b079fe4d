//! What a simulation draws by: the same numbers for the same seed, on every machine.

use rand::rngs::ChaCha12Rng;
use rand::{Rng as _, SeedableRng as _};

/// A generator of its own for each step, so that a step draws the same whatever other steps there are.
pub(super) struct Dice(ChaCha12Rng);

impl Dice {
    /// The dice of a step.
    pub(super) fn of(seed: u64, step: u64) -> Self {
        let mut hash = blake3::Hasher::new();
        hash.update(b"parlor simulate");
        hash.update(&seed.to_le_bytes());
        hash.update(&step.to_le_bytes());
        Self(ChaCha12Rng::from_seed(*hash.finalize().as_bytes()))
    }

    pub(super) fn number(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number from 0 on, below this one, which is not 0.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.number() % end.max(1)
    }

    /// Whether something happens that does so this many times in a hundred.
    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of these; none where there are none.
    pub(super) fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        of.get(self.below(of.len() as u64) as usize)
    }
}
