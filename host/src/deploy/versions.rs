//! The components that were served, kept to roll back to: `DATA/versions/TENANT/PLUGIN/VERSION.wasm` each. A file's
//! modification time says when its version was deployed last, so that the order outlives a restart.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, ensure};

use crate::files::{PARTIAL, write_whole};
use crate::model::names::PluginKey;
use crate::plugin::loader::Loader;

/// Where versions are kept in the data folder.
const FOLDER: &str = "versions";
/// A version is at least this much newer than the one before, even if the clock went back.
const TICK: Duration = Duration::from_millis(1);

/// A version that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptVersion {
    pub version: String,
    pub deployed_at: SystemTime,
}

impl KeptVersion {
    /// Milliseconds since the Unix epoch.
    pub fn unix_ms(&self) -> f64 {
        self.deployed_at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64() * 1_000.0
    }
}

/// The versions of all plugins.
#[derive(Debug, Clone)]
pub struct Versions(PathBuf);

impl Versions {
    pub fn new(data: &Path) -> Self {
        Self(data.join(FOLDER))
    }

    /// Keeps a version as the newest, unless it is that already, and removes all but the last `max`.
    pub fn keep(&self, key: &PluginKey, version: &str, bytes: &[u8], max: usize) -> anyhow::Result<()> {
        let folder = self.folder(key);
        let known = self.all(key);
        if known.first().is_some_and(|newest| newest.version == version) {
            return Ok(());
        }
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        let file = self.file(key, version);
        if !known.iter().any(|kept| kept.version == version) {
            remove_partial(&folder);
            write_whole(&file, bytes)?;
        }
        let now = SystemTime::now();
        let now = known.first().map_or(now, |newest| now.max(newest.deployed_at + TICK));
        let noted = File::options().append(true).open(&file).and_then(|open| open.set_modified(now));
        noted.with_context(|| format!("cannot set the time of {}", file.display()))?;
        for kept in self.all(key).iter().skip(max) {
            // A file that cannot be removed now is tried again at the next deployment.
            let _ = std::fs::remove_file(self.file(key, &kept.version));
        }
        Ok(())
    }

    /// The kept versions of a plugin, the newest first. Skips what it cannot read.
    pub fn all(&self, key: &PluginKey) -> Vec<KeptVersion> {
        let Ok(entries) = std::fs::read_dir(self.folder(key)) else { return Vec::new() };
        let kept = entries.flatten().filter_map(|entry| {
            let name = entry.file_name();
            let version = name.to_str()?.strip_suffix(".wasm").filter(|version| Loader::is_version(version))?;
            Some(KeptVersion { version: version.to_owned(), deployed_at: entry.metadata().ok()?.modified().ok()? })
        });
        let mut kept: Vec<KeptVersion> = kept.collect();
        kept.sort_by(|a, b| b.deployed_at.cmp(&a.deployed_at).then_with(|| a.version.cmp(&b.version)));
        kept
    }

    /// The bytes of a kept version. Fails where they are not the ones that were kept.
    pub fn read(&self, key: &PluginKey, version: &str) -> anyhow::Result<Vec<u8>> {
        let file = self.file(key, version);
        let bytes = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        ensure!(Loader::version_of(&bytes) == version, "{} is not what was kept there", file.display());
        Ok(bytes)
    }

    fn folder(&self, key: &PluginKey) -> PathBuf {
        self.0.join(key.tenant.as_str()).join(key.plugin.as_str())
    }

    fn file(&self, key: &PluginKey, version: &str) -> PathBuf {
        self.folder(key).join(format!("{version}.wasm"))
    }
}

/// Removes files that a crash left half written. Safe here, since nobody else writes versions of this plugin meanwhile.
fn remove_partial(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.extension().is_some_and(|extension| extension.to_string_lossy().starts_with(PARTIAL)) {
            let _ = std::fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::names::{PluginName, TenantName};

    #[test]
    fn the_last_versions_are_kept_in_the_order_of_their_deployment() {
        let data = std::env::temp_dir().join(format!("parlor-versions-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&data);
        let versions = Versions::new(&data);
        let key = PluginKey { tenant: TenantName::new("acme").unwrap(), plugin: PluginName::new("chat").unwrap() };
        let names: Vec<String> = (0..4u8).map(|number| Loader::version_of(&[number])).collect();
        let keep = |number: u8| versions.keep(&key, &names[usize::from(number)], &[number], 3).unwrap();
        let all = || versions.all(&key).into_iter().map(|kept| kept.version).collect::<Vec<_>>();
        assert!(all().is_empty());
        (0..3).for_each(keep);
        assert_eq!(all(), [&names[2], &names[1], &names[0]].map(String::clone));
        // What is deployed again is the newest, and what is the newest keeps its time.
        keep(0);
        let before = versions.all(&key);
        keep(0);
        assert_eq!(versions.all(&key), before);
        keep(3);
        assert_eq!(all(), [&names[3], &names[0], &names[2]].map(String::clone));
        assert_eq!(versions.read(&key, &names[2]).unwrap(), [2]);
        std::fs::write(versions.file(&key, &names[2]), "other").unwrap();
        assert!(versions.read(&key, &names[2]).unwrap_err().to_string().contains("is not what was kept"));
        std::fs::remove_dir_all(&data).unwrap();
    }
}
