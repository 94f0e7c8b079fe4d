//! The SDKs, whose text the program carries: written into new projects, and for what has none of its own into a cache.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::files::{begin_folder, write_whole};

mod text {
    include!(concat!(env!("OUT_DIR"), "/sdk.rs"));
}

/// The contract: its files, each with its text.
pub const CONTRACT: &[(&str, &str)] = text::CONTRACT;

/// What the SDK's crates inherit from.
const RUST_WORKSPACE: &str = include_str!(concat!(env!("OUT_DIR"), "/sdk-workspace.toml"));
/// The versions of what they rest on, as they are tested with.
pub const RUST_LOCK: &str = include_str!(concat!(env!("OUT_DIR"), "/sdk.lock"));

/// Where a project has its SDKs, from its own folder.
pub const FOLDER: &str = ".parlor/sdk";
/// The TypeScript SDK's package, and its place in a project.
pub const PACKAGE: &str = "@parlor/guest";
const PACKAGE_FOLDER: &str = ".parlor/sdk/typescript";

/// Writes the Rust SDK to `FOLDER/rust`.
pub fn write_rust(folder: &Path) -> anyhow::Result<()> {
    write(&folder.join("rust"), text::RUST)?;
    write(folder, &[("Cargo.toml", RUST_WORKSPACE)])
}

/// Writes the Go SDK to `FOLDER/go`.
pub fn write_go(folder: &Path) -> anyhow::Result<()> {
    write(&folder.join("go"), text::GO)
}

/// Writes the TypeScript SDK into a folder, without what only its own tests need.
pub fn write_typescript(folder: &Path) -> anyhow::Result<()> {
    write(folder, text::TYPESCRIPT)?;
    let (mut package, lock) = (typescript_json("package.json")?, typescript_lock()?);
    for tests in ["devDependencies", "scripts"] {
        package.as_object_mut().and_then(|package| package.remove(tests));
    }
    write(folder, &[("package.json", &pretty(&package)?), ("package-lock.json", &pretty(&lock)?)])?;
    let engine = folder.join(ENGINE_FILE);
    fs::write(&engine, ENGINE).with_context(|| format!("cannot write {}", engine.display()))
}

/// The engine of plugins in TypeScript, which the SDK's build makes components of; nothing where the program was built without.
const ENGINE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/engine.wasm"));
/// Its name in the SDK's folder.
const ENGINE_FILE: &str = "engine.wasm";

/// The engine as a file in the cache, written where it is not there yet.
pub fn cached_engine() -> anyhow::Result<PathBuf> {
    ensure!(
        !ENGINE.is_empty(),
        "this parlor was built without the engine of plugins in TypeScript: build it again, which says what it lacks"
    );
    let hash = blake3::hash(ENGINE).to_hex();
    let place = cache()?.join(format!("engine-{}.wasm", &hash[..16]));
    if !place.is_file() {
        make_folder(place.parent().unwrap_or(&place))?;
        write_whole(&place, ENGINE)?;
    }
    Ok(place)
}

/// The C SDK.
pub const C: &[(&str, &str)] = text::C;

/// The package-lock.json of a new project that rests on the SDK alone: the SDK's own, seen from the project.
pub fn typescript_lock_of(name: &str, version: &str) -> anyhow::Result<String> {
    let mut lock = typescript_lock()?;
    lock["name"] = name.into();
    lock["version"] = version.into();
    let packages = lock["packages"].as_object_mut().context("the SDK's lock file lists no packages")?;
    let mut sdk = packages.remove("").context("the SDK's lock file does not list the SDK")?;
    sdk["name"] = PACKAGE.into();
    packages.insert(PACKAGE_FOLDER.to_owned(), sdk);
    packages.insert(format!("node_modules/{PACKAGE}"), json!({ "resolved": PACKAGE_FOLDER, "link": true }));
    let dependencies = json!({ PACKAGE: format!("file:{PACKAGE_FOLDER}") });
    packages.insert(String::new(), json!({ "name": name, "version": version, "dependencies": dependencies }));
    pretty(&lock)
}

/// The SDK's lock file without what only its own tests need.
fn typescript_lock() -> anyhow::Result<Value> {
    let mut lock = typescript_json("package-lock.json")?;
    let packages = lock["packages"].as_object_mut().context("the SDK's lock file lists no packages")?;
    packages.retain(|_, package| package["dev"] != true);
    if let Some(sdk) = packages.get_mut("").and_then(Value::as_object_mut) {
        sdk.remove("devDependencies");
    }
    Ok(lock)
}

