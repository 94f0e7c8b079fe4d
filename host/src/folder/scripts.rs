//! Scripts: files of TypeScript that are plugins by themselves. Which they are, whose the server builds, and what each was
//! last built of.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use parking_lot::Mutex;

use super::watch::folders_of;
use crate::model::names::{PluginName, TenantName};

/// How much of a file is read to find out whether it defines a room.
const LOOKED_AT_BYTES: u64 = 1 << 20;
/// What a file says that defines one.
const DEFINES: &[u8] = b"defineRoom";

/// Whether a file beside others is a plugin by itself: those of TypeScript that define a room. Their names are a plugin's, so
/// that declarations, tests and settings of tools are none.
pub fn is_script_of_room(file: &Path) -> bool {
    is_script_name(file) && defines_room(file)
}

/// Whether a file's name is one of a script.
pub fn is_script_name(file: &Path) -> bool {
    let is_typescript = file.extension().is_some_and(|extension| extension == "ts" || extension == "mts");
    is_typescript && PluginName::new(&file.file_stem().unwrap_or_default().to_string_lossy()).is_ok()
}

fn defines_room(file: &Path) -> bool {
    let Some(open) = regular(file) else { return false };
    let mut text = Vec::new();
    // What cannot be read defines nothing that could be served.
    let _ = open.take(LOOKED_AT_BYTES).read_to_end(&mut text);
    text.windows(DEFINES.len()).any(|part| part == DEFINES)
}

/// Opens a file that has content by itself: a pipe would let whoever opens it wait.
fn regular(file: &Path) -> Option<File> {
    let nonblocking = rustix::fs::OFlags::NONBLOCK.bits() as i32;
    let open = OpenOptions::new().read(true).custom_flags(nonblocking).open(file).ok()?;
    open.metadata().is_ok_and(|found| found.is_file()).then_some(open)
}

/// How many folders the scripts of one folder may be made of together. Each is watched, and the system has so many watches
/// for all tenants.
pub const SCRIPT_FOLDERS_MAX: usize = 64;

/// The files that a script's build looked at, beside the script itself; those that are not there as well.
#[derive(Debug, Clone, Default)]
pub struct ScriptParts {
    /// The script's folder, which it has the files of.
    root: PathBuf,
    /// Whether the folders in it are other tenants', but for hidden ones.
    is_flat: bool,
    paths: BTreeSet<PathBuf>,
}

impl ScriptParts {
    /// Each path, with where it leads if that is a file of the script's folder. What lies elsewhere, behind a link of the
    /// tenant's, is as if it were not there: its changes are nobody's business.
    pub fn own(&self) -> impl Iterator<Item = (&PathBuf, Option<PathBuf>)> {
        let root = self.root.canonicalize().ok();
        let is_own = move |file: &PathBuf| {
            root.as_deref().zip(file.parent()).is_some_and(|(root, folder)| self.is_own_folder(root, folder))
        };
        self.paths.iter().map(move |path| (path, path.canonicalize().ok().filter(&is_own)))
    }

    /// The folders of the script's own that decide what the paths lead to.
    pub fn folders(&self) -> BTreeSet<PathBuf> {
        let Ok(root) = self.root.canonicalize() else { return BTreeSet::new() };
        let folders = self.paths.iter().flat_map(|path| folders_of(path));
        folders.filter(|folder| self.is_own_folder(&root, folder)).collect()
    }

    /// Whether a folder is one of the script's own; both paths are real.
    fn is_own_folder(&self, root: &Path, folder: &Path) -> bool {
        let Ok(inner) = folder.strip_prefix(root) else { return false };
        !self.is_flat || inner.as_os_str().is_empty() || inner.as_os_str().as_encoded_bytes().starts_with(b".")
    }
}

