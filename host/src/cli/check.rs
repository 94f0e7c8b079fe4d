//! `parlor check`: what a component imports, exports, needs and costs, and whether a tenant could load it.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};

use super::arguments::ComponentArgs;
use super::cost::RoomCost;
use super::print::print;
use super::project::is_script;
use super::run::THIS_PROGRAM;
use super::units::bytes;
use crate::clock::Instant;
use crate::config::Config;
use crate::guest::engine;
use crate::model::names::PluginKey;
use crate::model::text::printable;
use crate::plugin::anatomy::{Anatomy, ImportStanding, standing};
use crate::plugin::compiler::compiled_bytes;
use crate::plugin::loader::{Loader, examine};
use crate::plugin::origin::made_with;
use crate::plugin::version::Plugin;
use crate::tenant::{Imports, Tenants, Terms};

pub(super) fn check(args: &ComponentArgs) -> anyhow::Result<()> {
    let config = Config::load(args.config.overrides())?;
    refuse_source(&args.file)?;
    let key = args.key(str::to_owned)?;
    let tenants = Tenants::new(config.tenants.clone(), config.limits.clone(), 0);
    let terms = tenants.terms(&key.tenant, &key.plugin);
    let file = args.file.display();
    let read = std::fs::read(&args.file).with_context(|| format!("cannot read {file}"))?;

    print(&format!("{file}: {}, version {}\n", bytes(read.len() as u64), Loader::version_of(&read)))?;
    let anatomy = examine(&read, &terms.limits).with_context(|| format!("{file}"))?;
    print_anatomy(&anatomy, &terms.imports)?;
    row("language", &made_with(&read).unwrap_or_else(|| "the component does not say".to_owned()))?;
    let start = Instant::now();
    let CheckedComponent { plugin, cpu, room, compiled } = load(&config, key.clone(), read, terms)
        .with_context(|| format!("the tenant {} could not load it as {}", key.tenant, key.plugin))?;
    let (took, cpu) = (start.elapsed().as_secs_f64(), cpu.as_secs_f64());
    let native = bytes(compiled);
    row("loaded", &format!("in {took:.2} s, compiling included, with {cpu:.2} s of CPU, to {native} of native code"))?;
    if let Some(room) = room {
        row("a room", &room.words())?;
    }
    row("name", &plugin.name)?;
    row("path", plugin.path.as_str())?;
    row("events", &plugin.events.join(" "))?;
    print(&format!("the tenant {} can load it as {}\n", key.tenant, key.plugin))
}

/// Refuses what is not a component yet: a project, or source code. The words say how to build it.
pub(super) fn refuse_source(path: &Path) -> anyhow::Result<()> {
    let (file, extension) = (path.display(), path.extension().and_then(|extension| extension.to_str()));
    ensure!(!path.is_dir(), "{file} is a folder: `parlor build {file}` makes components of the projects in it");
    match extension {
        Some(_) if is_script(path) => {
            bail!("{file} is source code: `parlor build {file}` makes a component of it")
        }
        Some("rs" | "c" | "h" | "zig" | "go" | "py") => {
            bail!("{file} is source code: `parlor build` makes a component of its project's folder")
        }
        _ => Ok(()),
    }
}

fn print_anatomy(anatomy: &Anatomy, granted: &Imports) -> anyhow::Result<()> {
    for (place, import) in anatomy.imports.iter().enumerate() {
        let note = match standing(import, granted) {
            ImportStanding::Granted => "",
            ImportStanding::NotGranted => "  (not granted)",
            ImportStanding::NotOffered => "  (this host does not offer it)",
        };
        row(if place == 0 { "imports" } else { "" }, &format!("{import}{note}"))?;
    }
    for (place, export) in anatomy.exports.iter().enumerate() {
        row(if place == 0 { "exports" } else { "" }, export)?;
    }
    let need = anatomy.need;
    let memory = bytes(need.memory_bytes);
    row(
        "needs",
        &format!(
            "core instances {}, memories {} ({memory} at first), tables {} (at most {} elements at first)",
            need.core_instances, need.memories, need.tables, need.table_elements
        ),
    )
}

fn row(name: &str, words: &str) -> anyhow::Result<()> {
    print(&format!("  {name:<8} {}\n", printable(words)))
}

/// A component that was loaded, and what that took.
struct CheckedComponent {
    plugin: Plugin,
    /// The CPU time that a tenant would pay for.
    cpu: Duration,
    room: Option<RoomCost>,
    /// The bytes of native code.
    compiled: u64,
}

/// Loads the component as a server would, in a temporary folder.
fn load(config: &Config, key: PluginKey, read: Vec<u8>, terms: Terms) -> anyhow::Result<CheckedComponent> {
    // Under a name that nobody can know before, and for this user alone: native code is loaded from it.
    let data = tempfile::Builder::new().prefix("parlor-check-").permissions(Permissions::from_mode(0o700)).tempdir();
    let data = data.context("cannot make a temporary folder")?;
    let loaded = load_in(config, key, read, terms, data.path());
    // Whatever cannot be removed lies in the temporary folder, which the system cleans up.
    let _ = data.close();
    loaded
}

fn load_in(
    config: &Config,
    key: PluginKey,
    bytes: Vec<u8>,
    terms: Terms,
    data: &Path,
) -> anyhow::Result<CheckedComponent> {
    let engine = Arc::new(engine::start(config.limits(), &Arc::default())?);
    let loader = Loader::new(engine, data, THIS_PROGRAM.into(), config.limits())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime")?;
    runtime.block_on(async {
        let account = Arc::clone(&terms.account);
        let plugin = loader.load_bytes(key, &bytes, terms).await?;
        let cpu = account.cpu.used();
        let room = RoomCost::measure(&plugin).await;
        Ok(CheckedComponent { plugin, cpu, room, compiled: compiled_bytes(data) })
    })
}
