//! What a program says until it ends. A program may leave a daemon behind that holds its pipes open for ever, so the end
//! of the program counts and not the end of its pipes.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::process::{Child, Command, Output, Stdio};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

/// What is read of a pipe at once.
const CHUNK_BYTES: usize = 4 << 10;
/// What is read after the program's end: as much as a pipe can hold. A daemon may go on to write.
const LEFT_BYTES: usize = 1 << 20;
/// The longest answer of a program that is kept.
const ANSWER_BYTES: usize = 64 << 20;

/// A pipe of a program, and who hears what comes out of it.
pub struct HeardPipe<'a> {
    pipe: Option<File>,
    heard: &'a mut dyn FnMut(&[u8]),
}

impl<'a> HeardPipe<'a> {
    pub fn new(pipe: Option<impl Into<OwnedFd>>, heard: &'a mut dyn FnMut(&[u8])) -> Self {
        Self { pipe: pipe.map(|pipe| File::from(pipe.into())), heard }
    }

    /// Reads once, without waiting where `poll` said that there is something; answers how much came.
    fn read(&mut self) -> usize {
        let mut chunk = [0; CHUNK_BYTES];
        let length = self.pipe.as_mut().and_then(|pipe| pipe.read(&mut chunk).ok()).unwrap_or(0);
        if length == 0 {
            self.pipe = None;
        }
        (self.heard)(&chunk[..length]);
        length
    }
}

/// Hears what a program says until it has ended. It is not waited for: its status is still to be asked for.
pub fn hear_until_end(child: Pid, pipes: &mut [HeardPipe<'_>]) -> io::Result<()> {
    let end = pidfd_open(child, PidfdFlags::empty())?;
    let mut left = LEFT_BYTES;
    loop {
        let (ready, has_ended) = wait(&end, pipes)?;
        let length: usize = ready.into_iter().map(|index| pipes[index].read()).sum();
        if has_ended {
            left = left.saturating_sub(length);
            if length == 0 || left == 0 {
                return Ok(());
            }
        }
    }
}

/// Waits until there is something to read, or the program has ended; answers which pipes are to be read.
fn wait(end: &OwnedFd, pipes: &[HeardPipe<'_>]) -> io::Result<(Vec<usize>, bool)> {
    let open: Vec<(usize, &File)> =
        pipes.iter().enumerate().filter_map(|(index, pipe)| Some((index, pipe.pipe.as_ref()?))).collect();
    let mut polled = vec![PollFd::new(end, PollFlags::IN)];
    polled.extend(open.iter().map(|(_, pipe)| PollFd::from_borrowed_fd(pipe.as_fd(), PollFlags::IN)));
    while let Err(why) = poll(&mut polled, None) {
        if why != Errno::INTR {
            return Err(why.into());
        }
    }
    let is_ready = |polled: &PollFd<'_>| !polled.revents().is_empty();
    let ready = open.iter().zip(&polled[1..]).filter(|(_, polled)| is_ready(polled));
    Ok((ready.map(|((index, _), _)| *index).collect(), is_ready(&polled[0])))
}

/// Runs a program to its end, and answers what it said until then.
pub fn output(command: &mut Command) -> io::Result<Output> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let heard = hear_until_end(
        Pid::from_child(&child),
        &mut [
            HeardPipe::new(child.stdout.take(), &mut |bytes| keep(&mut stdout, bytes, ANSWER_BYTES)),
            HeardPipe::new(child.stderr.take(), &mut |bytes| keep(&mut stderr, bytes, ANSWER_BYTES)),
        ],
    );
    let status = end(child, heard)?;
    Ok(Output { status, stdout, stderr })
}

/// The status of a program that has ended; one that could not be listened to is ended.
fn end(mut child: Child, heard: io::Result<()>) -> io::Result<std::process::ExitStatus> {
    if let Err(why) = heard {
        // It may have ended by itself.
        let _ = child.kill();
        child.wait()?;
        return Err(why);
    }
    child.wait()
}

/// Adds to what is kept, as far as that is allowed.
pub fn keep(kept: &mut Vec<u8>, bytes: &[u8], max: usize) {
    kept.extend_from_slice(&bytes[..bytes.len().min(max.saturating_sub(kept.len()))]);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::Instant;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn all_that_a_program_says_is_heard() {
        let said = output(&mut shell("head -c 300000 /dev/zero; echo words >&2; exit 3")).unwrap();
        assert_eq!(
            (said.stdout.len(), said.stderr.as_slice(), said.status.code()),
            (300_000, &b"words\n"[..], Some(3))
        );
    }

    #[test]
    fn a_daemon_that_inherits_the_pipes_keeps_nobody_waiting() {
        let start = Instant::now();
        let said = output(&mut shell("echo out; echo err >&2; sleep 30 & echo $!")).unwrap();
        assert!(start.elapsed() < Duration::from_secs(20));
        let text = String::from_utf8(said.stdout).unwrap();
        let daemon = text.strip_prefix("out\n").unwrap().trim().parse().unwrap();
        assert_eq!(said.stderr, b"err\n");
        rustix::process::kill_process(Pid::from_raw(daemon).unwrap(), rustix::process::Signal::KILL).unwrap();
    }
}
