//! Where in the plugin folder the host writes a plugin's file.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

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

/// Says that a file stands where a link was. A ConfigMap, or a tool that deploys by links, swaps what the link led to, and
/// nobody would see why that changes nothing any more.
pub fn tell_of_link(file: &Path, target: &Path) {
    tracing::warn!(
        "{} was a link to {} and is a file of its own now: the server does not see later swaps of what the link led to; \
         put the link back to follow them again",
        file.display(),
        target.display()
    );
}
