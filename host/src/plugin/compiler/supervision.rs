//! Watches the child that compiles or builds, and ends it when it gets nowhere or nobody needs its code.

use std::process::{Child, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rustix::io::Errno;
use rustix::param::clock_ticks_per_second;
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use super::subject::WORTH_TELLING;

/// How often the server looks whether the child is done.
const POLL: Duration = Duration::from_millis(5);
/// How often the server looks whether the child uses CPU time, which the kernel counts in steps of 10 ms.
const LOOK_AT_PROGRESS: Duration = Duration::from_millis(50);

/// How the child ended.
pub(super) enum ChildEnd {
    Itself(ExitStatus),
    /// The server killed it because it used no CPU time for `compile-wall-ms`.
    StoodStill,
    /// The server killed it because nobody waited for it any more.
    GivenUp,
}

/// A child that is gone.
pub(super) struct EndedChild {
    pub end: ChildEnd,
    /// The CPU time of all its threads.
    pub cpu: Duration,
}

/// Waits for the child, or kills it. It is gone afterwards in any case. How long it takes depends on how busy the machine
/// is, so only a child that uses no CPU time at all for `still` is killed; the kernel ends one that uses too much.
pub(super) fn wait(
    child: &mut Child,
    still: Duration,
    given_up: &AtomicBool,
    tell_begun: impl Fn(),
) -> anyhow::Result<EndedChild> {
    let (start, pid) = (Instant::now(), Pid::from_child(child));
    let mut told = false;
    let mut progress = CpuProgress { used: None, looked: start, since: start };
    let killed_as = loop {
        match has_ended(pid, WaitIdOptions::NOHANG) {
            Ok(true) => break Ok(None),
            Ok(false) if given_up.load(Ordering::Relaxed) => break Ok(Some(ChildEnd::GivenUp)),
            Ok(false) if progress.stands_still(child.id(), Instant::now()) >= still => {
                break Ok(Some(ChildEnd::StoodStill));
            }
            Ok(false) => {}
            Err(why) => break Err(why),
        }
        if !told && start.elapsed() > WORTH_TELLING {
            told = true;
            tell_begun();
        }
        std::thread::sleep(POLL);
    };
    if !matches!(killed_as, Ok(None)) {
        // The child may have exited meanwhile.
        let _ = child.kill();
        // If this fails, the system does not say what the child used.
        let _ = has_ended(pid, WaitIdOptions::empty());
    }
    let cpu = Duration::from_secs(cpu_ticks(child.id()).unwrap_or(0)) / clock_ticks_per_second().max(1) as u32;
    let ended = child.wait().and_then(|status| Ok(killed_as?.unwrap_or(ChildEnd::Itself(status))));
    let end = ended.context("cannot wait for the child")?;
    Ok(EndedChild { end, cpu })
}

/// Whether a child has ended. Its entry in the system's table stays, and tells what it used, until somebody waits for it.
fn has_ended(child: Pid, how: WaitIdOptions) -> std::io::Result<bool> {
    loop {
        match waitid(WaitId::Pid(child), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | how) {
            Err(Errno::INTR) => {}
            found => return Ok(found?.is_some()),
        }
    }
}

/// Whether a process uses CPU time.
struct CpuProgress {
    /// What it had used at the last look.
    used: Option<u64>,
    looked: Instant,
    /// Since when it has used no more.
    since: Instant,
}

impl CpuProgress {
    /// For how long the process has used no CPU time. Where the system does not tell, as if it used none.
    fn stands_still(&mut self, process: u32, now: Instant) -> Duration {
        if now - self.looked >= LOOK_AT_PROGRESS {
            self.looked = now;
            let used = cpu_ticks(process);
            if used != self.used {
                (self.used, self.since) = (used, now);
            }
        }
        now - self.since
    }
}

/// The CPU time of a process with that of its children which have ended, in ticks of the kernel (proc(5): `utime`, `stime`,
/// `cutime` and `cstime` of `/proc/PID/stat`).
fn cpu_ticks(process: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name of the program comes before, in parentheses, and may be anything.
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_ascii_whitespace().skip(11).take(4).map(|time| time.parse::<u64>().ok()).sum()
}
