//! `parlor:room/logging`.

use super::super::bindings::parlor::room::logging::{Host, Level as WitLevel};
use super::super::log::Level;
use super::super::state::GuestState;

impl Host for GuestState {
    fn write(&mut self, level: WitLevel, message: String) -> wasmtime::Result<()> {
        self.count_answered_call()?;
        let level = match level {
            WitLevel::Debug => Level::Debug,
            WitLevel::Info => Level::Info,
            WitLevel::Warn => Level::Warn,
            WitLevel::Error => Level::Error,
        };
        self.log.write(level, &message);
        Ok(())
    }
}
