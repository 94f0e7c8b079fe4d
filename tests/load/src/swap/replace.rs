//! How an operator replaces a plugin: its file in the folder, or a request.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::ValueEnum;

use crate::hostile::attack::Arena;
use crate::hostile::uploads;

/// By which way a version comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Means {
    /// Another file is renamed to the plugin's, in its folder.
    Rename,
    /// A request to the API.
    Put,
}

/// What replaces the plugin.
#[derive(Clone)]
pub struct Replacer {
    pub means: Means,
    /// The plugin's file.
    pub file: PathBuf,
    pub versions: [Arc<Vec<u8>>; 2],
    /// Every version has a number of its own in it, and is compiled.
    pub fresh: bool,
    pub arena: Arena,
}

impl Replacer {
    /// Replaces the plugin by its version of this number.
    pub fn replace(&self, number: usize) -> anyhow::Result<()> {
        let mut bytes = Vec::clone(&self.versions[number % 2]);
        if self.fresh {
            bytes.extend(custom_section(number));
        }
        match self.means {
            Means::Rename => {
                // Under another name first: the server sees the file when it is whole.
                let beside = self.file.with_extension("next");
                fs::write(&beside, bytes).with_context(|| format!("write {}", beside.display()))?;
                fs::rename(&beside, &self.file).with_context(|| format!("replace {}", self.file.display()))
            }
            Means::Put => match uploads::put("default", "swap", &bytes, &self.arena) {
                Ok(answer) if answer.status == 200 => Ok(()),
                Ok(answer) => bail!("PUT: {} {}", answer.status, String::from_utf8_lossy(&answer.body)),
                Err(why) => bail!("PUT: {}", why.words()),
            },
        }
    }
}

/// A section that says nothing to anybody, so that the bytes are others.
fn custom_section(number: usize) -> Vec<u8> {
    let body = [&[6][..], b"number", format!("{number:08}").as_bytes()].concat();
    [&[0, body.len() as u8][..], &body].concat()
}
