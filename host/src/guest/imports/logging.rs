//! `parlor:room/logging`.

use super::super::bindings::parlor::room::logging::{Host, Level as WitLevel};
use super::super::log::LogLevel;
use super::super::state::GuestState;

impl Host for GuestState {
    fn write(&mut self, level: WitLevel, message: String) -> wasmtime::Result<()> {
        self.count_answered_call()?;
        let level = match level {
            WitLevel::Debug => LogLevel::Debug,
            WitLevel::Info => LogLevel::Info,
            WitLevel::Warn => LogLevel::Warn,
            WitLevel::Error => LogLevel::Error,
        };
        self.log.write(level, &message);
        Ok(())
    }
}
