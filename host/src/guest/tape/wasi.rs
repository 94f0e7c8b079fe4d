//! WASI's clocks and randomness of a taped instance. What is told is noted, so that a replay tells the same: a seed in the tape
//! would let whoever reads it know what the guest draws later.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use rand::TryRng;
use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi::clocks::{HostMonotonicClock, HostWallClock};

use crate::clock::{now_ns, unix_now, virtual_now};
use crate::randomness;

/// What a clock moves by where a replay reads it once more than the recorded call did.
const TICK_NS: u64 = 1_000_000;

/// What WASI tells one instance.
#[derive(Debug)]
pub struct WasiTape {
    readings: Mutex<WasiReadings>,
    /// Whether there is anything to take: most turns read nothing, and need no lock to say so.
    has_any: AtomicBool,
}

#[derive(Debug, Default)]
struct WasiReadings {
    /// Whether these are to be told, not noted.
    are_given: bool,
    clocks: VecDeque<u64>,
    random: VecDeque<u8>,
    last_clock: u64,
    /// Whether the guest read more than is given, or more than is noted.
    ran_out: bool,
}

/// How many bytes of readings are noted in one call of the guest.
const NOTED_BYTES: usize = 1 << 20;

impl WasiReadings {
    /// Whether a reading of so many bytes is noted.
    fn notes(&mut self, bytes: usize) -> bool {
        let noted = self.clocks.len() * size_of::<u64>() + self.random.len();
        self.ran_out |= noted + bytes > NOTED_BYTES;
        !self.ran_out
    }
}

impl WasiTape {
    pub fn recording() -> Arc<Self> {
        Self::with(WasiReadings::default())
    }

    pub fn replaying() -> Arc<Self> {
        Self::with(WasiReadings { are_given: true, ..WasiReadings::default() })
    }

    fn with(readings: WasiReadings) -> Arc<Self> {
        Arc::new(Self { readings: Mutex::new(readings), has_any: AtomicBool::new(false) })
    }

    /// The readings, of which some are about to be there.
    fn open(&self) -> MutexGuard<'_, WasiReadings> {
        self.has_any.store(true, Ordering::Relaxed);
        self.readings.lock()
    }

    /// Takes what was noted since the last call: clocks and random bytes. None where that is more than a tape takes of one call.
    pub fn take(&self) -> Option<(Vec<u64>, Vec<u8>)> {
        if !self.has_any.load(Ordering::Relaxed) {
            return Some((Vec::new(), Vec::new()));
        }
        let mut readings = self.readings.lock();
        if readings.ran_out {
            return None;
        }
        self.has_any.store(false, Ordering::Relaxed);
        Some((std::mem::take(&mut readings.clocks).into(), std::mem::take(&mut readings.random).into()))
    }

    /// Gives what the next call is told.
    pub fn give(&self, clocks: &[u64], random: &[u8]) {
        let mut readings = self.open();
        readings.clocks = clocks.iter().copied().collect();
        readings.random = random.iter().copied().collect();
        readings.ran_out = false;
    }

    fn clock(&self, now: impl Fn() -> u64) -> u64 {
        let mut readings = self.open();
        if !readings.are_given {
            let now = now();
            if readings.notes(size_of::<u64>()) {
                readings.clocks.push_back(now);
            }
            return now;
        }
        let told = readings.clocks.pop_front();
        readings.ran_out |= told.is_none();
        readings.last_clock = told.unwrap_or(readings.last_clock + TICK_NS);
        readings.last_clock
    }

    fn fill(&self, bytes: &mut [u8]) {
        let mut readings = self.open();
        if readings.are_given {
            readings.ran_out |= readings.random.len() < bytes.len();
            return bytes.fill_with(|| readings.random.pop_front().unwrap_or_default());
        }
        // Without the system's randomness nothing starts, and a guest that gets zeros is told nothing false.
        let _ = randomness::fill(bytes);
        if readings.notes(bytes.len()) {
            readings.random.extend(&*bytes);
        }
    }

    /// Has a context tell what this says.
    pub fn apply(self: &Arc<Self>, builder: &mut WasiCtxBuilder) {
        let mut seed = [0; 16];
        self.fill(&mut seed);
        builder
            .wall_clock(TapeClock(Arc::clone(self)))
            .monotonic_clock(TapeClock(Arc::clone(self)))
            .secure_random(TapeRandom(Arc::clone(self)))
            .insecure_random(TapeRandom(Arc::clone(self)))
            .insecure_random_seed(u128::from_le_bytes(seed));
    }
}

/// The clocks of a taped instance.
struct TapeClock(Arc<WasiTape>);

impl HostWallClock for TapeClock {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }

    fn now(&self) -> Duration {
        Duration::from_nanos(self.0.clock(|| unix_now().as_nanos() as u64))
    }
}

impl HostMonotonicClock for TapeClock {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        self.0.clock(|| virtual_now().map_or_else(now_ns, |now| now.as_nanos() as u64))
    }
}

/// The generators of a taped instance.
struct TapeRandom(Arc<WasiTape>);

impl TryRng for TapeRandom {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(bytes);
        Ok(())
    }
}
