//! `parlor:room/timers`.

use std::time::Duration;

use super::super::bindings::parlor::room::timers::Host;
use super::super::bindings::parlor::room::types::Payload as WitPayload;
use super::super::convert::{payload_bytes, payload_from_guest};
use super::super::state::GuestState;
use crate::clock::Instant;
use crate::guest::call_error::CallResult;
use crate::model::body::Payload;
use crate::model::refusal::Refusal;

impl Host for GuestState {
    fn set(&mut self, name: String, delay_ms: u32, data: Option<WitPayload>) -> CallResult<()> {
        let turn = self.turn()?;
        turn.check_timer_size(data.as_ref().map_or(0, payload_bytes))?;
        let data = match data.map(payload_from_guest).transpose()? {
            Some(Payload::Json(json)) => Some(json),
            Some(Payload::Binary(_)) => return Err(Refusal::invalid("a timer's data must be JSON").into()),
            None => None,
        };
        let due = Instant::now() + Duration::from_millis(delay_ms.into());
        Ok(turn.set_timer(name, due, data)?)
    }

    fn cancel(&mut self, name: String) -> CallResult<bool> {
        Ok(self.turn()?.cancel_timer(name))
    }
}
