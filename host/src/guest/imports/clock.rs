//! `parlor:room/clock`.

use super::super::bindings::parlor::room::clock::Host;
use super::super::state::{GuestState, Phase};
use crate::clock::unix_ms;

impl Host for GuestState {
    fn now(&mut self) -> wasmtime::Result<f64> {
        self.count_answered_call()?;
        Ok(match &self.phase {
            Phase::Turn => self.turn.accepted_at(),
            _ => unix_ms(),
        })
    }
}
