//! Where an attack happens: a fresh server with a good tenant and an evil one.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Context;

use super::log::Log;
use crate::load::cores::Cores;
use crate::load::parlor;
use crate::load::server::Server;

/// The tenants' names.
pub const GOOD: &str = "good";
pub const EVIL: &str = "evil";
/// The operator's token, and the evil tenant's.
pub const TOKEN: &str = "parlor-load-operator-token";
pub const EVIL_TOKEN: &str = "parlor-load-evil-tenants-token";

/// What every stand is made from.
#[derive(Clone)]
pub struct Kit {
    /// Parlor's binary.
    pub program: PathBuf,
    /// The bench plugin's bytes.
    pub bench: Vec<u8>,
    /// Those of the guest that does all that it may, where an attack needs it.
    pub greedy: Vec<u8>,
    /// A folder for all stands of this program.
    pub folder: PathBuf,
    pub cores: Cores,
}

/// What the evil tenant has, and what is set differently.
#[derive(Default, Clone)]
pub struct Setting {
    /// Files of the evil tenant: their names without `.wasm`, and bytes.
    pub files: Vec<(String, Vec<u8>)>,
    /// Lines of `[limits]`; those that the program does not know are left out.
    pub limits: String,
    /// Whether what the last server stored is kept.
    pub keeps_data: bool,
}

/// A running server and what belongs to it.
pub struct Stand {
    pub server: Server,
    pub log: Log,
    /// When its process was started.
    pub started: SystemTime,
    /// The evil tenant's folder of plugins.
    pub folder: PathBuf,
}

impl Kit {
    /// The same for another program.
    pub fn of(&self, program: &Path, folder: PathBuf) -> anyhow::Result<Self> {
        fs::create_dir(&folder).with_context(|| format!("make {}", folder.display()))?;
        Ok(Self { program: program.to_owned(), folder, ..self.clone() })
    }

    /// Starts a fresh server.
    pub fn start(&self, setting: &Setting) -> anyhow::Result<Stand> {
        let plugins = self.folder.join("plugins");
        empty(&plugins)?;
        if !setting.keeps_data {
            empty(&self.folder.join("data/tenants"))?;
        }
        let mut files = vec![(format!("{GOOD}/bench-room"), &self.bench)];
        files.extend(setting.files.iter().map(|(name, bytes)| (format!("{EVIL}/{name}"), bytes)));
        for (name, bytes) in files {
            let path = plugins.join(name).with_extension("wasm");
            let folder = path.parent().context("a tenant's folder")?;
            fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
            fs::write(&path, bytes).with_context(|| format!("write {}", path.display()))?;
        }
        let limits = &setting.limits;
        let configured = format!(
            "operator-token = \"{TOKEN}\"\n\n[limits]\n{limits}\n\n[tenants.{EVIL}]\ntoken = \"{EVIL_TOKEN}\"\n"
        );
        let recipe = parlor::serve(&self.program, &plugins, &configured, &self.folder)?;
        let started = SystemTime::now();
        let server = Server::start(&recipe, &self.cores).with_context(|| recipe.last_words())?;
        Ok(Stand { server, log: Log::open(&recipe.log), started, folder: plugins.join(EVIL) })
    }
}

impl Stand {
    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address
    }
}

fn empty(folder: &Path) -> anyhow::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(why) if why.kind() != std::io::ErrorKind::NotFound => {
            return Err(why).with_context(|| format!("empty {}", folder.display()));
        }
        _ => {}
    }
    fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))
}
