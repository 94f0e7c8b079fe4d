//! The log of guests: log lines, standard output and standard error, each with its room, and limited in number and
//! length.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::context::RoomContext;
use crate::model::text::for_log;

/// The severity of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    Debug,
    Info,
    Warn,
    Error,
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

    fn print(&self, level: LogLevel, line: &str) {
        let RoomContext { plugin, version, room, .. } = &*self.context;
        let room = room.as_ref().map_or("", |room| room.as_str());
        let (tenant, plugin) = (plugin.tenant.as_str(), plugin.plugin.as_str());
        let line = for_log(line);
        match level {
            LogLevel::Debug => tracing::debug!(target: "guest", tenant, plugin, version, room, "{line}"),
            LogLevel::Info => tracing::info!(target: "guest", tenant, plugin, version, room, "{line}"),
            LogLevel::Warn => tracing::warn!(target: "guest", tenant, plugin, version, room, "{line}"),
            LogLevel::Error => tracing::error!(target: "guest", tenant, plugin, version, room, "{line}"),
        }
    }
}
