//! What scripts became, kept among the tenant's native code: a server that starts anew builds no script whose files are as they
//! were.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::cache::Cache;
use super::{Compiler, ScriptJob, seal};
use crate::files;
use crate::model::names::PluginKey;
use crate::tenant::Account;

/// The extension of a kept component.
pub(super) const EXTENSION: &str = "script";

/// A component that a script became.
#[derive(Debug)]
pub struct KeptScript {
    pub sources: ScriptSources,
    pub component: Vec<u8>,
}

/// What a component was built of.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ScriptSources {
    /// The files that the build looked at, those that are not there included.
    pub files: Vec<PathBuf>,
    /// The state that all of them were in.
    pub state: String,
}

impl Compiler {
    /// What was last kept for a script. Whether its files are as they were is for the caller to see.
    pub async fn kept_script(
        self: &Arc<Self>,
        key: &PluginKey,
        account: &Arc<Account>,
        job: &ScriptJob,
    ) -> Option<KeptScript> {
        let (max, file) = (job.output_bytes, self.place_of_script(key, account, job)?);
        let of_tenant = (key.clone(), Arc::clone(account), Arc::from([]));
        let read = move |compiler: &Self, _: &PluginKey, _: &Account, _: &[u8]| compiler.read_script(&file, max);
        self.aside(of_tenant, read).await.ok()?
    }

    fn read_script(&self, file: &Path, max: u64) -> Option<KeptScript> {
        seal::check(file, self.user).ok()?;
        let mut content = std::fs::read(file).ok()?;
        content.truncate(content.len().checked_sub(seal::SEAL_BYTES)?);
        let end = content.iter().position(|byte| *byte == b'\n')?;
        let component = content.split_off(end + 1);
        let sources = serde_json::from_slice(&content).ok()?;
        // If this fails, the file only seems to be unused for longer than it is.
        let _ = File::open(file).and_then(|file| file.set_modified(SystemTime::now()));
        (component.len() as u64 <= max).then_some(KeptScript { sources, component })
    }

    /// Keeps what a script became. Where that fails, the script is built again after the next start.
    pub async fn keep_script(
        self: &Arc<Self>,
        key: &PluginKey,
        account: &Arc<Account>,
        job: &ScriptJob,
        made: KeptScript,
    ) {
        let Some(file) = self.place_of_script(key, account, job) else { return };
        let of_tenant = (key.clone(), Arc::clone(account), Arc::from([]));
        let write = move |compiler: &Self, _: &PluginKey, _: &Account, _: &[u8]| {
            if let Err(why) = write_script(&file, &made) {
                tracing::warn!("{} is built again after the next start: {why:#}", file.display());
            }
            compiler.cache.forget_unused(&file);
        };
        // Nothing is lost where the thread fails.
        let _ = self.aside(of_tenant, write).await;
    }

    /// Where a script's component has its place: by the script's path, and by this program, whose SDK builds. None where the program
    /// is gone.
    fn place_of_script(&self, key: &PluginKey, account: &Account, job: &ScriptJob) -> Option<PathBuf> {
        let program = std::fs::metadata(&self.program).ok()?;
        let program = (program.len(), program.mtime(), program.mtime_nsec());
        let named = serde_json::to_vec(&(&job.root, job.flat, &job.entry, &job.name, program)).ok()?;
        let name = format!("{}.{EXTENSION}", blake3::hash(&named).to_hex());
        Some(self.cache.place(&key.tenant, account.limits.compiled_cache_tenant_bytes, &name))
    }
}

fn write_script(file: &Path, KeptScript { sources, component }: &KeptScript) -> anyhow::Result<()> {
    let _alone = Cache::lock(file, || false)?;
    let mut partial = files::begin_private(file)?;
    let mut head = serde_json::to_vec(sources).context("its files have names that are no text")?;
    head.push(b'\n');
    partial.write_all(&head)?;
    partial.write_all(component)?;
    seal::put(partial.as_file(), file)?;
    partial.as_file().sync_data()?;
    partial.persist(file).map_err(|why| why.error)?;
    Ok(())
}
