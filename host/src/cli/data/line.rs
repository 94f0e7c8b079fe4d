//! A line of an export.

use serde::{Deserialize, Serialize};

/// What the first line says that it is.
pub const FORMAT: &str = "parlor-export";
pub const VERSION: u32 = 1;

/// Rooms come first, then entries; the last line counts both, so that a file that was cut off is noticed.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum ExportLine {
    Header {
        format: String,
        version: u32,
        tenant: String,
    },
    Room {
        plugin: String,
        room: String,
        /// In milliseconds since the Unix epoch.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        alarm: Option<u64>,
    },
    Entry {
        plugin: String,
        room: String,
        key: String,
        /// Base64.
        value: String,
    },
    End {
        rooms: u64,
        entries: u64,
    },
}
