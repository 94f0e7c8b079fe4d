//! What is wrong with files of the plugin folder, in the log: a few lines a minute for each folder, and how many more there
//! were. Whoever may put files into one folder cannot fill the log with them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use parking_lot::Mutex;

use crate::clock::Instant;

/// Files of one folder that have a line each, within `PERIOD`.
const LINES: u32 = 20;
const PERIOD: Duration = Duration::from_secs(60);

/// What the log said of late.
#[derive(Debug, Default)]
pub struct FolderProblems(Mutex<BTreeMap<PathBuf, ToldFiles>>);

/// What the log said of one folder since a period began.
#[derive(Debug)]
struct ToldFiles {
    since: Instant,
    lines: u32,
    left_out: u64,
    /// Whether the log said in this period how many were left out.
    is_summed_up: bool,
}

impl FolderProblems {
    /// Says what is wrong with a file, or counts that it was left out.
    pub fn tell(&self, file: &Path, say: impl FnOnce()) {
        let folder = file.parent().unwrap_or(file);
        let mut folders = self.0.lock();
        let told = folders.entry(folder.to_owned()).or_insert_with(ToldFiles::begin);
        told.begin_anew(folder);
        if told.lines >= LINES {
            told.left_out += 1;
            return;
        }
        told.lines += 1;
        drop(folders);
        say();
    }

    /// Says how many files were left out, once a period for each folder. Answers when there is more to say.
    pub fn sum_up(&self) -> Option<Duration> {
        let mut folders = self.0.lock();
        for (folder, told) in folders.iter_mut() {
            if !told.is_summed_up {
                told.is_summed_up = told.left_out > 0;
                told.tell_left_out(folder);
            }
            told.begin_anew(folder);
        }
        folders.retain(|_, told| told.lines > 0);
        let untold = folders.values().filter(|told| told.left_out > 0);
        untold.map(|told| PERIOD.saturating_sub(told.since.elapsed())).min()
    }
}

impl ToldFiles {
    fn begin() -> Self {
        Self { since: Instant::now(), lines: 0, left_out: 0, is_summed_up: false }
    }

    /// Begins the next period, if this one is over.
    fn begin_anew(&mut self, folder: &Path) {
        if self.since.elapsed() >= PERIOD {
            self.tell_left_out(folder);
            *self = Self::begin();
        }
    }

    fn tell_left_out(&mut self, folder: &Path) {
        let left_out = std::mem::take(&mut self.left_out);
        if left_out > 0 {
            tracing::error!(
                left_out,
                "{left_out} more files in {} are not served; the log has a line for {LINES} a minute",
                folder.display()
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_folder_has_a_few_lines_a_minute_and_the_rest_is_counted() {
        let problems = FolderProblems::default();
        let tell = |folder: &str, files: u32| {
            let mut told = 0;
            for file in 0..files {
                problems.tell(&Path::new(folder).join(file.to_string()), || told += 1);
            }
            told
        };
        let left_out = || problems.0.lock().get(Path::new("evil")).map(|told| told.left_out);
        assert_eq!((tell("evil", 2_000), tell("good", 3)), (LINES, 3));
        assert_eq!(left_out(), Some(2_000 - u64::from(LINES)));
        assert_eq!((problems.sum_up(), left_out()), (None, Some(0)));
        // What comes later within the minute is told at its end.
        tokio::time::advance(PERIOD / 2).await;
        assert_eq!(tell("evil", 7), 0);
        assert_eq!((problems.sum_up(), left_out()), (Some(PERIOD / 2), Some(7)));
        tokio::time::advance(PERIOD / 2).await;
        assert_eq!((problems.sum_up(), left_out()), (None, None));
        assert_eq!(tell("evil", 2_000), LINES);
    }
}
