//! `parlor:room/events`.

use super::super::bindings::parlor::room::events::Host;
use super::super::state::{GuestState, Phase};
use crate::guest::call_error::CallResult;
use crate::model::refusal::Refusal;

impl GuestState {
    fn require_registering(&mut self) -> CallResult<()> {
        self.count_call()?;
        match self.phase {
            Phase::Init | Phase::Turn => Ok(()),
            Phase::Outside => Err(Refusal::NoTurn.into()),
        }
    }
}

impl Host for GuestState {
    fn on(&mut self, event: String) -> CallResult<()> {
        self.require_registering()?;
        Ok(self.registrations.add(event, &self.context.limits)?)
    }

    fn off(&mut self, event: String) -> CallResult<()> {
        self.require_registering()?;
        self.registrations.remove(&event);
        Ok(())
    }
}
