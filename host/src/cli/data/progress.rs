//! Tells on a terminal how far a long command is.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use crate::clock::Instant;

const EVERY: Duration = Duration::from_secs(1);
/// The clock is not read for every entry.
const ENTRIES_PER_LOOK: u64 = 1_024;

/// Says now and then on a terminal how many entries are done.
pub struct Progress {
    doing: &'static str,
    last: Instant,
    entries: u64,
    said: bool,
    watched: bool,
}

impl Progress {
    pub fn new(doing: &'static str) -> Self {
        let watched = std::io::stderr().is_terminal();
        Self { doing, last: Instant::now(), entries: 0, said: false, watched }
    }

    pub fn entry(&mut self) {
        self.entries += 1;
        if self.watched && self.entries.is_multiple_of(ENTRIES_PER_LOOK) && self.last.elapsed() >= EVERY {
            self.say("");
            (self.said, self.last) = (true, Instant::now());
        }
    }

    /// A terminal that went away is no reason to do less.
    fn say(&self, end: &str) {
        let _ = write!(std::io::stderr(), "\r{} {} entries{end}", self.doing, self.entries);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.said {
            self.say("\n");
        }
    }
}
