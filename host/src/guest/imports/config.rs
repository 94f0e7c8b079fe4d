//! `parlor:room/config`.

use super::super::bindings::parlor::room::config::Host;
use super::super::state::GuestState;

impl Host for GuestState {
    fn get(&mut self, key: String) -> wasmtime::Result<Option<String>> {
        self.count_answered_call()?;
        Ok(self.context.config.get(&key).cloned())
    }
}
