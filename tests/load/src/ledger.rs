//! What the loads have in common that keep things: the server, its plugin `ledger`, and a folder whose disk takes part.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use crate::load::guests;

/// Where these are.
#[derive(Args)]
pub struct Stand {
    /// Parlor's binary.
    #[arg(long, value_name = "FILE")]
    parlor: PathBuf,
    /// A folder with `ledger.wasm`; built from `tests/guests` where it is not given.
    #[arg(long, value_name = "DIR")]
    plugins: Option<PathBuf>,
    /// A folder for the data, whose disk takes part; the system's for temporary files where it is not given.
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

impl Stand {
    pub fn parlor(&self) -> &Path {
        &self.parlor
    }

    /// The plugin's bytes.
    pub fn plugin(&self) -> anyhow::Result<Vec<u8>> {
        guests::read("ledger", self.plugins.as_deref())
    }

    /// Makes a folder for the data of this process alone.
    pub fn make_folder(&self, what: &str) -> anyhow::Result<PathBuf> {
        let parent = self.folder.clone().unwrap_or_else(std::env::temp_dir);
        let folder = parent.join(format!("parlor-{what}-{}", std::process::id()));
        fs::create_dir_all(&folder).with_context(|| format!("make the folder {}", folder.display()))?;
        Ok(folder)
    }
}
