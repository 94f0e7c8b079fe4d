//! What the builds of all languages are made of: what a manifest says of a plugin, and the programs to run.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use anyhow::Context as _;

use crate::model::names::PluginName;

/// What a manifest says of the plugin.
#[derive(Debug, Clone)]
pub struct Described {
    /// The plugin's name, which is the package's.
    pub name: PluginName,
    /// What `parlor dev` configures for the plugin: `[package.metadata.parlor.config]` of a Cargo.toml, `parlor.config` of
    /// a package.json, `[tool.parlor.config]` of a pyproject.toml, `[config]` of a plugin.toml.
    pub dev_config: BTreeMap<String, String>,
}

/// How a build talks to the user.
#[derive(Debug, Clone, Copy)]
pub struct BuildVoice {
    pub colours: bool,
    /// Only errors and warnings.
    pub quiet: bool,
    /// For `parlor dev`, which may serve something that is made faster than a component for a server is.
    pub dev: bool,
}

/// A program to run on the way to a component.
#[derive(Debug)]
pub struct BuildStep {
    /// What the step does, where it takes long and the user would not expect it of a build.
    pub says: Option<String>,
    pub command: Command,
    /// Held while the step runs, which no other program may run at the same time.
    pub _lock: Option<File>,
}

impl BuildStep {
    pub fn new(command: Command) -> Self {
        Self { says: None, command, _lock: None }
    }
}

/// Reads what a build made.
pub fn read_built(file: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}
