//! What one look at the plugin folder finds: the files that may be plugins, each with what tells it from another state of
//! itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::Metadata;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::Serialize;

use super::scan::{self, PluginFile};
use super::scripts::{SCRIPT_FOLDERS_MAX, ScriptParts, Scripts};
use super::watch::{folders_of, identity};
use crate::model::names::{PluginKey, TenantName};

/// The state of a file by its metadata. It tells whether the file changed without reading it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileStamp {
    /// The path with all links resolved.
    target: PathBuf,
    device: u64,
    number: u64,
    bytes: u64,
    modified: (i64, i64),
    /// Device and number of the folder that holds the file.
    home: Option<(u64, u64)>,
    /// The time of change, which, unlike the time of modification, nobody can set.
    changed: (i64, i64),
    /// The stamps of the files that a script was last built of; no stamp where a file is not there, or is not the script's own.
    parts: BTreeMap<PathBuf, Option<PartStamp>>,
}

/// Device, number, length, and the times of modification and of change.
type PartStamp = (u64, u64, u64, (i64, i64), (i64, i64));

impl FileStamp {
    /// Reads the current state of a file, and of those that belong to it.
    pub fn of(file: &Path, parts: &ScriptParts) -> std::io::Result<Self> {
        let mut stamp = Self::new(file.canonicalize()?, &file.metadata()?);
        let state = |real: PathBuf| {
            let found = real.symlink_metadata().ok()?;
            let (modified, changed) = ((found.mtime(), found.mtime_nsec()), (found.ctime(), found.ctime_nsec()));
            Some((found.dev(), found.ino(), found.size(), modified, changed))
        };
        stamp.parts = parts.own().map(|(path, real)| (path.clone(), real.and_then(state))).collect();
        Ok(stamp)
    }

    /// The state in a few letters, by which another process knows it again. None where a name in it is no text.
    pub fn digest(&self) -> Option<String> {
        Some(blake3::hash(&serde_json::to_vec(self).ok()?).to_hex().to_string())
    }

    /// Whether the file itself is as it was, whatever belongs to it.
    pub fn is_same_file(&self, before: &Self) -> bool {
        Self { parts: BTreeMap::new(), ..self.clone() } == Self { parts: BTreeMap::new(), ..before.clone() }
    }

    /// Whether something that belongs to the file changed at this moment or later.
    pub fn has_part_since(&self, moment: SystemTime) -> bool {
        let moment = moment.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let moment = (moment.as_secs() as i64, i64::from(moment.subsec_nanos()));
        self.parts.values().flatten().any(|(.., changed)| *changed >= moment)
    }

    fn new(target: PathBuf, found: &Metadata) -> Self {
        Self {
            home: target.parent().and_then(identity),
            target,
            device: found.dev(),
            number: found.ino(),
            bytes: found.size(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
            parts: BTreeMap::new(),
        }
    }
}

/// The plugin folder as one look found it.
#[derive(Debug, Default)]
pub struct FolderSnapshot {
    /// Device and number of the plugin folder itself.
    pub(super) root: Option<(u64, u64)>,
    pub(super) files: BTreeMap<PluginKey, (PathBuf, FileStamp)>,
    /// What was passed over: the path, and why.
    pub(super) skipped: Vec<(PathBuf, String)>,
    /// Tenants whose folders could not be read.
    unread: Vec<TenantName>,
    /// Plugins whose files could not be read.
    unread_files: BTreeSet<PluginKey>,
    /// The folders to watch: another look finds the same until something changes in one of them.
    pub folders: BTreeSet<PathBuf>,
}

impl FolderSnapshot {
    pub fn at(folder: &Path, scripts: &Scripts) -> anyhow::Result<Self> {
        let found = scan::scan(folder, scripts)?;
        let mut look = Self { root: identity(folder), skipped: found.skipped, unread: found.unread, ..Self::default() };
        for folder in &found.folders {
            // Keep a folder that is gone meanwhile, so that the watch notices.
            look.folders.extend(folder.canonicalize().or_else(|_| std::path::absolute(folder)));
            look.follow_link(folder);
        }
        let mut of_scripts: BTreeMap<PathBuf, BTreeSet<PathBuf>> = BTreeMap::new();
        for PluginFile { key, file } in found.files {
            look.follow_link(&file);
            let parts = scripts.parts(&file);
            match file.metadata().and_then(|found| Ok((found, FileStamp::of(&file, &parts)?))) {
                Ok((found, stamp)) if found.is_file() => {
                    let home = file.parent().unwrap_or(folder).to_owned();
                    of_scripts.entry(home).or_default().extend(parts.folders());
                    look.files.insert(key, (file, stamp));
                }
                Ok((found, _)) if found.is_dir() => {
                    look.skipped.push((file, "is a folder, not a component".to_owned()))
                }
                Ok(_) => look.skipped.push((file, "is no regular file".to_owned())),
                Err(why) if why.kind() == ErrorKind::NotFound => {
                    let target = file.read_link().ok();
                    look.skipped
                        .extend(target.map(|to| (file, format!("is a link that leads nowhere: {}", to.display()))));
                }
                Err(why) => {
                    look.skipped.push((file, format!("cannot be read: {why}")));
                    look.unread_files.insert(key);
                }
            }
        }
        // There may be more since the scripts were built. What changes in those is found by a later look.
        look.folders.extend(of_scripts.into_values().flat_map(|folders| folders.into_iter().take(SCRIPT_FOLDERS_MAX)));
        Ok(look)
    }

