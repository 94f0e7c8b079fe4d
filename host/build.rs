//! Puts the text of both SDKs into the program: `parlor new` gives it to projects, which then need nothing but cargo or npm,
//! and a TypeScript file that has no project is built with it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::Context as _;

/// What of `guest-sdk/rust` a project needs. Its tests stay here.
const RUST: [&str; 4] = ["Cargo.toml", "macros", "src", "wit"];
/// What of `guest-sdk/typescript` a project needs: not its tests, nor what npm installs.
const TYPESCRIPT: [&str; 7] =
    ["build", "package-lock.json", "package.json", "src", "tsconfig.base.json", "types", "wit"];

fn main() -> anyhow::Result<()> {
    let host = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let root = host.parent().context("the package lies in the repository")?;
    let manifest = read(&root.join("Cargo.toml"))?;
    let lock = read(&root.join("Cargo.lock"))?;
    fs::write(out.join("sdk-workspace.toml"), sdk_workspace(&manifest))?;
    fs::write(out.join("sdk.lock"), lock_of(&lock, "parlor-guest"))?;

    let mut code = String::new();
    for (name, folder, parts) in [("RUST", "rust", &RUST[..]), ("TYPESCRIPT", "typescript", &TYPESCRIPT[..])] {
        let folder = root.join("guest-sdk").join(folder);
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

fn read(file: &Path) -> anyhow::Result<String> {
    println!("cargo::rerun-if-changed={}", file.display());
    fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

/// The files at or below a path, links followed: the contract is a link here, and a folder there. Pages for readers of this
/// repository stay here.
fn collect(folder: &Path, path: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let here = folder.join(path);
    if here.is_file() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(&here).with_context(|| format!("cannot read {}", here.display()))? {
        let name = entry?.file_name();
        let plain = name.to_str().with_context(|| format!("{}: a name that is no text", here.display()))?;
        let is_page = plain.ends_with(".md");
        if !is_page && !plain.starts_with('.') && !["node_modules", "target"].contains(&plain) {
            collect(folder, &path.join(plain), files)?;
        }
    }
    Ok(())
}

/// The workspace that the SDK's crates inherit from, as they lie in a project: beside its manifest, in a folder `rust`.
fn sdk_workspace(manifest: &str) -> String {
    let mut sdk = "[workspace]\nresolver = \"3\"\nmembers = [\"rust\", \"rust/macros\"]\n".to_owned();
    for name in ["[workspace.package]", "[workspace.dependencies]"] {
        let lines = manifest.lines().skip_while(|line| *line != name);
        sdk.push('\n');
        for (place, line) in lines.enumerate() {
            if place > 0 && (line.starts_with('[') || line.is_empty()) {
                break;
            }
            sdk.push_str(&line.replace("guest-sdk/rust", "rust"));
            sdk.push('\n');
        }
    }
    sdk
}

/// The part of a lock file that a package needs, so that a new project is built with the versions that we test with.
fn lock_of(lock: &str, package: &str) -> String {
    let (head, packages) = lock.split_once("[[package]]\n").unwrap_or((lock, ""));
    let packages: Vec<&str> = packages.split("[[package]]\n").collect();
    let mut needed = BTreeSet::new();
    let mut open: Vec<String> = vec![package.to_owned()];
    while let Some(name) = open.pop() {
        // A dependency is a name, and its version where there are several.
        let (name, version) = name.split_once(' ').unwrap_or((&name, ""));
        for (place, text) in packages.iter().enumerate() {
            let is_it = text.starts_with(&format!("name = \"{name}\"\n"))
                && (version.is_empty() || text.contains(&format!("\nversion = \"{version}\"\n")));
            if is_it && needed.insert(place) {
                let names = text.lines().filter_map(|line| line.strip_prefix(" \"")?.strip_suffix("\","));
                // What only our own tests of the SDK need.
                open.extend(names.filter(|name| *name != "trybuild").map(str::to_owned));
            }
        }
    }
    let kept = needed.into_iter().map(|place| format!("[[package]]\n{}\n", packages[place].trim_end()));
    let text = kept.collect::<Vec<_>>().join("\n");
    format!("{head}{}", text.replace(" \"trybuild\",\n", ""))
}
