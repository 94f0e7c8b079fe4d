//! A process that spins on the server's cores, as other programs do on a machine that is not the server's alone.

use std::process::{Child, Command, Stdio};

use anyhow::Context;

use crate::load::cores::Cores;

/// The process. Dropping it ends it.
pub struct Neighbour(Child);

impl Neighbour {
    /// Starts it on the server's cores.
    pub fn start(cores: &Cores) -> anyhow::Result<Self> {
        let own = std::env::current_exe().context("find this program's own file")?;
        let mut command = Command::new(own);
        // It ends when its input does, whatever became of this process.
        command.arg("spin").stdin(Stdio::piped()).stdout(Stdio::null());
        let child = cores.on_server_cores(|| command.spawn())?.context("start the process that spins")?;
        Ok(Self(child))
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        // Both fail only where the process has ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Spins until whoever started this is gone.
pub fn spin() -> anyhow::Result<()> {
    let mut count = 0u64;
    std::thread::spawn(|| {
        // An error is an end as well.
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        std::process::exit(0);
    });
    loop {
        count = std::hint::black_box(count.wrapping_add(1));
    }
}
