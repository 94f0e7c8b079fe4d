//! The child process of a server that builds a script of a tenant's: it bounds itself, starts node with the SDK's build, and
//! waits for all that comes of it, whatever becomes of node.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, getpid, kill_process_group, set_child_subreaper, wait};

use super::project::{installed_sdk, require_node};
use super::sdk;
use crate::clock::Instant;
use crate::plugin::compiler::{BY_SIGNAL, ChildBounds, ChildMemory, EXIT_LACKING, EXIT_PREVENTED, ScriptJob};

/// How often the child looks whether node has ended.
const POLL: Duration = Duration::from_millis(3);

/// Does the job, and ends this process: with node's own code, or one that says why it did not come to that.
pub fn run(job: &ScriptJob) -> anyhow::Result<()> {
    let written = (job.output_bytes, job.output_bytes);
    let bounds = ChildBounds { cpu_ms: job.cpu_ms, memory: ChildMemory::Writable(job.memory_bytes), written };
    // Nothing of the tenant's has part in this, so that its bounds are no reason for words about the machine.
    let node = match node(job) {
        Ok(node) => node,
        Err(why) => end(EXIT_LACKING, &format!("{why:#}")),
    };
    let ready = bounds.set().and_then(|()| Ok(set_child_subreaper(Some(getpid()))?));
    if let Err(why) = ready {
        end(EXIT_PREVENTED, &format!("{why:#}"));
    }
    match run_node(node, Duration::from_millis(job.wall_ms)) {
        Ok(Some(code)) => std::process::exit(code),
        Ok(None) => end(1, &format!("had not been built after compile-wall-ms: {} ms", job.wall_ms)),
        Err(why) => end(EXIT_PREVENTED, &format!("cannot run node: {why}")),
    }
}

fn end(code: i32, words: &str) -> ! {
    let _ = io::Write::write_all(&mut io::stderr(), words.as_bytes());
    std::process::exit(code)
}

/// The command that builds; an error says what the machine lacks.
fn node(job: &ScriptJob) -> anyhow::Result<Command> {
    require_node()?;
    let sdk = installed_sdk()?;
    let order = serde_json::json!({ "root": job.root, "entry": job.entry, "name": job.name, "flat": job.flat });
    let mut node = Command::new("node");
    node.arg(sdk.join("build/cli.mjs")).arg("script").arg(order.to_string());
    let path = std::env::var_os("PATH").unwrap_or_default();
    node.env_clear().env("PATH", path).env("NO_COLOR", "1").env("PARLOR_ENGINE", sdk::cached_engine()?);
    // It leads a group, with which all that it started ends.
    node.current_dir(sdk).stdin(Stdio::inherit()).process_group(0);
    Ok(node)
}

/// Runs node to its end, and ends what it leaves behind. Answers its code; none where it had to be stopped.
fn run_node(mut node: Command, within: Duration) -> anyhow::Result<Option<i32>> {
    let begun = Instant::now();
    let child = Pid::from_child(&node.spawn().context("it does not start")?);
    let mut status = None;
    loop {
        // Whatever outlives its parent becomes a child of this process, and is waited for here.
        match wait(WaitOptions::NOHANG) {
            Ok(Some((ended, how))) if ended == child => {
                status = Some(how);
                let _ = kill_process_group(child, Signal::KILL);
            }
            Ok(Some(_)) | Err(Errno::INTR) => {}
            Err(Errno::CHILD) => return Ok(status.map(code_of)),
            Err(why) => return Err(why.into()),
            Ok(None) => {
                if status.is_none() && begun.elapsed() > within {
                    let _ = kill_process_group(child, Signal::KILL);
                    let stopped = wait_for_all();
                    return stopped.map(|()| None);
                }
                std::thread::sleep(POLL);
            }
        }
    }
}

/// Waits until no child is left.
fn wait_for_all() -> anyhow::Result<()> {
    loop {
        match wait(WaitOptions::empty()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(Errno::CHILD) => return Ok(()),
            Err(why) => return Err(why.into()),
        }
    }
}

fn code_of(status: WaitStatus) -> i32 {
    let by_signal = status.terminating_signal().map(|signal| BY_SIGNAL + signal);
    status.exit_status().or(by_signal).unwrap_or(1)
}
