//! Where in the plugin folder the host writes a plugin's file.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::files::write_whole;
use crate::folder::scan::is_project;
use crate::model::names::PluginKey;

/// The path of the plugin's file; makes the folder that it lies in. None where that folder is a project, which the host
/// does not write into.
pub fn of(plugins: &Path, key: &PluginKey) -> anyhow::Result<Option<PathBuf>> {
    let mut folder = plugins.to_owned();
    if !key.tenant.is_default() {
        folder.push(key.tenant.as_str());
    }
    if is_project(&folder) {
        return Ok(None);
    }
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    Ok(Some(folder.join(format!("{}.wasm", key.plugin))))
}

/// What whoever deploys should know of a link that a file took the place of.
pub const LINK_REPLACED: &str = "the plugin's file was a link and is a file of its own now: the server does not see later \
                                 swaps of what the link led to, until the link is put back";

/// Writes the component there. Answers whether a link was there before: a ConfigMap, or a tool that deploys by links, swaps
/// what it led to, and nobody would see why that changes nothing any more.
pub fn write(file: &Path, bytes: &[u8]) -> anyhow::Result<bool> {
    if std::fs::read(file).is_ok_and(|old| old == bytes) {
        return Ok(false);
    }
    let link = file.read_link().ok();
    write_whole(file, bytes)?;
    if let Some(target) = &link {
        tracing::warn!("{} was a link to {}: {LINK_REPLACED}", file.display(), target.display());
    }
    Ok(link.is_some())
}
