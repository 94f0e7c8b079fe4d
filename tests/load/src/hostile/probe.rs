//! How much CPU a spinning handler gets until it is stopped, on a server that has nothing else to do.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use super::seen::Seen;
use super::stand::{EVIL, Stand};
use super::wire::{Wire, attacker};

/// Handlers that are made to spin, each in a room of its own.
const SPINS: usize = 5;
/// How long one may take to be stopped.
const PATIENCE: Duration = Duration::from_secs(10);
/// From one look at the log to the next.
const LOOK_EVERY: Duration = Duration::from_millis(1);
/// How long the server may rest between two of them.
const REST: Duration = Duration::from_millis(300);

/// The most CPU time that the server used from a spinning handler's event to the line in its log that says that it was
/// stopped. All that the server does in that time is counted.
pub fn spin_cpu(stand: &mut Stand) -> anyhow::Result<Duration> {
    let seen = Seen::default();
    let mut most = Duration::ZERO;
    for number in 0..SPINS {
        let path = format!("/t/{EVIL}/bare?room=probe-{number}");
        let mut wire = Wire::open(attacker(900), stand.address(), &path, &seen)
            .map_err(|why| anyhow::anyhow!("the probe: {}", why.words()))?;
        std::thread::sleep(REST);
        stand.log.lines();
        let before = stand.server.cpu()?;
        wire.text(br#"{"type":"say","data":1}"#);
        let end = Instant::now() + PATIENCE;
        while !stand.log.lines().iter().any(|line| line.contains("\"deadline\"")) {
            if Instant::now() > end {
                bail!("a spinning handler is not stopped within {PATIENCE:?}");
            }
            std::thread::sleep(LOOK_EVERY);
        }
        most = most.max(stand.server.cpu().context("after a spinning handler")? - before);
    }
    Ok(most)
}
