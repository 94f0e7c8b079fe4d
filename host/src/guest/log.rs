//! The log of guests: log lines, standard output and standard error, each with its room, and limited in number and
//! length.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tracing::{Level, enabled};

use super::context::RoomContext;
use crate::model::text::printable;
use crate::tenant::log::{LineFrom, LogLine};
use crate::tenant::log_gate::GUEST_TARGET as TARGET;

/// The severity of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    Debug,
    Info,
    Warn,
    Error,
}

impl LogLevel {
    fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }

    /// Whether the operator's log has lines of this level.
    fn is_logged(self) -> bool {
        match self {
            Self::Debug => enabled!(target: TARGET, Level::DEBUG),
            Self::Info => enabled!(target: TARGET, Level::INFO),
            Self::Warn => enabled!(target: TARGET, Level::WARN),
            Self::Error => enabled!(target: TARGET, Level::ERROR),
        }
    }
}

/// The log of one instance.
#[derive(Debug)]
pub struct GuestLog {
    context: Arc<RoomContext>,
    lines: AtomicU32,
    cut: AtomicU32,
}

impl GuestLog {
    pub fn new(context: Arc<RoomContext>) -> Self {
        Self { context, lines: AtomicU32::new(0), cut: AtomicU32::new(0) }
    }

    /// Begins a call, which may write its own number of lines.
    pub fn begin(&self) {
        self.lines.store(0, Ordering::Relaxed);
    }

    /// Ends a call, and logs how many lines were dropped.
    pub fn end(&self) {
        let cut = self.cut.swap(0, Ordering::Relaxed);
        if cut > 0 {
            self.print(LogLevel::Warn, &format!("{cut} lines left out: log-lines-per-turn"));
        }
    }

    /// Writes a message, line by line.
    pub fn write(&self, level: LogLevel, message: &str) {
        let limits = &self.context.limits;
        for line in message.lines() {
            if self.lines.fetch_add(1, Ordering::Relaxed) >= limits.log_lines_per_turn {
                self.cut.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            self.print(level, &line[..line.floor_char_boundary(limits.log_line_bytes)]);
        }
    }

    /// Keeps a line for the plugin's author, and logs it for the operator if the plugin's rate allows that.
    fn print(&self, level: LogLevel, line: &str) {
        let RoomContext { plugin, version, room, log, .. } = &*self.context;
        let line = printable(line);
        log.keep(LogLine::now(version, room.as_ref(), level.as_str(), line.clone()));
        let room = room.as_ref().map_or("", |room| room.as_str());
        let (tenant, plugin) = (plugin.tenant.as_str(), plugin.plugin.as_str());
        let bytes = line.len() + tenant.len() + plugin.len() + version.len() + room.len();
        if !level.is_logged() || !log.admits(LineFrom::Guest, bytes) {
            return;
        }
        match level {
            LogLevel::Debug => tracing::debug!(target: TARGET, tenant, plugin, version, room, "{line}"),
            LogLevel::Info => tracing::info!(target: TARGET, tenant, plugin, version, room, "{line}"),
            LogLevel::Warn => tracing::warn!(target: TARGET, tenant, plugin, version, room, "{line}"),
            LogLevel::Error => tracing::error!(target: TARGET, tenant, plugin, version, room, "{line}"),
        }
    }
}
