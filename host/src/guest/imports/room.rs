//! `parlor:room/room`.

use super::super::bindings::parlor::room::room::Host;
use super::super::state::GuestState;
use crate::guest::call_error::CallResult;
use crate::model::refusal::Refusal;

impl Host for GuestState {
    fn id(&mut self) -> CallResult<String> {
        self.turn()?;
        let room = self.context.room.as_ref().ok_or(Refusal::NoTurn)?;
        Ok(room.as_str().to_owned())
    }

    fn session_count(&mut self) -> CallResult<u32> {
        // At most sockets-per-room, so this does not truncate.
        Ok(self.turn()?.members().count() as u32)
    }

    fn user_ids(&mut self) -> CallResult<Vec<String>> {
        Ok(self.turn()?.members().user_ids())
    }
}
