//! `plugin.toml`: what describes a plugin in a language whose own tools have no manifest, or none with room for a plugin's
//! settings.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Deserialize;

use super::step::Described;
use crate::config::toml_file;
use crate::model::names::PluginName;

/// The name of the file, which lies beside the sources.
pub const PLUGIN_TOML: &str = "plugin.toml";

/// A plugin.toml, as it is written. What stands in it and in no field is an error.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PluginToml {
    /// The plugin's name.
    name: String,
    /// What `parlor dev` configures for the plugin.
    #[serde(default)]
    config: BTreeMap<String, String>,
    /// The folder of the SDK, from the manifest's own: a project's copy of it unless this says otherwise.
    pub sdk: Option<PathBuf>,
}

impl PluginToml {
    /// Reads the manifest in a folder.
    pub fn read(folder: &Path) -> anyhow::Result<(Described, Self)> {
        let file = folder.join(PLUGIN_TOML);
        let manifest: Self = toml_file::read(&file)?;
        let name = PluginName::new(&manifest.name);
        let name = name.with_context(|| format!("the name {:?} in {}", manifest.name, file.display()))?;
        Ok((Described { name, dev_config: manifest.config.clone() }, manifest))
    }
}
