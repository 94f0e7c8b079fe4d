//! A plugin in TypeScript: a package of npm, or one file. The SDK's own build makes a component of it, under node.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::language::{BuildSteps, Finding, LanguageProject, ProjectLanguage};
use super::step::{BuildStep, BuildVoice, Described, read_built};
use super::tools;
use crate::cli::sdk::{self, UnpackedSdk};
use crate::model::names::PluginName;
use crate::server::dev::{PACKAGES, installed};

/// What a component is made of in the folder of a package, beside what its code names.
const PARTS: [&str; 3] = ["package.json", "tsconfig.json", "src"];
const DEFAULT_ENTRY: &str = "src/index.ts";

/// Plugins in TypeScript.
pub const LANGUAGE: ProjectLanguage = ProjectLanguage {
    manifest: "package.json",
    parts: &PARTS,
    scripts: &["ts", "mts", "js", "mjs"],
    finds: |folder| match may_be_plugin(&folder.join("package.json")) {
        true => Finding::Plugin,
        false => Finding::Other("its package.json neither depends on @parlor/guest nor has a \"parlor\""),
    },
    read: |place| {
        let read = if place.is_file() { Script::of_file(place) } else { Script::of_package(place) };
        read.map(|(described, known)| (described, Box::new(known) as _))
    },
};

#[derive(Debug, Clone)]
struct Script {
    name: PluginName,
    /// The folder of its package.json; none for a file by itself.
    package: Option<PathBuf>,
    entry: PathBuf,
    /// What the build makes.
    built: PathBuf,
}

/// The part of a package.json that we read.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct NpmPackage {
    name: Option<String>,
    dependencies: BTreeMap<String, Value>,
    dev_dependencies: BTreeMap<String, Value>,
    parlor: Option<ParlorTable>,
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct ParlorTable {
    /// The file that defines the room, from the folder.
    entry: Option<PathBuf>,
    config: BTreeMap<String, String>,
    /// What the SDK's build reads itself, and says what is wrong with it.
    #[serde(rename = "esbuild")]
    _esbuild: IgnoredAny,
    #[serde(rename = "topLevel")]
    _top_level: IgnoredAny,
}

impl NpmPackage {
    fn read(folder: &Path) -> anyhow::Result<Self> {
        let file = folder.join("package.json");
        let text = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("{} is not what it must be", file.display()))
    }

    /// The first package that node would not find from the folder.
    fn missing(&self, folder: &Path, with_dev: bool) -> Option<&str> {
        let for_tests = self.dev_dependencies.keys().filter(|_| with_dev);
        let mut wanted = self.dependencies.keys().chain(for_tests).map(String::as_str);
        wanted.find(|name| installed(folder, name).is_none())
    }
}

/// Whether a package.json may describe a plugin. One that cannot be read may: the build says what is wrong with it.
fn may_be_plugin(package: &Path) -> bool {
    let text = fs::read(package).unwrap_or_default();
    let Ok(package) = serde_json::from_slice::<Value>(&text) else { return true };
    let depends = |kind: &str| package[kind].get(sdk::PACKAGE).is_some();
    package.get("parlor").is_some() || depends("dependencies") || depends("devDependencies")
}

impl Script {
    /// Reads a package.json.
    fn of_package(folder: &Path) -> anyhow::Result<(Described, Self)> {
        let folder = folder.canonicalize().with_context(|| format!("cannot read {}", folder.display()))?;
        let manifest = folder.join("package.json");
        let package = NpmPackage::read(&folder)?;
        let name = package.name.unwrap_or_default();
        let name = PluginName::new(&name).with_context(|| format!("the name {name:?} in {}", manifest.display()))?;
        let ParlorTable { entry, config, .. } = package.parlor.unwrap_or_default();
        let entry = folder.join(entry.unwrap_or_else(|| DEFAULT_ENTRY.into()));
        ensure!(
            entry.is_file(),
            "there is no {}, which `parlor.entry` of {} names or would by default",
            entry.display(),
            manifest.display()
        );
        let built = folder.join(PACKAGES).join(".cache/parlor").join(format!("{name}.wasm"));
        let script = Self { name: name.clone(), package: Some(folder), entry, built };
        Ok((Described { name, dev_config: config }, script))
    }

    /// A file by itself, which is the plugin of its own name.
    fn of_file(file: &Path) -> anyhow::Result<(Described, Self)> {
        let entry = file.canonicalize().with_context(|| format!("cannot read {}", file.display()))?;
        let stem = entry.file_stem().unwrap_or_default().to_string_lossy();
        let name = PluginName::new(&stem).with_context(|| format!("the name of {}", file.display()))?;
        let place = blake3::hash(entry.as_os_str().as_encoded_bytes()).to_hex();
        let built = sdk::cache()?.join("built").join(&place[..16]).join(format!("{name}.wasm"));
        let script = Self { name: name.clone(), package: None, entry, built };
        Ok((Described { name, dev_config: BTreeMap::new() }, script))
    }

    /// Where the build lists what it read.
    fn inputs(&self) -> PathBuf {
        self.built.with_extension("inputs.json")
    }

    /// The SDK that the project names, as npm installed it: its own folder where that is a link.
    fn sdk(&self) -> Option<PathBuf> {
        installed(self.package.as_ref()?, sdk::PACKAGE)?.canonicalize().ok()
    }

