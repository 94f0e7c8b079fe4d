//! `parlor:room/alarm`.

use super::super::bindings::parlor::room::alarm::Host;
use super::super::state::GuestState;
use crate::guest::call_error::CallResult;
use crate::model::effect::UnixMs;
use crate::model::refusal::Refusal;

/// The last moment that the contract's numbers can name exactly.
const LATEST: f64 = 9_007_199_254_740_991.0;

impl Host for GuestState {
    fn set(&mut self, at: f64) -> CallResult<()> {
        let turn = self.turn()?;
        if !(0.0..=LATEST).contains(&at) {
            return Err(Refusal::invalid(format!("the time of an alarm must be 0 to {LATEST} ms, not {at}")).into());
        }
        // The cast cuts off fractions of a millisecond.
        Ok(turn.set_alarm(Some(at as UnixMs))?)
    }

    fn get(&mut self) -> CallResult<Option<f64>> {
        Ok(self.turn()?.alarm().map(|due| due as f64))
    }

    fn cancel(&mut self) -> CallResult<()> {
        Ok(self.turn()?.set_alarm(None)?)
    }
}
