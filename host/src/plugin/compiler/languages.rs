//! Packs of languages: the functions that all components of one language share, those of QuickJS or of CPython. The
//! operator has a component of each language, in what the configuration calls `engines`; the server compiles each once,
//! and what tenants compile finds its functions. Tenants only read these packs. What is in them comes from the operator
//! alone, so how long a tenant's compilation takes says nothing of other tenants. An engine, in this module's code, is
//! wasmtime's.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::ensure;
use parking_lot::Mutex;

use super::cache::private_folder;
use super::functions::Functions;

/// The folder of these packs, beside those of the tenants.
const FOLDER: &str = "engines";
const EXTENSION: &str = "pack";
/// How many languages a host has packs of.
const LANGUAGES_MAX: usize = 16;
/// How many digits of a component's hash stand in the name of its pack.
const SEED_DIGITS: usize = 16;

/// The packs of one host.
#[derive(Debug)]
pub struct LanguagePacks {
    pub folder: PathBuf,
    known: Mutex<Vec<LanguagePack>>,
}

#[derive(Debug, Clone)]
struct LanguagePack {
    /// Its file's name in the folder.
    file: String,
    /// The bytes of the component that it was made of.
    seed_bytes: usize,
}

impl LanguagePacks {
    /// `functions` is the folder of the tenants' packs.
    pub fn new(functions: &Path) -> Self {
        Self { folder: functions.join(FOLDER), known: Mutex::default() }
    }

    /// Makes the folder, before a pack is written.
    pub fn prepare(&self) -> io::Result<()> {
        private_folder(&self.folder)
    }

    /// Names the pack of a component: another component, another bound of its bytes, and another engine of this host have
    /// another.
    pub fn file_of(name: &str, seed: &[u8], bytes_max: u64, engine_hash: u64) -> String {
        let hash = blake3::hash(seed).to_hex();
        format!("{name}-{}-{bytes_max}-{engine_hash:016x}.{EXTENSION}", &hash[..SEED_DIGITS])
    }

    /// Whether a pack is there and whole.
    pub fn is_kept(&self, file: &str) -> bool {
        std::fs::read(self.folder.join(file)).is_ok_and(|pack| Functions::are_whole(&pack))
    }

    /// Fails where there are as many packs as a host can have.
    pub fn check_room(&self) -> anyhow::Result<()> {
        ensure!(self.known.lock().len() < LANGUAGES_MAX, "a host can have {LANGUAGES_MAX} engines, and has them");
        Ok(())
    }

    /// Has compilations use a pack that is there.
    pub fn add(&self, file: String, seed_bytes: usize) {
        self.known.lock().push(LanguagePack { file, seed_bytes });
    }

    /// Removes the packs that no compilation uses.
    pub fn remove_unused(&self) {
        let known = self.known.lock();
        let Ok(entries) = std::fs::read_dir(&self.folder) else { return };
        for entry in entries.flatten() {
            let is_used = known.iter().any(|pack| entry.file_name() == *pack.file);
            if !is_used {
                // What cannot be removed takes space and nothing else.
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }

    /// The packs that a component of this size can have functions of: one that is less than half as large as what a pack
    /// was made of does not contain that language's engine, and need not wait until the pack is read.
    pub fn for_component(&self, bytes: usize) -> Vec<String> {
        let known = self.known.lock();
        if known.is_empty() || !self.folder.is_dir() {
            return Vec::new();
        }
        known.iter().filter(|pack| pack.seed_bytes / 2 <= bytes).map(|pack| pack.file.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_components_read_no_pack_and_unused_packs_go() {
        let data = tempfile::tempdir().unwrap();
        let packs = LanguagePacks::new(data.path());
        packs.prepare().unwrap();
        let [small, large] =
            [("small", &b"qjs"[..]), ("large", b"python")].map(|(name, seed)| LanguagePacks::file_of(name, seed, 1, 7));
        assert_ne!(LanguagePacks::file_of("large", b"python", 1, 8), large);
        assert_ne!(LanguagePacks::file_of("large", b"pythons", 1, 7), large);
        assert_ne!(LanguagePacks::file_of("large", b"python", 2, 7), large);
        for file in [&small, &large, "old.pack"] {
            std::fs::write(packs.folder.join(file), Functions::of(Vec::new(), 1_000, Vec::new()).to_pack()).unwrap();
        }
        assert!(packs.is_kept(&small) && !packs.is_kept("none.pack"));
        packs.add(small.clone(), 2_000);
        packs.add(large.clone(), 20_000);
        assert_eq!(packs.for_component(999), Vec::<String>::new());
        assert_eq!(packs.for_component(1_000), std::slice::from_ref(&small));
        assert_eq!(packs.for_component(10_000), [small.clone(), large.clone()]);
        packs.remove_unused();
        assert_eq!(std::fs::read_dir(&packs.folder).unwrap().count(), 2);
        std::fs::write(packs.folder.join(&small), "damaged").unwrap();
        assert!(!packs.is_kept(&small) && packs.is_kept(&large));
        (2..LANGUAGES_MAX).for_each(|_| packs.add(large.clone(), 1));
        assert!(packs.check_room().is_err());
    }
}
