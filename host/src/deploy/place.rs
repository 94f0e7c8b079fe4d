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
