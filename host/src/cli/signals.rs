//! The signals that end a server.

use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The bit of SIGHUP in the sets of signals that the kernel shows.
const HANGUP_BIT: u64 = 1;

/// Hears the signals that ask for the server's end, from its construction on: the first process of a container ends by no
/// other means.
#[derive(Debug)]
pub struct EndSignals {
    terminate: Signal,
    interrupt: Signal,
    /// None where whoever started the server wants SIGHUP ignored, as `nohup` does.
    hangup: Option<Signal>,
}

impl EndSignals {
    /// Listens from now on; needs a runtime.
    pub fn listen() -> anyhow::Result<Self> {
        let heard = |kind| signal(kind).context("cannot listen for signals");
        let hangup = if is_hangup_ignored() { None } else { Some(heard(SignalKind::hangup())?) };
        Ok(Self { terminate: heard(SignalKind::terminate())?, interrupt: heard(SignalKind::interrupt())?, hangup })
    }

    /// Waits for the next one, and answers its name.
    pub async fn next(&mut self) -> &'static str {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => drop(hangup.recv().await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
            () = hangup => "SIGHUP",
        }
    }
}

fn is_hangup_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|set| u64::from_str_radix(set.trim(), 16).ok()).is_some_and(|set| set & HANGUP_BIT != 0)
}
