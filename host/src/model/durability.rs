//! When a turn may be heard of.

use serde::Deserialize;

/// Whether what a turn says waits until what it wrote is durable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Durability {
    /// It waits: nobody ever hears of a turn that a crash takes back.
    #[default]
    Strict,
    /// It does not, and a crash loses at most the last 100 ms; writes are gathered for some of this time.
    Relaxed,
}
