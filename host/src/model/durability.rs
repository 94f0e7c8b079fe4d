//! Whether a turn's output waits for the disk.

use serde::Deserialize;

/// Whether the room holds a turn's output back until the turn's writes are durable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Durability {
    /// The room holds it back: no client ever sees the output of a turn that a crash undoes.
    #[default]
    Strict,
    /// The room sends at once, unless its oldest unfinished write is 100 ms old: a crash undoes at most the last 100 ms
    /// of the room's life. Storage uses some of this time to gather more writes into one sync.
    Relaxed,
}
