//! What a server holds: memory, descriptors, threads, instances.

use std::fs;

use anyhow::Context;

use super::attack::Arena;
use super::uploads;
use crate::load::server::Server;

/// A server's holdings at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Holdings {
    pub rss_kib: u64,
    pub descriptors: u64,
    pub threads: u64,
    /// Live instances, where the host tells.
    pub instances: Option<u64>,
}

impl Holdings {
    /// Reads them.
    pub fn read(server: &Server, arena: &Arena) -> anyhow::Result<Self> {
        let folder = format!("/proc/{}", server.process());
        let status = fs::read_to_string(format!("{folder}/status")).context("the server has gone")?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).with_context(|| format!("no {name}"))
        };
        Ok(Self {
            rss_kib: field("VmRSS:")?,
            threads: field("Threads:")?,
            descriptors: fs::read_dir(format!("{folder}/fd")).context("the server has gone")?.count() as u64,
            instances: instances(arena),
        })
    }
}

/// The gauge of live instances, summed over whatever labels it has.
fn instances(arena: &Arena) -> Option<u64> {
    let text = uploads::get("/_parlor/metrics", arena)?;
    let lines = text.lines().filter(|line| line.starts_with("parlor_instances_live"));
    let values: Vec<f64> = lines.filter_map(|line| line.rsplit(' ').next()?.parse().ok()).collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() as u64)
}