    fn build(&self, sdk: &Path, voice: BuildVoice) -> anyhow::Result<Command> {
        let out = self.built.parent().context("the component lies in a folder")?;
        fs::create_dir_all(out).with_context(|| format!("cannot make the folder {}", out.display()))?;
        let mut node = Command::new("node");
        node.arg(sdk.join("build/cli.mjs")).args(["build", "--name", self.name.as_str()]);
        node.arg("--entry").arg(&self.entry).arg("--out").arg(&self.built).arg("--inputs").arg(self.inputs());
        let tsconfig = self.package.as_ref().map(|folder| folder.join("tsconfig.json"));
        if let Some(tsconfig) = tsconfig.filter(|file| file.is_file()) {
            node.arg("--tsconfig").arg(tsconfig);
        }
        let (set, unset) = if voice.colours { ("FORCE_COLOR", "NO_COLOR") } else { ("NO_COLOR", "FORCE_COLOR") };
        node.env(set, "1").env_remove(unset).env("PARLOR_ENGINE", sdk::cached_engine()?);
        Ok(node)
    }
}

/// The program's own SDK in the cache, with what npm installs for it; an error says how it comes there.
pub fn installed_sdk() -> anyhow::Result<PathBuf> {
    let sdk = sdk::cached_typescript()?;
    let is_whole = sdk.is_dir() && NpmPackage::read(&sdk)?.missing(&sdk, false).is_none();
    ensure!(
        is_whole,
        "the TypeScript SDK is not installed in {}: `parlor build FILE.ts`, run once as the server's user with any script, \
         installs it there with npm",
        sdk.display()
    );
    Ok(sdk)
}

impl LanguageProject for Script {
    fn manifests(&self) -> Vec<PathBuf> {
        self.package.iter().map(|folder| folder.join("package.json")).collect()
    }

    fn parts(&self) -> Vec<PathBuf> {
        let of_package = self.package.iter().flat_map(|folder| PARTS.map(|part| folder.join(part)));
        of_package.chain([self.entry.clone()]).collect()
    }

    fn read_by_the_build(&self) -> Vec<PathBuf> {
        let list = fs::read(self.inputs()).unwrap_or_default();
        // The build leaves out what npm installed.
        serde_json::from_slice(&list).unwrap_or_default()
    }

    fn steps(&self, voice: BuildVoice) -> Box<dyn BuildSteps> {
        let script = self.clone();
        Box::new(ScriptSteps { script, voice, installed: BTreeSet::new(), unpacked: None, ended: false })
    }

    fn component(&self) -> anyhow::Result<Vec<u8>> {
        read_built(&self.built)
    }
}

/// Runs npm for the packages of the project and of the SDK where any are missing, then the SDK's build.
#[derive(Debug)]
struct ScriptSteps {
    script: Script,
    voice: BuildVoice,
    /// The folders that npm was run in.
    installed: BTreeSet<PathBuf>,
    /// The program's own SDK, until it is in its place.
    unpacked: Option<UnpackedSdk>,
    ended: bool,
}

impl BuildSteps for ScriptSteps {
    fn next(&mut self) -> anyhow::Result<Option<BuildStep>> {
        if self.ended {
            return Ok(None);
        }
        tools::require_node()?;
        if let Some(folder) = self.script.package.clone()
            && let Some(step) = self.install(&folder)?
        {
            return Ok(Some(step));
        }
        let sdk = match self.script.sdk() {
            Some(sdk) => sdk,
            None => {
                let place = sdk::cached_typescript()?;
                if let Some(unpacked) = self.unpacked.take() {
                    unpacked.finish()?;
                }
                if !place.is_dir() {
                    return Ok(Some(self.unpack(place)?));
                }
                place
            }
        };
        // An SDK that is linked has packages of its own, and a cache may have been swept.
        if let Some(step) = self.install(&sdk)? {
            return Ok(Some(step));
        }
        self.ended = true;
        self.script.build(&sdk, self.voice).map(|build| Some(BuildStep::new(build)))
    }
}

impl ScriptSteps {
    /// What installs the packages that a folder's package.json names, where one of them is missing. What only the SDK's own
    /// tests need is of no concern.
    fn install(&mut self, folder: &Path) -> anyhow::Result<Option<BuildStep>> {
        let is_project = self.script.package.as_deref() == Some(folder);
        // Two programs that install into one folder would undo each other's work.
        let lock = fs::File::open(folder).and_then(|lock| lock.lock().map(|()| lock));
        let lock = lock.with_context(|| format!("cannot lock the folder {}", folder.display()))?;
        let package = NpmPackage::read(folder)?;
        let Some(missing) = package.missing(folder, is_project) else { return Ok(None) };
        if !self.installed.insert(folder.to_owned()) {
            bail!("npm installed the packages of {}, and {missing} is not among them", folder.display());
        }
        let is_new = !folder.join(PACKAGES).exists() && folder.join("package-lock.json").is_file();
        let how = if is_new { "ci" } else { "install" };
        let says = format!("installing the packages of {} (npm {how})", folder.display());
        Ok(Some(BuildStep { says: Some(says), _lock: Some(lock), command: tools::npm(folder, how)? }))
    }

    fn unpack(&mut self, place: PathBuf) -> anyhow::Result<BuildStep> {
        let says = format!("installing the TypeScript SDK into {} (once)", place.display());
        let unpacked = self.unpacked.insert(UnpackedSdk::write(place)?);
        Ok(BuildStep { says: Some(says), ..BuildStep::new(tools::npm(unpacked.folder(), "ci")?) })
    }
}
