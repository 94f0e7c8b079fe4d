//! How many connections the process can have: the kernel's bound on its descriptors.

use anyhow::{Context as _, ensure};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::model::limits::Limits;

/// Descriptors for all that is no connection: files, threads, the child that compiles.
const RESERVED: u64 = 1_024;

/// Raises the bound as far as this user may, and answers how many connections that leaves.
pub fn connections(limits: &Limits) -> anyhow::Result<usize> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum
        && let Err(why) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
    {
        tracing::warn!("the bound on descriptors stays at {current:?}: {why}");
    }
    // None is without a bound.
    let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let left = descriptors.saturating_sub(RESERVED);
    ensure!(
        left > 0,
        "{descriptors} descriptors are too few, {RESERVED} are needed beside connections; see `ulimit -n`"
    );
    let left = usize::try_from(left).context("so many descriptors are no number")?;
    if left < limits.sockets_of_host {
        tracing::debug!("sockets-of-host is {}, the process's descriptors allow {left}", limits.sockets_of_host);
    }
    Ok(limits.sockets_of_host.min(left))
}
