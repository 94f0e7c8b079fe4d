//! What a component costs whoever serves it: compiling it, and each of its rooms.

use std::time::Duration;

use super::units::bytes;
use crate::clock::thread_cpu_ns;
use crate::plugin::version::Plugin;

/// How many instances are made to see what one takes.
const INSTANCES: usize = 8;

/// What one room takes before anything happens in it.
#[derive(Debug)]
pub struct RoomCost {
    /// Its memories and tables, which `memory-bytes` and `memory-tenant-bytes` bound.
    memory_bytes: usize,
    /// What no other room of the plugin shares with it; `None` where the system does not tell.
    own_bytes: Option<u64>,
    /// The CPU time of opening it.
    opening: Duration,
}

impl RoomCost {
    /// Opens instances; `None` where there is no place for two.
    pub async fn measure(plugin: &Plugin) -> Option<Self> {
        // The first one finds nothing in place yet.
        let first = plugin.instances(1).await;
        let (memory, cpu) = (anonymous_bytes(), thread_cpu_ns());
        let more = plugin.instances(INSTANCES).await;
        let count = more.len() as u64;
        let opening = thread_cpu_ns().saturating_sub(cpu).checked_div(count)?;
        let own_bytes = memory.zip(anonymous_bytes()).map(|(before, after)| after.saturating_sub(before) / count);
        let memory_bytes = first.first()?.memory_bytes();
        Some(Self { memory_bytes, own_bytes, opening: Duration::from_nanos(opening) })
    }

    /// Says it in one line.
    pub fn words(&self) -> String {
        let own = self.own_bytes.map(|own| format!(", of which {} are its own", bytes(own))).unwrap_or_default();
        let opening = self.opening.as_secs_f64() * 1_000.0;
        format!("{} of memory{own}; opening it takes {opening:.1} ms of CPU", bytes(self.memory_bytes as u64))
    }
}

/// The memory of this process that it shares with nobody and that no file holds.
fn anonymous_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib << 10)
}
