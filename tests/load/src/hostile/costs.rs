//! What an attack costs the server: processor, memory, log; and what of it the evil tenant is charged for.

use std::fs;
use std::time::Instant;

use anyhow::Context;
use serde::Serialize;

use super::attack::Arena;
use super::log::Log;
use super::stand::EVIL;
use super::uploads;
use crate::load::server::Server;

/// A second of CPU time of each kind that `/proc/PID/stat` tells: the process's own, and that of children it waited for.
const CLOCK_FIELDS: std::ops::Range<usize> = 11..15;

/// The counters at one moment.
#[derive(Clone)]
pub struct Counters {
    at: Instant,
    burnt: f64,
    charged: Option<f64>,
    log: (u64, u64),
}

/// What a time cost. Shares are of a core.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Costs {
    /// By the server and the children that it waited for.
    pub burnt: f64,
    /// To the evil tenant; none where the server did not tell.
    pub charged: Option<f64>,
    /// The most memory that it had.
    pub rss_mib: f64,
    pub log_lines: u64,
    pub log_kib_per_second: f64,
}

impl Counters {
    /// Reads them.
    pub fn read(server: &Server, log: &Log, arena: &Arena) -> anyhow::Result<Self> {
        let charged = gauge("parlor_tenant_cpu_seconds", Some(EVIL), arena);
        Ok(Self { at: Instant::now(), burnt: cpu_seconds(server.process())?, charged, log: (log.count(), log.bytes()) })
    }

    /// What was used since.
    pub fn since(&self, before: &Self, server: &Server) -> Costs {
        let seconds = (self.at - before.at).as_secs_f64();
        // A tenant that nobody has entered yet is charged nothing.
        let charged = self.charged.map(|after| (after - before.charged.unwrap_or(0.0)) / seconds);
        Costs {
            burnt: (self.burnt - before.burnt) / seconds,
            charged,
            rss_mib: peak_mib(server.process()).unwrap_or_default(),
            log_lines: self.log.0 - before.log.0,
            log_kib_per_second: (self.log.1 - before.log.1) as f64 / 1024.0 / seconds,
        }
    }
}

/// Forgets the most memory that a process had so far.
pub fn forget_peak(server: &Server) {
    // Where the kernel does not allow it, the figure is that of the server's whole life.
    let _ = fs::write(format!("/proc/{}/clear_refs", server.process()), "5");
}

fn peak_mib(process: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<f64>().ok()? / 1024.0)
}

fn cpu_seconds(process: u32) -> anyhow::Result<f64> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).context("the server has gone")?;
    // The program's name stands in brackets and may have spaces.
    let (_, fields) = text.rsplit_once(") ").context("/proc/PID/stat without a name")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks: u64 =
        fields.get(CLOCK_FIELDS).context("/proc/PID/stat is short")?.iter().flat_map(|it| it.parse::<u64>()).sum();
    Ok(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// A figure of the metrics, of one tenant or of the whole server.
pub fn gauge(name: &str, tenant: Option<&str>, arena: &Arena) -> Option<f64> {
    let text = uploads::get("/_parlor/metrics", arena)?;
    figure(&text, name, tenant)
}

fn figure(text: &str, name: &str, tenant: Option<&str>) -> Option<f64> {
    let label = tenant.map(|tenant| format!("{{tenant=\"{tenant}\"}}")).unwrap_or_default();
    // Counters end with `_total`, whatever the type is called.
    let heads = [format!("{name}{label} "), format!("{name}_total{label} ")];
    text.lines().find_map(|line| heads.iter().find_map(|head| line.strip_prefix(head.as_str()))?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_read_by_its_name_and_tenant() {
        let text = "# HELP x\nparlor_alarms 3.0\nparlor_tenant_cpu_seconds_total{tenant=\"evil\"} 1.5\n";
        assert_eq!(figure(text, "parlor_alarms", None), Some(3.0));
        assert_eq!(figure(text, "parlor_tenant_cpu_seconds", Some("evil")), Some(1.5));
        assert_eq!(figure(text, "parlor_tenant_cpu_seconds", Some("good")), None);
    }
}
