//! The crash test in its long form: what is checked is in the crate `crash-check`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, ensure};
use clap::Args;
use crash_check::Plan;

/// How often the server is killed, and with what.
#[derive(Args)]
pub struct Options {
    /// Parlor's binary.
    #[arg(long, value_name = "FILE")]
    parlor: PathBuf,
    /// How often it is killed.
    #[arg(long, default_value_t = 200)]
    kills: u32,
    /// Where the random times come from; from the clock where it is not given. The times are the same again, what hits
    /// them is not.
    #[arg(long)]
    seed: Option<u64>,
    /// A folder with `ledger.wasm`; built from `tests/guests` where it is not given.
    #[arg(long, value_name = "DIR")]
    plugins: Option<PathBuf>,
    /// A folder for the server's data, whose disk takes part; the system's for temporary files where it is not given.
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Writes the figures to this file as well.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Runs it. What was found wrong is the error, and then the data stay.
pub fn run(options: &Options) -> anyhow::Result<()> {
    ensure!(options.kills > 0, "--kills must be more than 0");
    let plugin = ledger(options.plugins.as_deref())?;
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seed = options.seed.unwrap_or(since.as_millis() as u64);
    let parent = options.folder.clone().unwrap_or_else(std::env::temp_dir);
    let folder = parent.join(format!("parlor-crash-{}", std::process::id()));
    fs::create_dir_all(&folder).with_context(|| format!("make the folder {}", folder.display()))?;
    eprintln!("seed {seed}, data in {}", folder.display());
    let summary = crash_check::run(Plan {
        program: &options.parlor,
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

/// The bytes of the guest `ledger`.
pub fn ledger(plugins: Option<&Path>) -> anyhow::Result<Vec<u8>> {
    let folder = match plugins {
        Some(folder) => folder.to_owned(),
        None => build()?,
    };
    let file = folder.join("ledger.wasm");
    fs::read(&file).with_context(|| format!("read {}: give --plugins", file.display()))
}

/// Builds it as the test suite does, in the same place.
fn build() -> anyhow::Result<PathBuf> {
    let target = Path::new("target/guests");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args([
        "build",
        "--release",
        "--quiet",
        "-p",
        "test-guests",
        "--example",
        "ledger",
        "--features",
        "component",
    ]);
    cargo.args(["--target", "wasm32-wasip2", "--target-dir"]).arg(target);
    let status = cargo.status().context("run cargo")?;
    ensure!(status.success(), "the guest could not be built: run this in the repository, or give --plugins");
    Ok(target.join("wasm32-wasip2/release/examples"))
}
