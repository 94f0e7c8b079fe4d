//! The plugin folder: `NAME.wasm` is a plugin of the tenant `default`, `TENANT/NAME.wasm` one of another; so is `NAME.ts` where
//! the server builds the tenant's scripts.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::scripts::{Scripts, is_script_name};
use crate::model::names::{PluginKey, PluginName, TenantName};

/// A file that may be a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginFile {
    pub key: PluginKey,
    pub file: PathBuf,
}

/// What is in the plugin folder.
#[derive(Debug, Default)]
pub struct FolderScan {
    /// The plugins' files, in ascending order of tenant and name.
    pub files: Vec<PluginFile>,
    /// Paths that are no plugins, each with the reason.
    pub skipped: Vec<(PathBuf, String)>,
    /// The folders that were read.
    pub folders: Vec<PathBuf>,
    /// Tenants whose folders exist but cannot be read: nothing is known of their files.
    pub unread: Vec<TenantName>,
}

/// Whether a folder holds a plugin's source, not a tenant's files.
pub fn is_project(folder: &Path) -> bool {
    ["Cargo.toml", "package.json", "plugin.toml", "pyproject.toml"].iter().any(|file| folder.join(file).is_file())
}

/// Looks for plugins. Ignores hidden files and other kinds of files.
pub fn scan(folder: &Path, scripts: &Scripts) -> anyhow::Result<FolderScan> {
    let mut found = FolderScan { folders: vec![folder.to_owned()], ..FolderScan::default() };
    for path in entries(folder).with_context(|| format!("cannot read the plugin folder {}", folder.display()))? {
        if !path.is_dir() || is_component_name(&path) {
            found.take_file(&TenantName::default_tenant(), path, scripts);
        } else if is_project(&path) {
            found.skipped.push((path, "is a project, not a tenant; `parlor dev` builds and serves it".to_owned()));
        } else {
            match TenantName::new(&file_name(&path)) {
                Ok(tenant) => match entries(&path) {
                    Ok(files) => {
                        files.into_iter().for_each(|file| found.take_file(&tenant, file, scripts));
                        found.folders.push(path);
                    }
                    // Somebody deleted it since the plugin folder was read.
                    Err(why) if why.kind() == ErrorKind::NotFound => {}
                    Err(why) => {
                        found.skipped.push((path, format!("cannot be read: {why}")));
                        found.unread.push(tenant);
                    }
                },
                Err(why) => found.skipped.push((path, format!("is no tenant's folder: {why}"))),
            }
        }
    }
    found.sort();
    Ok(found)
}

impl FolderScan {
    fn take_file(&mut self, tenant: &TenantName, path: PathBuf, scripts: &Scripts) {
        if is_script_name(&path) {
            if !scripts.is_script(&path) {
                return;
            }
            if !scripts.are_built(tenant) {
                self.skipped.push((path, not_built(tenant)));
                return;
            }
        } else if !is_component_name(&path) {
            self.skipped.extend(almost_a_component(&path).map(|why| (path, why.to_owned())));
            return;
        }
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        match PluginName::new(&stem) {
            Ok(plugin) => {
                self.files.push(PluginFile { key: PluginKey { tenant: tenant.clone(), plugin }, file: path });
            }
            Err(why) => self.skipped.push((path, format!("cannot be a plugin: {why}"))),
        }
    }

    /// Sorts the files, and takes out duplicates: `NAME.wasm` counts, and `default/NAME.wasm` is the same plugin. Of a
    /// component and a script in one folder the one counts that came later: whoever rolls back has a component written.
    fn sort(&mut self) {
        let mut last: Option<PluginKey> = None;
        let depth = |file: &PluginFile| file.file.components().count();
        let mut of_place: BTreeMap<(PluginKey, usize), usize> = BTreeMap::new();
        self.files.iter().for_each(|file| *of_place.entry((file.key.clone(), depth(file))).or_default() += 1);
        // Only where there are two does anybody ask when they came.
        let came = |file: &PluginFile| {
            let is_one_of_two = of_place.get(&(file.key.clone(), depth(file))).is_some_and(|count| *count > 1);
            let found = is_one_of_two.then(|| file.file.symlink_metadata().ok()).flatten();
            Reverse(found.map(|found| (found.ctime(), found.ctime_nsec())))
        };
        self.files.sort_by_cached_key(|file| (file.key.clone(), depth(file), came(file)));
        let skipped = &mut self.skipped;
        self.files.retain(|PluginFile { key, file }| {
            let is_second = last.as_ref() == Some(key);
            if is_second {
                skipped.push((file.clone(), format!("is a second file of the plugin {key}")));
            }
            last = Some(key.clone());
            !is_second
        });
    }
}

/// Why a script of a tenant's is passed over.
fn not_built(tenant: &TenantName) -> String {
    format!(
        "is not served: the server builds scripts only where `scripts = true` is set in [tenants.{tenant}]; `parlor build` makes \
         a component of it"
    )
}

fn is_component_name(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "wasm")
}

/// What is wrong with a file that somebody may have meant as a plugin, by its name.
fn almost_a_component(path: &Path) -> Option<&'static str> {
    const PACKED: [&str; 6] = ["br", "bz2", "gz", "xz", "zip", "zst"];
    let extension = |path: &Path| path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
    match extension(path)?.as_str() {
        "wasm" => Some("is not served: only a name that ends in .wasm, in small letters, is a plugin's"),
        "wat" | "wast" => Some("is not served: it is the text of a component; build it into NAME.wasm"),
        "cwasm" => Some("is not served: it is precompiled code; give the component itself, NAME.wasm"),
        packed if PACKED.contains(&packed) && extension(Path::new(path.file_stem()?)).as_deref() == Some("wasm") => {
            Some("is not served: it is packed; unpack it into NAME.wasm")
        }
        _ => None,
    }
}

fn entries(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut paths = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    paths.retain(|path| !file_name(path).starts_with('.'));
    paths.sort();
    Ok(paths)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
