//! The files of packs, one for each tenant, and how a pack goes to the child and comes back.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::functions::{FunctionCounts, Functions};
use crate::files;
use crate::model::names::TenantName;

/// The folder for packs within the data folder.
pub const FOLDER: &str = "functions";
const EXTENSION: &str = ".pack";
/// How many digits of the engine's hash stand in a pack's name, after a dash.
const ENGINE_DIGITS: usize = 16;
/// The last bytes of the child's output. The pack's length and three counts come before them.
const MAGIC: &[u8; 8] = b"parlorc2";
pub const END_BYTES: usize = 28;

/// The packs for one engine.
#[derive(Debug)]
pub struct Packs {
    pub folder: PathBuf,
    pub engine_hash: u64,
    /// How many bytes one pack may have; with 0 nothing is kept.
    pub bytes_max: u64,
}

impl Packs {
    fn file(&self, tenant: &TenantName) -> PathBuf {
        self.folder.join(format!("{tenant}-{:0ENGINE_DIGITS$x}{EXTENSION}", self.engine_hash))
    }

    /// Reads a tenant's pack; an empty one if there is none, or if it is too large or damaged.
    pub fn read(&self, tenant: &TenantName) -> Vec<u8> {
        let path = self.file(tenant);
        let read = File::open(&path).and_then(|file| {
            let mut pack = Vec::new();
            file.take(self.bytes_max + 1).read_to_end(&mut pack)?;
            Ok(pack)
        });
        match read {
            Ok(pack) if pack.len() as u64 > self.bytes_max => Vec::new(),
            Ok(pack) if Functions::are_whole(&pack) => pack,
            Ok(_) => {
                tracing::warn!("{} is damaged, so every function is compiled again", path.display());
                Vec::new()
            }
            Err(why) => {
                if why.kind() != ErrorKind::NotFound {
                    tracing::warn!("cannot read {}, so every function is compiled again: {why}", path.display());
                }
                Vec::new()
            }
        }
    }

    /// Writes a tenant's pack. If that fails, the tenant's next compilation takes longer.
    pub fn keep(&self, tenant: &TenantName, pack: &[u8]) {
        if pack.is_empty() || pack.len() as u64 > self.bytes_max {
            return;
        }
        let file = self.file(tenant);
        let written = files::begin(&file).and_then(|mut partial| {
            partial.write_all(pack)?;
            // Not synced: a pack that a power failure damages is none.
            Ok(partial.persist(&file)?)
        });
        if let Err(why) = written {
            tracing::warn!("{} cannot be written: {why}", file.display());
        }
    }
}

/// Whether a file of this name is a pack.
pub fn is_pack(name: &str) -> bool {
    name.ends_with(EXTENSION)
}

/// The tenant whose functions are in a pack, by its file's name.
pub fn tenant_of(pack: &Path) -> Option<&str> {
    let name = pack.file_name()?.to_str()?.strip_suffix(EXTENSION)?;
    let (tenant, _) = name.split_at_checked(name.len().checked_sub(ENGINE_DIGITS + 1)?)?;
    Some(tenant)
}

/// Sends the child a pack and a component.
pub fn give(child: &mut impl Write, pack: &[u8], component: &[u8]) -> std::io::Result<()> {
    child.write_all(&(pack.len() as u64).to_le_bytes())?;
    child.write_all(pack)?;
    child.write_all(component)
}

/// Reads what the child was sent: a pack and a component.
pub fn take(mut given: impl Read) -> std::io::Result<(Vec<u8>, Vec<u8>)> {
    let mut length = [0; 8];
    given.read_exact(&mut length)?;
    let mut pack = Vec::new();
    let mut component = Vec::new();
    given.by_ref().take(u64::from_le_bytes(length)).read_to_end(&mut pack)?;
    given.read_to_end(&mut component)?;
    Ok((pack, component))
}

/// Writes the child's functions and the trailer behind its code.
pub fn give_back(answer: &mut impl Write, functions: Option<&Functions>) -> std::io::Result<()> {
    let pack = functions.map(Functions::to_pack).unwrap_or_default();
    let FunctionCounts { reused, anew, left_out } = functions.map(Functions::counts).unwrap_or_default();
    answer.write_all(&pack)?;
    answer.write_all(&(pack.len() as u64).to_le_bytes())?;
    for count in [reused, anew, left_out] {
        answer.write_all(&count.to_le_bytes())?;
    }
    answer.write_all(MAGIC)
}

/// Cuts the functions and the trailer off the child's output, and returns them. Returns `None` and cuts nothing if
/// there is no trailer: then the child was not this program.
pub fn take_off(answer: &File, path: &Path) -> anyhow::Result<Option<(Vec<u8>, FunctionCounts)>> {
    let unread = || format!("cannot read {}", path.display());
    let length = answer.metadata().with_context(unread)?.len();
    let Some(end) = length.checked_sub(END_BYTES as u64) else { return Ok(None) };
    let mut words = [0; END_BYTES];
    answer.read_exact_at(&mut words, end).with_context(unread)?;
    let Some(numbers) = words.strip_suffix(MAGIC) else { return Ok(None) };
    let number = |from: usize| u32::from_le_bytes([0, 1, 2, 3].map(|byte| numbers[from + byte]));
    let pack_bytes = u64::from(number(4)) << 32 | u64::from(number(0));
    let Some(code_bytes) = end.checked_sub(pack_bytes) else { return Ok(None) };
    let mut pack = vec![0; pack_bytes as usize];
    answer.read_exact_at(&mut pack, code_bytes).with_context(unread)?;
    answer.set_len(code_bytes).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(Some((pack, FunctionCounts { reused: number(8), anew: number(12), left_out: number(16) })))
}