fn typescript_json(name: &str) -> anyhow::Result<Value> {
    let file = text::TYPESCRIPT.iter().find(|(file, _)| *file == name);
    let (_, text) = file.with_context(|| format!("the SDK has no {name}"))?;
    serde_json::from_str(text).with_context(|| format!("the SDK's {name}"))
}

fn pretty(value: &Value) -> anyhow::Result<String> {
    serde_json::to_string_pretty(value).map(|text| text + "\n").context("cannot write JSON")
}

/// Makes a folder with those that it lies in.
pub fn make_folder(folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))
}

/// Writes files with the folders that they lie in.
pub fn write(folder: &Path, files: &[(&str, &str)]) -> anyhow::Result<()> {
    for (name, text) in files {
        let file = folder.join(name);
        make_folder(file.parent().unwrap_or(folder))?;
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

/// The program's own cache of this user.
pub fn cache() -> anyhow::Result<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let caches = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")));
    Ok(caches
        .context("there is no place for a cache: neither XDG_CACHE_HOME nor HOME is set to a path")?
        .join("parlor"))
}

/// The TypeScript SDK for files that have no project.
pub fn cached_typescript() -> anyhow::Result<PathBuf> {
    cached("typescript", text::TYPESCRIPT)
}

/// The C SDK for projects that have none of their own, written where it is not there yet.
pub fn cached_c() -> anyhow::Result<PathBuf> {
    written_once(cached("c", C)?, C)
}

/// An SDK in its place in the cache, written where it is not there yet.
fn written_once(place: PathBuf, files: &[(&str, &str)]) -> anyhow::Result<PathBuf> {
    if !place.is_dir() {
        let unwritten = || format!("cannot make the folder {}", place.display());
        fs::create_dir_all(place.parent().unwrap_or(&place)).with_context(unwritten)?;
        let partial = begin_folder(&place).with_context(unwritten)?;
        write(partial.path(), files)?;
        put_folder(partial, &place)?;
    }
    Ok(place)
}

/// The place in the cache of what is made of these files. Its name is their content's: another program's has another.
fn cached(called: &str, files: &[(&str, &str)]) -> anyhow::Result<PathBuf> {
    Ok(cache()?.join(format!("{called}-{}", &hash_of(files.iter().copied())[..16])))
}

/// The hash of files with their names, as a text.
pub fn hash_of<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut hash = blake3::Hasher::new();
    for (name, text) in files {
        for part in [name, text] {
            hash.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
        }
    }
    hash.finalize().to_hex().to_string()
}

/// Writes the Python SDK into a folder.
pub fn write_python(folder: &Path) -> anyhow::Result<()> {
    write(folder, text::PYTHON)
}

/// The Python SDK for projects that have no copy of it. It is written where it is not there yet.
pub fn cached_python() -> anyhow::Result<PathBuf> {
    written_once(cached("python", text::PYTHON)?, text::PYTHON)
}

/// The SDK on its way into the cache: nobody sees it before it is whole, with what npm installs. Dropped, it is removed.
#[derive(Debug)]
pub struct UnpackedSdk {
    partial: TempDir,
    place: PathBuf,
}

impl UnpackedSdk {
    pub fn write(place: PathBuf) -> anyhow::Result<Self> {
        let unwritten = || format!("cannot make the folder {}", place.display());
        fs::create_dir_all(place.parent().unwrap_or(&place)).with_context(unwritten)?;
        let partial = begin_folder(&place).with_context(unwritten)?;
        write_typescript(partial.path())?;
        Ok(Self { partial, place })
    }

    pub fn folder(&self) -> &Path {
        self.partial.path()
    }

    /// Puts the SDK in its place, unless another program has put the same one there meanwhile.
    pub fn finish(self) -> anyhow::Result<()> {
        put_folder(self.partial, &self.place)
    }
}

fn put_folder(partial: TempDir, place: &Path) -> anyhow::Result<()> {
    let partial = partial.keep();
    let moved = fs::rename(&partial, place).inspect_err(|_| drop(fs::remove_dir_all(&partial)));
    ensure!(place.is_dir(), "cannot put the SDK into {}: {moved:?}", place.display());
    Ok(())
}
