//! Wire formats: frames to events and emits to frames. Nothing outside of this module knows what a frame looks like.

pub mod close;
pub mod verani;

use tokio_tungstenite::tungstenite::Utf8Bytes;

/// One encoded text frame; a clone shares its bytes.
pub type Frame = Utf8Bytes;
