//! Scripts: files of TypeScript that are plugins by themselves. Which they are, whose the server builds, and what each was
//! last built of.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use parking_lot::Mutex;

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

/// The scripts that a server builds.
#[derive(Debug, Default)]
pub struct Scripts {
    tenants: BTreeSet<TenantName>,
    /// By script: the files that its last build looked at.
    parts: Mutex<BTreeMap<PathBuf, BTreeSet<PathBuf>>>,
    /// By file: what tells one content from another, and whether that defines a room.
    looked_at: Mutex<BTreeMap<PathBuf, (FileState, bool)>>,
}

/// Number, length and time of change of a file.
type FileState = (u64, u64, i64, i64);

impl Scripts {
    pub fn of(tenants: BTreeSet<TenantName>) -> Self {
        Self { tenants, ..Self::default() }
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

    /// The files that a script's last build looked at, beside the script itself.
    pub fn parts(&self, script: &Path) -> BTreeSet<PathBuf> {
        self.parts.lock().get(script).cloned().unwrap_or_default()
    }

    /// Notes what a build looked at.
    pub fn note_parts(&self, script: &Path, parts: BTreeSet<PathBuf>) {
        self.parts.lock().insert(script.to_owned(), parts);
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
