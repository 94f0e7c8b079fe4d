//! Where a plugin's tapes go, and how much they hold.

use std::path::PathBuf;

use crate::model::recording::Recording;

/// How many turns a tape holds at most.
const TURNS: u64 = 1_000;
/// How many bytes a room's tape holds under `parlor dev`, and on a server.
const DEV_BYTES: usize = 8 << 20;
const SERVED_BYTES: usize = 256 << 10;
/// How many files a plugin has at most.
pub const FILES: usize = 20;

/// Where all tapes go.
#[derive(Debug, Clone)]
pub enum TapePlace {
    /// `parlor dev` records always, into one folder.
    Dev(PathBuf),
    /// A server records what the operator asks for, into a folder for each plugin below this one.
    Served(PathBuf),
}

/// How one plugin's rooms are recorded.
#[derive(Debug, Clone)]
pub struct TapeRules {
    pub folder: PathBuf,
    pub turns: u64,
    pub bytes: usize,
    /// Whether each life of an instance makes a file, not only one with a turn that failed.
    pub takes_all: bool,
    /// Whether this is `parlor dev`, where the component lies beside the tapes, and the log says how to replay one.
    pub is_dev: bool,
}

impl TapeRules {
    /// The rules for tapes in this folder; none where nothing is recorded.
    pub(super) fn new(folder: PathBuf, recording: Recording, is_dev: bool) -> Option<Self> {
        let bytes = if is_dev { DEV_BYTES } else { SERVED_BYTES };
        let takes_all = recording == Recording::All;
        (is_dev || recording != Recording::Off).then_some(Self { folder, turns: TURNS, bytes, takes_all, is_dev })
    }
}
