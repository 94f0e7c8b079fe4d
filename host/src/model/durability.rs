//! When a turn may be heard of.

use serde::Deserialize;

/// Whether what a turn says waits until what it wrote is durable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Durability {
    /// It waits: nobody ever hears of a turn that a crash takes back.
    #[default]
    Strict,
    /// It does not, unless the oldest of the writes under way has waited for 100 ms: what a crash takes back spans at most
    /// 100 ms of the room's life. Writes are gathered for some of this time.
    Relaxed,
}
