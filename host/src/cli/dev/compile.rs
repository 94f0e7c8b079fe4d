//! One run of a program that builds: its words go to the terminal and are kept for the overview, and it can be ended.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use parking_lot::Mutex;
use rustix::process::{Pid, Signal, kill_process_group};

use crate::cli::child::{HeardPipe, hear_until_end, keep};
use crate::logs::STDERR;

/// How much of what the compiler says is kept: the first errors, which the others follow from.
const WORDS_BYTES: usize = 64 << 10;

/// How often a build asks whether it is in vain: a save seems to be heard at once.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The program that runs, if one does, and whether another may follow. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct BuildProcess(Arc<Mutex<ProcessSlot>>);

#[derive(Debug, Default)]
struct ProcessSlot {
    child: Option<Child>,
    ended: bool,
    /// Whether what it builds is out of date.
    abandoned: bool,
}

/// How the run of a program ended.
pub enum BuildOutcome {
    Done,
    /// What the compiler said, without colours.
    Failed(String),
    /// [`BuildProcess::end`] ended it.
    Ended,
    /// A source was saved meanwhile: what it would have built is out of date.
    Abandoned,
}

impl BuildProcess {
    /// Runs a program to its end, as [`BuildProcess::run`] does, but gives it up once `is_stale`, which is asked now and then,
    /// says that it is in vain. It runs beside a server.
    pub fn run_unless(&self, command: Command, mut is_stale: impl FnMut() -> bool + Send) -> BuildOutcome {
        let (done, is_done) = sync_channel::<()>(0);
        std::thread::scope(|threads| {
            threads.spawn(move || {
                while is_done.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
                    if is_stale() {
                        return self.abandon();
                    }
                }
            });
            let outcome = self.run(command, true);
            drop(done);
            outcome
        })
    }

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
            // What it did before that is out of date, however it ended.
            Ok(Some(_)) if self.0.lock().abandoned => BuildOutcome::Abandoned,
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
        slot.abandoned = false;
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
        slot.stop();
    }

    /// Ends the program that runs; others may follow.
    fn abandon(&self) {
        let mut slot = self.0.lock();
        slot.abandoned = true;
        slot.stop();
    }
}

impl ProcessSlot {
    fn stop(&self) {
        if let Some(group) = &self.child {
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

    #[test]
    fn a_build_that_is_in_vain_is_given_up_and_another_runs() {
        let builds = BuildProcess::default();
        let start = crate::clock::Instant::now();
        let mut slow = Command::new("sh");
        slow.args(["-c", "sleep 30 & wait"]);
        assert!(matches!(builds.run_unless(slow, || true), BuildOutcome::Abandoned));
        assert!(start.elapsed().as_secs() < 20);
        assert!(matches!(builds.run_unless(Command::new("true"), || false), BuildOutcome::Done));
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
