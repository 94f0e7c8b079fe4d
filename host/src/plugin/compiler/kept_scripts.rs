//! What scripts became, kept among the tenant's native code: a server that starts anew builds no script whose files are as they
//! were.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::cache::{Cache, SCRIPT_EXTENSION};
use super::scripts::ScriptJob;
use super::seal;
use crate::files;

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

/// The name of a script's kept component: by the script's path, and by this program, whose SDK builds. None where the program is gone.
pub fn name(job: &ScriptJob, program: &Path) -> Option<String> {
    let program = std::fs::metadata(program).ok()?;
    let program = (program.len(), program.mtime(), program.mtime_nsec());
    let named = serde_json::to_vec(&(&job.root, job.flat, &job.entry, &job.name, program)).ok()?;
    Some(format!("{}.{SCRIPT_EXTENSION}", blake3::hash(&named).to_hex()))
}

/// Reads a component of at most `max` bytes. `user` is whom the file has to belong to.
pub fn read(file: &Path, user: u32, max: u64) -> Option<KeptScript> {
    seal::check(file, user).ok()?;
    let mut content = std::fs::read(file).ok()?;
    content.truncate(content.len().checked_sub(seal::SEAL_BYTES)?);
    let end = content.iter().position(|byte| *byte == b'\n')?;
    let component = content.split_off(end + 1);
    let sources = serde_json::from_slice(&content).ok()?;
    // If this fails, the file only seems to be unused for longer than it is.
    let _ = File::open(file).and_then(|file| file.set_modified(SystemTime::now()));
    (component.len() as u64 <= max).then_some(KeptScript { sources, component })
}

pub fn write(file: &Path, KeptScript { sources, component }: &KeptScript) -> anyhow::Result<()> {
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
