//! The limits of the host: which there are, and who set each.

mod catalog;
mod define;
mod layers;

pub use catalog::{Limits, LimitsTable};
pub use define::{Limit, Scope};
pub use layers::{Layers, Source};
