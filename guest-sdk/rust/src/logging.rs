//! The plugin's log.

use std::fmt::Display;

use crate::host::logging::{self, Level};

/// The plugin's log, which the host keeps with tenant, plugin, version and room.
///
/// A turn keeps 64 lines of up to 1 KiB. Lines stay even where their turn is undone.
///
/// ```
/// use parlor_guest::{prelude::*, testing::TestRoom};
///
/// let room = TestRoom::new(|room: &mut Room| {
///     room.on_connect(|ctx| ctx.log().info(format_args!("{} is here", ctx.meta().user_id)));
/// });
/// room.connect_as(Meta::new("ada"));
/// assert_eq!(room.log(), ["info: ada is here"]);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Log(());

/// The plugin's log, for code without a `ctx`: the room's function and `authorize`.
///
/// ```
/// parlor_guest::log().warn("no tokens are configured");
/// ```
pub fn log() -> Log {
    Log(())
}

impl Log {
    /// Logs details that help to find a fault.
    ///
    /// ```
    /// parlor_guest::log().debug("three of four");
    /// ```
    pub fn debug(self, message: impl Display) {
        logging::write(Level::Debug, &message.to_string());
    }

    /// Logs what is worth knowing.
    ///
    /// ```
    /// parlor_guest::log().info("the game begins");
    /// ```
    pub fn info(self, message: impl Display) {
        logging::write(Level::Info, &message.to_string());
    }

    /// Logs that something looks wrong.
    ///
    /// ```
    /// parlor_guest::log().warn(format_args!("{} players, and one ball", 0));
    /// ```
    pub fn warn(self, message: impl Display) {
        logging::write(Level::Warn, &message.to_string());
    }

    /// Logs that something went wrong.
    ///
    /// ```
    /// parlor_guest::log().error("the score is lost");
    /// ```
    pub fn error(self, message: impl Display) {
        logging::write(Level::Error, &message.to_string());
    }
}
