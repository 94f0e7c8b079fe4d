//! Where a plugin's tapes go, and how much they hold.

use std::path::PathBuf;

use crate::model::recording::Recording;

/// How many turns a tape of `parlor dev` holds at most. On a server its bytes alone say when the room sleeps for a moment: short turns would
/// pay for that more often.
const DEV_TURNS: u64 = 1_000;
/// How many bytes a room's tape holds under `parlor dev`, on a server, and in a simulation.
const DEV_BYTES: usize = 8 << 20;
const SERVED_BYTES: usize = 256 << 10;
const SIMULATED_BYTES: usize = 64 << 20;
/// How many files a plugin has at most.
pub const FILES: usize = 20;

/// Where all tapes go.
#[derive(Debug, Clone)]
pub enum TapePlace {
    /// `parlor dev` records always, into one folder.
    Dev(PathBuf),
    /// A server records what the operator asks for, into a folder for each plugin below this one.
    Served(PathBuf),
    /// A simulation records a prefix that fails, into one folder.
    Simulated(PathBuf),
}

/// How one plugin's rooms are recorded.
#[derive(Debug, Clone)]
pub struct TapeRules {
    pub folder: PathBuf,
    pub turns: u64,
    pub bytes: usize,
    /// Whether each life of an instance makes a file, not only one with a turn that failed.
    pub takes_all: bool,
    /// Whether the component lies beside the tapes, and the log says how to replay one: on an author's machine.
    pub is_dev: bool,
    /// Whether each failure makes a file, at once.
    pub is_prompt: bool,
}

impl TapeRules {
    /// The rules for tapes in this folder, which is of this place; none where nothing is recorded.
    pub(super) fn new(place: &TapePlace, folder: PathBuf, recording: Recording) -> Option<Self> {
        let takes_all = recording == Recording::All;
        let rules = Self { folder, turns: DEV_TURNS, bytes: DEV_BYTES, takes_all, is_dev: true, is_prompt: false };
        match place {
            TapePlace::Dev(_) => Some(rules),
            TapePlace::Served(_) if recording == Recording::Off => None,
            TapePlace::Served(_) => Some(Self { turns: u64::MAX, bytes: SERVED_BYTES, is_dev: false, ..rules }),
            // A tape that is full has the room sleep for a moment, and a life that is recorded would be another one.
            TapePlace::Simulated(_) => {
                Some(Self { turns: u64::MAX, bytes: SIMULATED_BYTES, takes_all: false, is_prompt: true, ..rules })
            }
        }
    }
}
