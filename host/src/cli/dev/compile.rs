//! One run of a program that builds: its words go to the terminal and are kept for the overview, and it can be ended.

use std::io::{Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use parking_lot::Mutex;
use rustix::process::{Pid, Signal, kill_process_group};

/// How much of what the compiler says is kept: the first errors, which the others follow from.
const WORDS_BYTES: usize = 64 << 10;

/// The program that runs, if one does, and whether there is to be another.
#[derive(Debug, Clone, Default)]
pub struct Running(Arc<Mutex<Slot>>);

#[derive(Debug, Default)]
struct Slot {
    child: Option<Child>,
    ended: bool,
}

/// What came of a build.
pub enum Compiled {
    Done,
    /// What the compiler said, without colours.
    Failed(String),
    /// It was told to end.
    Ended,
}

impl Running {
    /// Runs a program to its end. `beside_a_server` is whether [`Running::end`] ends it: it has a group of processes of its
    /// own then, so that the compilers that it started end with it. Otherwise it is in ours, which Ctrl-C ends.
    pub fn run(&self, mut command: Command, beside_a_server: bool) -> Compiled {
        let program = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::null()).stderr(Stdio::piped());
        if beside_a_server {
            command.process_group(0);
        }
        let mut words = {
            let mut slot = self.0.lock();
            if slot.ended {
                return Compiled::Ended;
            }
            match command.spawn() {
                Ok(mut child) => {
                    let words = child.stderr.take();
                    slot.child = Some(child);
                    words
                }
                Err(why) => return Compiled::Failed(format!("cannot run {program}: {why}")),
            }
        };
        let mut kept = Vec::new();
        let mut chunk = [0; 4096];
        while let Some(words) = &mut words
            && let Ok(length @ 1..) = words.read(&mut chunk)
        {
            // A terminal that went away is no reason to build less.
            let _ = std::io::stderr().write_all(&chunk[..length]);
            kept.extend_from_slice(&chunk[..length.min(WORDS_BYTES - kept.len())]);
        }
        let mut slot = self.0.lock();
        let status = slot.child.take().map(|mut child| child.wait());
        match status {
            _ if slot.ended => Compiled::Ended,
            Some(Ok(status)) if status.success() => Compiled::Done,
            Some(Err(why)) => Compiled::Failed(format!("{program} was lost: {why}")),
            _ => Compiled::Failed(without_colours(&String::from_utf8_lossy(&kept))),
        }
    }

    /// Ends the program that runs, and every later one before it begins.
    pub fn end(&self) {
        let mut slot = self.0.lock();
        slot.ended = true;
        if let Some(group) = &slot.child {
            // It may have ended by itself; it is waited for where it is read.
            let _ = kill_process_group(Pid::from_child(group), Signal::TERM);
        }
    }
}

/// A text without what only a terminal understands: `ESC [ ... letter`, and `ESC ] ... BEL` or `ESC ] ... ESC \`.
fn without_colours(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(place) = rest.find('\x1b') {
        plain.push_str(&rest[..place]);
        rest = &rest[place + 1..];
        let end = match rest.bytes().next() {
            Some(b'[') => rest[1..].find(|letter: char| ('@'..='~').contains(&letter)).map(|end| end + 2),
            Some(b']') => {
                rest.find(['\x07', '\x1b']).map(|end| end + 1 + usize::from(rest[end..].starts_with("\x1b\\")))
            }
            _ => Some(0),
        };
        rest = end.map_or("", |end| &rest[end..]);
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::without_colours;

    #[test]
    fn what_only_a_terminal_understands_is_left_out() {
        let coloured = "\x1b[1m\x1b[38;5;9merror\x1b[0m: \x1b]8;;https://x.example\x1b\\words\x1b]8;;\x07 end\x1b[";
        assert_eq!(without_colours(coloured), "error: words end");
        assert_eq!(without_colours("plain"), "plain");
    }
}
