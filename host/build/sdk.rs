//! The text of the contract and of the SDKs: `parlor new` gives it to projects, which then need nothing but their language's
//! tools, and what has no project of its own is built with it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use toml::{Table, Value};

use crate::read;

/// The contract, which `parlor build` gives to core modules.
const CONTRACT: [&str; 1] = ["wit"];
/// The parts of `guest-sdk/rust` that a project needs. Its tests stay here.
const RUST: [&str; 4] = ["Cargo.toml", "generated", "macros", "src"];
/// The parts of `guest-sdk/typescript` that a project needs: neither its tests, nor what npm installs.
const TYPESCRIPT: [&str; 7] =
    ["build", "package-lock.json", "package.json", "src", "tsconfig.base.json", "types", "wit"];
/// The parts of `guest-sdk/go` that a project needs.
const GO: [&str; 1] = ["."];
/// The parts of `guest-sdk/python` that a project needs.
const PYTHON: [&str; 3] = ["app", "parlor", "pyproject.toml"];
/// The parts of `guest-sdk/c` that a project needs.
const C: [&str; 2] = ["include", "src"];
/// A package that only the SDK's own tests use.
const FOR_TESTS: &str = "trybuild";

/// Writes `sdk.rs`, `sdk-workspace.toml` and `sdk.lock`.
pub fn write(root: &Path, out: &Path) -> anyhow::Result<()> {
    let manifest = read(&root.join("Cargo.toml"))?;
    let lock = read(&root.join("Cargo.lock"))?;
    let workspace = sdk_workspace(&manifest).context("the repository's Cargo.toml")?;
    fs::write(out.join("sdk-workspace.toml"), workspace)?;
    fs::write(out.join("sdk.lock"), lock_of(&lock, "parlor-guest").context("the repository's Cargo.lock")?)?;

    let mut code = String::new();
    for (name, folder, parts) in [
        ("CONTRACT", ".", &CONTRACT[..]),
        ("RUST", "guest-sdk/rust", &RUST[..]),
        ("TYPESCRIPT", "guest-sdk/typescript", &TYPESCRIPT[..]),
        ("GO", "guest-sdk/go", &GO[..]),
        ("PYTHON", "guest-sdk/python", &PYTHON[..]),
        ("C", "guest-sdk/c", &C[..]),
    ] {
        let folder = root.join(folder);
        let mut files = Vec::new();
        for part in parts {
            println!("cargo::rerun-if-changed={}", folder.join(part).display());
            collect(&folder, Path::new(part), &mut files)?;
        }
        files.sort();
        writeln!(code, "pub const {name}: &[(&str, &str)] = &[")?;
        for file in files {
            writeln!(code, "    ({file:?}, include_str!({:?})),", folder.join(&file))?;
        }
        writeln!(code, "];")?;
    }
    fs::write(out.join("sdk.rs"), code)?;
    Ok(())
}

/// The files at or below a path, links followed: the contract is a link here, and a folder there. Pages for readers of this
/// repository stay here, and tests that lie beside the code.
fn collect(folder: &Path, path: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let here = folder.join(path);
    if here.is_file() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(&here).with_context(|| format!("cannot read {}", here.display()))? {
        let name = entry?.file_name();
        let plain = name.to_str().with_context(|| format!("{}: a name that is no text", here.display()))?;
        let is_ours = plain.ends_with(".md") || plain.ends_with("_test.go");
        if !is_ours && !plain.starts_with('.') && !["node_modules", "target", "__pycache__"].contains(&plain) {
            collect(folder, &path.join(plain), files)?;
        }
    }
    Ok(())
}

/// The workspace that the SDK's crates inherit from, as they lie in a project: beside its manifest, in a folder `rust`.
fn sdk_workspace(manifest: &str) -> anyhow::Result<String> {
    let manifest: Table = manifest.parse()?;
    let mut workspace = manifest["workspace"].as_table().context("it has no [workspace]")?.clone();
    workspace.retain(|name, _| ["resolver", "package", "dependencies", "lints"].contains(&name));
    workspace.insert("members".to_owned(), Value::from(vec!["rust", "rust/macros"]));
    let dependencies = workspace["dependencies"].as_table_mut().context("it has no [workspace.dependencies]")?;
    for (_, dependency) in dependencies.iter_mut() {
        if let Some(Value::String(path)) = dependency.get_mut("path") {
            *path = path.replace("guest-sdk/rust", "rust");
        }
    }
    Ok(toml::to_string(&Table::from_iter([("workspace".to_owned(), Value::Table(workspace))]))?)
}

/// The part of a lock file that a package needs, so that a new project is built with the versions that we test with.
fn lock_of(lock: &str, package: &str) -> anyhow::Result<String> {
    let mut lock: Table = lock.parse()?;
    let packages = lock.get_mut("package").and_then(Value::as_array_mut).context("it lists no packages")?;
    packages.iter_mut().for_each(forget_tests);
    let mut needed = BTreeSet::new();
    let mut open = vec![package.to_owned()];
    while let Some(name) = open.pop() {
        // A dependency is a name, with its version where there are several.
        let (name, version) = name.split_once(' ').unwrap_or((&name, ""));
        for (place, found) in packages.iter().enumerate() {
            let is_it = found["name"].as_str() == Some(name)
                && (version.is_empty() || found["version"].as_str() == Some(version));
            if is_it && needed.insert(place) {
                open.extend(dependencies(found).map(str::to_owned));
            }
        }
    }
    let mut place = 0..;
    packages.retain(|_| place.next().is_some_and(|place| needed.contains(&place)));
    Ok(format!("# Made of the lock file that the SDK is tested with.\n{}", toml::to_string_pretty(&lock)?))
}

fn dependencies(package: &Value) -> impl Iterator<Item = &str> {
    package.get("dependencies").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

fn forget_tests(package: &mut Value) {
    if let Some(dependencies) = package.get_mut("dependencies").and_then(Value::as_array_mut) {
        dependencies.retain(|name| name.as_str() != Some(FOR_TESTS));
    }
}
