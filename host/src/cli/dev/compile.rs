//! One run of a program that builds: its words go to the terminal and are kept for the overview, and it can be ended.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::Arc;

use parking_lot::Mutex;
use rustix::process::{Pid, Signal, kill_process_group};

use crate::cli::child::{HeardPipe, hear_until_end, keep};
use crate::logs::STDERR;

/// How much of what the compiler says is kept: the first errors, which the others follow from.
const WORDS_BYTES: usize = 64 << 10;

/// The program that runs, if one does, and whether another may follow. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct BuildProcess(Arc<Mutex<ProcessSlot>>);

#[derive(Debug, Default)]
struct ProcessSlot {
    child: Option<Child>,
    ended: bool,
}

/// How the run of a program ended.
pub enum BuildOutcome {
    Done,
    /// What the compiler said, without colours.
    Failed(String),
    /// [`BuildProcess::end`] ended it.
    Ended,
}

impl BuildProcess {
    /// Runs a program to its end. Where it runs `beside_a_server`, [`BuildProcess::end`] ends it: it then leads a process
    /// group, so that the compilers that it started end with it. Otherwise it stays in our group, which Ctrl-C ends.
    pub fn run(&self, mut command: Command, beside_a_server: bool) -> BuildOutcome {
        let program = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::null()).stderr(Stdio::piped());
        if beside_a_server {
            command.process_group(0);
        }
        let (pid, words) = match self.start(command) {
            Ok(Some(started)) => started,
            Ok(None) => return BuildOutcome::Ended,
            Err(why) => return BuildOutcome::Failed(format!("cannot run {program}: {why}")),
        };
        let mut kept = Vec::new();
        let heard = hear_until_end(
            pid,
            &mut [HeardPipe::new(words, &mut |bytes| {
                STDERR.push(bytes.to_vec());
                keep(&mut kept, bytes, WORDS_BYTES);
            })],
        );
        match heard.and_then(|()| self.wait()) {
            Ok(None) => BuildOutcome::Ended,
            Ok(Some(status)) if status.success() => BuildOutcome::Done,
            Ok(Some(_)) => BuildOutcome::Failed(without_colours(&kept)),
            Err(why) => BuildOutcome::Failed(format!("{program} was lost: {why}")),
        }
    }

    /// Starts a program, unless [`BuildProcess::end`] was called.
    fn start(&self, mut command: Command) -> io::Result<Option<(Pid, Option<ChildStderr>)>> {
        let mut slot = self.0.lock();
        if slot.ended {
            return Ok(None);
        }
        let mut child = command.spawn()?;
        let started = (Pid::from_child(&child), child.stderr.take());
        slot.child = Some(child);
        Ok(Some(started))
    }

    /// How the program that has ended did end; none where [`BuildProcess::end`] ended it.
    fn wait(&self) -> io::Result<Option<ExitStatus>> {
        let mut slot = self.0.lock();
        let status = slot.child.take().map(|mut child| child.wait()).transpose()?;
        Ok(status.filter(|_| !slot.ended))
    }

    /// Ends the program that runs, and every later one before it begins.
    pub fn end(&self) {
        let mut slot = self.0.lock();
        slot.ended = true;
        if let Some(group) = &slot.child {
            // It may have ended by itself; the thread that runs it waits for it.
            let _ = kill_process_group(Pid::from_child(group), Signal::TERM);
        }
    }
}

/// What a program said, without what only a terminal understands.
fn without_colours(words: &[u8]) -> String {
    anstream::adapter::strip_str(&String::from_utf8_lossy(words)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_a_terminal_understands_is_left_out() {
        let coloured = "\x1b[1m\x1b[38;5;9merror\x1b[0m: \x1b]8;;https://x.example\x1b\\words\x1b]8;;\x07 end\x1b[";
        assert_eq!(without_colours(coloured.as_bytes()), "error: words end");
        assert_eq!(without_colours(b"plain"), "plain");
    }

    /// `sccache` is one: it starts its daemon at the first compilation, with all that it inherited.
    #[test]
    fn a_build_ends_although_a_daemon_holds_its_output_open() {
        let start = crate::clock::Instant::now();
        let mut build = Command::new("sh");
        build.args(["-c", "echo no >&2; sleep 30 & exit 1"]);
        let outcome = BuildProcess::default().run(build, true);
        assert!(matches!(&outcome, BuildOutcome::Failed(words) if words == "no\n"));
        assert!(start.elapsed().as_secs() < 20);
    }
}
