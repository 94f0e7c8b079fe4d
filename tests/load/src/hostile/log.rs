//! What the server's log says of the evil tenant.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::seen::Seen;
use super::stand::EVIL;

/// A day has so many microseconds; the log's times are compared within one.
const DAY_US: u64 = 86_400_000_000;

/// Reads a log on and on.
pub struct Log {
    path: PathBuf,
    read: u64,
    count: u64,
    partial: String,
}

impl Log {
    /// From its begin.
    pub fn open(path: &Path) -> Self {
        Self { path: path.to_owned(), read: 0, count: 0, partial: String::new() }
    }

    /// Tells of every new line that speaks of the evil tenant's misfortune. Lines from before `since` count as at once.
    pub fn look(&mut self, seen: &Seen, since: SystemTime) {
        for line in self.lines() {
            if let Some(what) = misfortune(&line) {
                seen.stop_after(&what, after(&line, since).unwrap_or_default());
            }
        }
    }

    /// Bytes and whole lines that were read so far.
    pub fn bytes(&self) -> u64 {
        self.read
    }

    pub fn count(&self) -> u64 {
        self.count
    }

    /// The whole lines since the last time.
    pub fn lines(&mut self) -> Vec<String> {
        let mut bytes = Vec::new();
        let read = File::open(&self.path).and_then(|mut file| {
            file.seek(SeekFrom::Start(self.read))?;
            file.read_to_end(&mut bytes)
        });
        // A log that cannot be read yet is empty.
        self.read += read.unwrap_or_default() as u64;
        self.partial += &String::from_utf8_lossy(&bytes);
        let whole = self.partial.rfind('\n').map_or(0, |end| end + 1);
        let lines: Vec<String> = self.partial.drain(..whole).collect::<String>().lines().map(str::to_owned).collect();
        self.count += lines.len() as u64;
        lines
    }
}

/// What a line says went wrong with the evil tenant, without what differs from line to line.
fn misfortune(line: &str) -> Option<String> {
    if !line.contains(EVIL) || !(line.contains(" WARN ") || line.contains(" ERROR ")) {
        return None;
    }
    if let Some((_, rest)) = line.split_once(" is not served: ") {
        return Some(format!("not served: {rest}"));
    }
    let (head, message) = line.split_once(": ")?;
    if head.ends_with(" guest") {
        return message.contains("lines left out").then(|| "log-lines-per-turn".to_owned());
    }
    // Fields stand behind the message: `name=value`.
    let fields =
        [" plugin=", " room=", " tenant=", " version=", " socket="].iter().filter_map(|name| message.find(name));
    let words = &message[..fields.min().unwrap_or(message.len())];
    match line.split_once("code=") {
        Some((_, code)) => {
            let code = code.trim_start_matches('"').split(['"', ' ']).next().unwrap_or_default();
            let kind = words.split(':').next().unwrap_or_default();
            Some(format!("{kind}: {code}"))
        }
        None => Some(words.to_owned()),
    }
}

/// How long after `since` a line was written, by the time at its begin: `2026-11-24T08:46:49.123456Z`.
fn after(line: &str, since: SystemTime) -> Option<Duration> {
    let (_, time) = line.split_whitespace().next()?.split_once('T')?;
    let mut parts = time.trim_end_matches('Z').split([':', '.']);
    let mut next = || parts.next()?.parse::<u64>().ok();
    let (hours, minutes, seconds, micros) = (next()?, next()?, next()?, next()?);
    let written = ((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + micros;
    let begun = (since.duration_since(UNIX_EPOCH).ok()?.as_micros() % u128::from(DAY_US)) as u64;
    let later = (written + DAY_US - begun) % DAY_US;
    // What comes out as nearly a day was written shortly before.
    Some(Duration::from_micros(if later > DAY_US / 2 { 0 } else { later }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "2026-11-24T00:00:01.500000Z  WARN parlor::room::failure: turn failed: trapped: wasm `unreachable` \
        plugin=evil/trap version=\"a\" room=\"r1\" event=\"say\" code=\"trap\"";

    #[test]
    fn a_line_says_what_went_wrong() {
        assert_eq!(misfortune(LINE).as_deref(), Some("turn failed: trap"));
        assert_eq!(misfortune(&LINE.replace("evil", "good")), None);
        assert_eq!(misfortune(&LINE.replace(" WARN ", " INFO ")), None);
        let room =
            "2026-11-24T00:00:01.5Z ERROR parlor::room::actor: the room cannot be opened: init used room=evil/x/r";
        assert_eq!(misfortune(room).as_deref(), Some("the room cannot be opened: init used"));
        let words = LINE.replace("trapped: wasm", "trapped: the host and the guest: wasm");
        assert_eq!(misfortune(&words).as_deref(), Some("turn failed: trap"));
        let file = "2026-11-24T00:00:01.5Z ERROR parlor::cli::run: plugins/evil/x.wasm is not served: is empty";
        assert_eq!(misfortune(file).as_deref(), Some("not served: is empty"));
    }

    #[test]
    fn times_are_told_over_midnight() {
        let since = UNIX_EPOCH + Duration::from_millis(20_000 * 86_400_000 - 500);
        assert_eq!(after(LINE, since), Some(Duration::from_secs(2)));
        let since = UNIX_EPOCH + Duration::from_millis(20_000 * 86_400_000 + 1_600);
        assert_eq!(after(LINE, since), Some(Duration::ZERO));
    }
}
