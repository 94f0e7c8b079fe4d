//! `parlor:room/clock`.

use std::time::{SystemTime, UNIX_EPOCH};

use super::super::bindings::parlor::room::clock::Host;
use super::super::state::{GuestState, Phase};

impl Host for GuestState {
    fn now(&mut self) -> wasmtime::Result<f64> {
        Ok(match &self.phase {
            Phase::Turn(turn) => turn.accepted_at(),
            // A clock before 1970 reads as 1970.
            _ => SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |age| age.as_millis() as f64),
        })
    }
}
