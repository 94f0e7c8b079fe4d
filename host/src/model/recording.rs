//! Whether a plugin's rooms are recorded.

use serde::Deserialize;

/// Whether a plugin's rooms record their turns, and what of that becomes a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recording {
    /// Nothing is recorded.
    #[default]
    Off,
    /// A turn that fails makes a file of what led to it.
    Failures,
    /// So does each life of an instance when it ends.
    All,
}
