//! Parlor as one of the servers: its plugin, its configuration, and a data folder that goes with the run.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use super::dialect::Dialect;
use super::server::Recipe;

/// What a load needs beyond the defaults: more rooms and sockets, as [`super::scenario`] counts them, all from one
/// address and as fast as they can, and all of the CPU. Every bound stays enforced.
pub const CONFIGURATION: &str = "\
operator-token = \"parlor-load-operator-token\"

[limits]
rooms-per-tenant = 200000
awake-rooms-per-tenant = 20000
storage-rooms-per-tenant = 200000
sockets-per-room = 20000
sockets-per-tenant = 200000
sockets-per-address = 200000
requests-per-address-per-second = 20000
requests-per-address-burst = 20000
upgrades-per-address-per-second = 20000
upgrades-per-address-burst = 20000
frames-per-second = 1000000
frames-burst = 1000000
inbound-bytes-per-second = 1000000000
tenant-cpu-percent = 100000
memory-tenant-bytes = 100000000000
";

/// The file of the bench plugin.
pub const PLUGIN: &str = "bench-room.wasm";

/// A folder for the time of the run.
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes it, for this process alone.
    pub fn make() -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(format!("parlor-load-{}", std::process::id()));
        fs::create_dir(&path).with_context(|| format!("make the folder {}", path.display()))?;
        Ok(Self(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is left to whoever cleans the system's folder of temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What the name of Parlor ends with in the table where its clients speak Socket.IO.
const OVER_SOCKET_IO: &str = "-sio";
/// And where they may come back over another line.
const WITH_RESUME: &str = "-resume";

/// How Parlor is started with the bench plugin of `guest`, for clients of each of these dialects: a folder that has the
/// plugin, or the project that it is built from.
pub fn recipes(
    program: &Path,
    name: &str,
    guest: &Path,
    dialects: &[Dialect],
    scratch: &Scratch,
) -> anyhow::Result<Vec<Recipe>> {
    let folder = scratch.path().join(name);
    fs::create_dir(&folder).with_context(|| format!("make the folder {}", folder.display()))?;
    let plugins = if guest.join(PLUGIN).exists() { guest.to_owned() } else { build(program, guest, &folder)? };
    let served = serve(program, &plugins, CONFIGURATION, &folder)?;
    let named = |&dialect: &Dialect| {
        let wire = match dialect {
            Dialect::Verani => "",
            Dialect::VeraniResume => WITH_RESUME,
            Dialect::SocketIo => OVER_SOCKET_IO,
        };
        Recipe { name: format!("{name}{wire}"), dialect, ..served.clone() }
    };
    Ok(dialects.iter().map(named).collect())
}

/// How Parlor is started with a folder of plugins and a configuration, without the limits that this build does not know;
/// what it writes goes to `folder`.
pub fn serve(program: &Path, plugins: &Path, configured: &str, folder: &Path) -> anyhow::Result<Recipe> {
    let configuration = folder.join("parlor.toml");
    fs::write(&configuration, of_known_limits(program, configured)?)
        .with_context(|| format!("write {}", configuration.display()))?;
    let data = folder.join("data");
    let words = |name: &str, path: &Path| [name.into(), path.as_os_str().to_owned()];
    let mut arguments = vec!["serve".into(), "--listen".into(), "127.0.0.1:0".into()];
    arguments.extend(words("--config", &configuration));
    arguments.extend(words("--plugins", plugins));
    arguments.extend(words("--data", &data));
    let log = folder.join("parlor.log");
    Ok(Recipe { name: "parlor".to_owned(), program: program.to_owned(), arguments, log, dialect: Dialect::Verani })
}

/// A configuration without the lines of `[limits]` that a program does not know: an older build has fewer.
fn of_known_limits(program: &Path, configured: &str) -> anyhow::Result<String> {
    let output = Command::new(program).arg("limits").output();
    let output = output.with_context(|| format!("run {} limits", program.display()))?;
    ensure!(output.status.success(), "{} limits failed with {}", program.display(), output.status);
    let text = String::from_utf8_lossy(&output.stdout);
    let known: BTreeSet<&str> = text.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
    ensure!(!known.is_empty(), "{} limits lists none", program.display());
    let mut is_limit = false;
    let lines = configured.lines().filter(|line| {
        if line.starts_with('[') {
            is_limit = *line == "[limits]";
            return true;
        }
        !is_limit || line.is_empty() || line.split('=').next().is_some_and(|key| known.contains(key.trim()))
    });
    Ok(lines.map(|line| format!("{line}\n")).collect())
}

/// Builds the bench plugin; answers the folder below `folder` that it lies in.
pub fn build(program: &Path, guest: &Path, folder: &Path) -> anyhow::Result<PathBuf> {
    let out = folder.join("plugins");
    let status = Command::new(program).arg("build").arg(guest).arg("--out").arg(&out).status();
    let status = status.with_context(|| format!("run {}", program.display()))?;
    let place = guest.display();
    ensure!(
        status.success() && out.join(PLUGIN).exists(),
        "{place}: no {PLUGIN} there, and none could be built from it"
    );
    Ok(out)
}
