//! The tape of an instance: all that its guest was told and answered from `init` on, so that its life can be run again without
//! the room. Each call that crosses the boundary goes through [`Taped`](boundary::Taped), and WASI's clocks and randomness
//! through [`WasiTape`].

mod blob;
pub mod boundary;
pub mod compare;
pub mod data;
pub mod file;
mod frames;
mod json;
pub mod player;
pub mod recorder;
pub mod replayer;
pub mod rerun;
pub mod show;
mod spare;
pub mod wasi;
mod write;

use std::sync::Arc;

use self::recorder::Recorder;
use self::replayer::Replayer;
use self::wasi::WasiTape;

/// What an instance's calls are: only computed, recorded as well, or answered from a tape.
#[derive(Debug, Default)]
pub enum Tape {
    #[default]
    Off,
    Record(Box<Recorder>),
    Replay(Box<Replayer>),
}

impl Tape {
    /// Where WASI's clocks and randomness are noted or come from; none where nobody asks for that.
    pub fn wasi(&self) -> Option<&Arc<WasiTape>> {
        match self {
            Self::Off => None,
            Self::Record(recorder) => Some(&recorder.wasi),
            Self::Replay(replayer) => Some(&replayer.wasi),
        }
    }
}
