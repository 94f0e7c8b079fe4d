//! Wire formats: from frames to events, and from emits to frames. Only this module knows what a frame looks like.

pub mod close;
pub mod placeholder;
pub mod verani;

use tokio_tungstenite::tungstenite::Utf8Bytes;

/// An encoded text frame. Clones share its bytes.
pub type Frame = Utf8Bytes;