    /// Adds the folders that decide where a link leads.
    fn follow_link(&mut self, path: &Path) {
        if path.is_symlink() {
            self.folders.extend(folders_of(path));
        }
    }

    /// Whether a file that is missing went with what held it: its folder is another one now, or none, and no plugin is in
    /// its place; or the link is there and the folder that it led to is not. Whoever deletes a file leaves its folder.
    /// `root` is the plugin folder in which the file was last seen.
    pub(super) fn is_lost(&self, file: &Path, stamp: &FileStamp, root: Option<(u64, u64)>) -> bool {
        let home = stamp.target.parent().and_then(identity);
        if home.is_some() && home == stamp.home {
            return false;
        }
        if file.is_symlink() {
            return true;
        }
        let parent = file.parent();
        let Some(nearest) = file.ancestors().skip(1).find(|folder| folder.is_dir()) else { return true };
        // A tenant's folder was deleted from a plugin folder that is the same as before.
        if parent != Some(nearest) && self.root == root {
            return false;
        }
        !self.files.values().any(|(found, _)| found.starts_with(nearest))
    }

    pub(super) fn is_unread(&self, key: &PluginKey) -> bool {
        self.unread.contains(&key.tenant) || self.unread_files.contains(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A plugin folder, and what scripts in it are made of.
    struct Rig {
        outer: tempfile::TempDir,
        scripts: Scripts,
    }

    impl Rig {
        /// The folder is called as the tenant that it is of by itself.
        fn new() -> Self {
            let outer = tempfile::tempdir().unwrap();
            let scripts = Scripts::of(outer.path().join("default"), BTreeSet::new());
            Self { outer, scripts }
        }

        fn at(&self, name: &str) -> PathBuf {
            self.outer.path().join(name)
        }

        fn put(&self, name: &str, text: &str) {
            std::fs::create_dir_all(self.at(name).parent().unwrap()).unwrap();
            std::fs::write(self.at(name), text).unwrap();
        }

        fn note(&self, script: &str, names: &[&str]) -> Option<ScriptParts> {
            let root = self.at(script).parent().unwrap().to_owned();
            self.scripts.note_parts(&self.at(script), names.iter().map(|name| root.join(name)).collect())
        }
    }

    #[test]
    fn of_what_lies_elsewhere_a_script_sees_no_change_and_nothing_is_watched() {
        let rig = Rig::new();
        for name in ["default/a.ts", "default/acme/s.ts", "default/acme/lib/x.ts", "default/..data/d.ts", "out/s.ts"] {
            rig.put(name, "1");
        }
        std::os::unix::fs::symlink(rig.at("out"), rig.at("default/acme/link")).unwrap();
        let stamp = |script: &str| FileStamp::of(&rig.at(script), &rig.scripts.parts(&rig.at(script))).unwrap();
        let real =
            |names: &[&str]| names.iter().map(|name| rig.at(name).canonicalize().unwrap()).collect::<BTreeSet<_>>();

        let parts =
            rig.note("default/acme/s.ts", &["s.ts", "link/s.ts", "link/none.ts", "lib/x.ts", "none.ts"]).unwrap();
        assert_eq!(parts.folders(), real(&["default/acme", "default/acme/lib"]));
        let before = stamp("default/acme/s.ts");
        rig.put("out/s.ts", "other");
        rig.put("out/none.ts", "is there");
        assert_eq!(stamp("default/acme/s.ts"), before);
        rig.put("default/acme/lib/x.ts", "other");
        assert_ne!(stamp("default/acme/s.ts"), before);

        // From the plugin folder itself the others' folders lie elsewhere, whatever it is called; hidden ones do not.
        let parts = rig.note("default/a.ts", &["acme/s.ts", "..data/d.ts"]).unwrap();
        assert_eq!(parts.folders(), real(&["default/..data"]));
        let before = stamp("default/a.ts");
        rig.put("default/acme/s.ts", "other");
        assert_eq!(stamp("default/a.ts"), before);
        rig.put("default/..data/d.ts", "other");
        assert_ne!(stamp("default/a.ts"), before);
    }

    #[test]
    fn the_scripts_of_a_folder_are_of_so_many_folders_together() {
        let rig = Rig::new();
        let names: Vec<String> = (0..SCRIPT_FOLDERS_MAX + 1).map(|number| format!("f{number}/x.ts")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        names.iter().for_each(|name| rig.put(&format!("default/acme/{name}"), "1"));
        let (half, rest) = names.split_at(SCRIPT_FOLDERS_MAX / 2);
        assert!(rig.note("default/acme/a.ts", half).is_some());
        assert!(rig.note("default/acme/b.ts", &rest[1..]).is_some());
        assert!(rig.note("default/acme/c.ts", rest).is_none() && rig.note("default/acme/b.ts", rest).is_none());
        // What it was made of before counts on.
        assert_eq!(rig.scripts.parts(&rig.at("default/acme/b.ts")).folders().len(), rest.len() - 1);
        assert!(rig.note("default/other/c.ts", rest).is_some());
    }
}
