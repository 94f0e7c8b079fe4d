//! `parlor:room/inbox`.

use super::super::bindings::parlor::room::inbox::Host;
use super::super::state::GuestState;

impl Host for GuestState {
    fn arguments(&mut self) -> wasmtime::Result<u32> {
        self.count_answered_call()?;
        Ok(self.current_turn().map_or(0, |turn| turn.arguments()))
    }

    fn attachments(&mut self) -> wasmtime::Result<Vec<Vec<u8>>> {
        self.count_answered_call()?;
        Ok(self
            .current_turn()
            .map_or_else(Vec::new, |turn| turn.attachments().iter().map(|bytes| bytes.to_vec()).collect()))
    }
}
