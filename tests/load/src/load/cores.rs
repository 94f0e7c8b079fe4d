//! Which core runs what. A child inherits the cores of the thread that starts it, so a server is placed by starting
//! it from its own cores.

use anyhow::Context;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Where the server and the load run.
#[derive(Clone)]
pub struct Cores {
    server: Vec<usize>,
    load: Vec<usize>,
}

impl Cores {
    /// The server on `count` of the cores that this process may use. With one, the load has another to itself, where
    /// there is one; with more, the load shares them all.
    pub fn split(count: usize) -> anyhow::Result<Self> {
        let allowed = sched_getaffinity(None).context("read which cores this process may use")?;
        let all: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|&core| allowed.is_set(core)).collect();
        anyhow::ensure!(count >= 1 && count <= all.len(), "--cores {count}: this process may use {}", all.len());
        let load = if count < all.len() { all[count..=count].to_vec() } else { all.clone() };
        Ok(Self { server: all[..count].to_vec(), load })
    }

    /// Server and load on all of them.
    pub fn shared() -> anyhow::Result<Self> {
        Self::split(sched_getaffinity(None).context("read which cores this process may use")?.count() as usize)
    }

    /// Runs `start` on the server's cores, then goes back to the load's.
    pub fn on_server_cores<T>(&self, start: impl FnOnce() -> T) -> anyhow::Result<T> {
        place(&self.server)?;
        let started = start();
        place(&self.load)?;
        Ok(started)
    }
}

impl std::fmt::Display for Cores {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "server on {:?}, load on {:?}", self.server, self.load)
    }
}

fn place(cores: &[usize]) -> anyhow::Result<()> {
    let mut set = CpuSet::new();
    for &core in cores {
        set.set(core);
    }
    sched_setaffinity(None, &set).with_context(|| format!("run on the cores {cores:?}"))
}