/// The scripts that a server builds.
#[derive(Debug, Default)]
pub struct Scripts {
    /// The plugin folder.
    folder: PathBuf,
    tenants: BTreeSet<TenantName>,
    /// By script: what its last build looked at.
    parts: Mutex<BTreeMap<PathBuf, ScriptParts>>,
    /// By file: what tells one content from another, and whether that defines a room.
    looked_at: Mutex<BTreeMap<PathBuf, (FileState, bool)>>,
}

/// Number, length and time of change of a file.
type FileState = (u64, u64, i64, i64);

impl Scripts {
    pub fn of(folder: PathBuf, tenants: BTreeSet<TenantName>) -> Self {
        Self { folder, tenants, ..Self::default() }
    }

    /// Whether the folders beside a script are other tenants': it lies in the plugin folder itself.
    pub fn is_flat(&self, script: &Path) -> bool {
        script.parent() == Some(&self.folder)
    }

    /// Whether the server builds a tenant's scripts.
    pub fn are_built(&self, tenant: &TenantName) -> bool {
        self.tenants.contains(tenant)
    }

    /// Whether a file is a script. It is read again when it has changed.
    pub fn is_script(&self, file: &Path) -> bool {
        if !is_script_name(file) {
            return false;
        }
        let mut looked_at = self.looked_at.lock();
        let Ok(found) = file.metadata() else {
            looked_at.remove(file);
            return false;
        };
        let state = (found.ino(), found.size(), found.ctime(), found.ctime_nsec());
        if let Some((_, is_script)) = looked_at.get(file).filter(|(known, _)| *known == state) {
            return *is_script;
        }
        let is_script = defines_room(file);
        looked_at.insert(file.to_owned(), (state, is_script));
        is_script
    }

    /// What a script's last build looked at.
    pub fn parts(&self, script: &Path) -> ScriptParts {
        self.parts.lock().get(script).cloned().unwrap_or_default()
    }

    /// Notes the files that a build looked at; nothing where the scripts of that folder are of too many folders then.
    pub fn note_parts(&self, script: &Path, files: Vec<PathBuf>) -> Option<ScriptParts> {
        let is_itself = |part: &PathBuf| part.file_name() == script.file_name() && part.parent() == script.parent();
        let root = script.parent().unwrap_or(Path::new("")).to_owned();
        let paths = files.into_iter().filter(|part| !is_itself(part)).collect();
        let parts = ScriptParts { is_flat: self.is_flat(script), root, paths };
        let mut all = self.parts.lock();
        let others = all.iter().filter(|(other, its)| other.as_path() != script && its.root == parts.root);
        let folders: BTreeSet<PathBuf> = others.flat_map(|(_, its)| its.folders()).chain(parts.folders()).collect();
        if folders.len() > SCRIPT_FOLDERS_MAX {
            return None;
        }
        all.insert(script.to_owned(), parts.clone());
        Some(parts)
    }

    /// Forgets scripts that are gone.
    pub fn retain(&self, is_there: impl Fn(&Path) -> bool) {
        self.parts.lock().retain(|script, _| is_there(script));
        self.looked_at.lock().retain(|file, _| file.exists());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_defines_a_room_and_has_a_plugins_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let file = folder.path().join(name);
            std::fs::write(&file, text).unwrap();
            file
        };
        let room = "import { defineRoom } from \"@parlor/guest\";";
        let scripts = Scripts::default();
        for (name, text, is_script) in [
            ("chat.ts", room, true),
            ("chat.mts", room, true),
            ("words.ts", "export {};", false),
            ("chat.test.ts", room, false),
            ("chat.d.ts", room, false),
            ("chat.js", room, false),
            ("Big.ts", room, false),
        ] {
            let file = file(name, text);
            assert_eq!((is_script_of_room(&file), scripts.is_script(&file)), (is_script, is_script), "{name}");
        }
        // What is saved again is read again.
        assert!(scripts.is_script(&file("words.ts", room)));
        assert!(!scripts.is_script(&folder.path().join("none.ts")));
    }
}
