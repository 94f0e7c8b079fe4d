//! Where the host itself puts a plugin's file.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::folder::scan::is_project;
use crate::model::names::PluginKey;

/// The plugin's file, in a folder that is there then; none where a project lies there.
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
