//! The crash test in its long form: what is checked is in the crate `crash-check`.

use std::fs;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, ensure};
use clap::Args;
use crash_check::Plan;

use crate::ledger;

/// How often the server is killed, and with what.
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    stand: ledger::Stand,
    /// How often it is killed.
    #[arg(long, default_value_t = 200)]
    kills: u32,
    /// Where the random times come from; from the clock where it is not given. The times are the same again, what hits
    /// them is not.
    #[arg(long)]
    seed: Option<u64>,
    /// Writes the figures to this file as well.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Runs it. What was found wrong is the error, and then the data stay.
pub fn run(options: &Options) -> anyhow::Result<()> {
    ensure!(options.kills > 0, "--kills must be more than 0");
    let plugin = options.stand.plugin()?;
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seed = options.seed.unwrap_or(since.as_millis() as u64);
    let folder = options.stand.make_folder("crash")?;
    eprintln!("seed {seed}, data in {}", folder.display());
    let summary = crash_check::run(Plan {
        program: options.stand.parlor(),
        plugin: &plugin,
        folder: &folder,
        compiled: None,
        kills: options.kills,
        seed,
        tells: true,
    })?;
    println!("{summary}");
    if let Some(path) = &options.json {
        fs::write(path, summary.json().to_string()).with_context(|| format!("write {}", path.display()))?;
    }
    fs::remove_dir_all(&folder).with_context(|| format!("remove {}", folder.display()))
}
