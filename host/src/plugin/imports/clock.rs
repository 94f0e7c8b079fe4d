//! `parlor:room/clock`.

use std::time::{SystemTime, UNIX_EPOCH};

use super::super::bindings::parlor::room::clock::Host;
use super::super::state::{GuestState, Phase};

impl Host for GuestState {
    fn now(&mut self) -> wasmtime::Result<f64> {
        self.count_answered_call()?;
        Ok(match &self.phase {
            Phase::Turn(turn) => turn.accepted_at(),
            _ => unix_ms(),
        })
    }
}

/// Milliseconds since the Unix epoch; a clock before it reads as 0.
pub fn unix_ms() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |age| age.as_millis() as f64)
}
