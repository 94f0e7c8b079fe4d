//! What a harness is made with.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::config::Config;
use crate::model::names::PluginKey;
use crate::tenant::tapes::TapePlace;

/// What a harness is made with.
pub struct HarnessOptions {
    /// The server's configuration, with the limits lifted that count time.
    pub config: Config,
    /// The plugin's configuration, over that of `config`.
    pub values: BTreeMap<String, String>,
    pub key: PluginKey,
    /// Where randomness begins.
    pub seed: u64,
    /// The component.
    pub first: PathBuf,
    /// The second version, for steps that name no file.
    pub second: Option<PathBuf>,
    /// The folder for native code.
    pub cache: PathBuf,
    /// Where turns that fail are recorded; none where nothing is.
    pub tapes: Option<TapePlace>,
    /// This program: the child that compiles is another run of it.
    pub program: PathBuf,
}
