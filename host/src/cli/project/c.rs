//! A plugin in C: a plugin.toml and a folder of sources. `zig cc` makes a core module of them, and we a component of that.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use wasmparser::{Parser, Payload};

use super::component::{ModuleSystem, component_of};
use super::debug::without_debug;
use super::language::{BuildSteps, Finding, LanguageProject, ProjectLanguage};
use super::plugin_toml::{PLUGIN_TOML, PluginToml};
use super::step::{BuildStep, BuildVoice, Described, read_built};
use super::tools;
use crate::cli::sdk;
use crate::model::names::PluginName;

/// What a component is made of in a project's folder.
const PARTS: [&str; 3] = [PLUGIN_TOML, "include", "src"];
/// The manifest of Go, whose projects have a plugin.toml as well.
const GO_MANIFEST: &str = "go.mod";

/// Without WASI's own world: the functions of the contract are all that a module imports, unless its code asks for more.
/// Memory begins with the stack, so that one that overflows ends the call instead of overwriting what lies below it.
const TARGET: [&str; 4] = ["-target", "wasm32-wasi", "-mexec-model=reactor", "-Wl,-z,stack-size=131072"];
/// What is undefined in C, such as an access through NULL, ends the call and names its line: the SDK's `undefined.c` is told.
/// `-g` keeps the names of functions.
const CODE: [&str; 8] = [
    "-std=gnu23",
    "-Oz",
    "-g",
    "-Wall",
    "-Wextra",
    "-fsanitize=undefined",
    "-fno-sanitize-trap=undefined",
    "-fno-sanitize-recover=undefined",
];
/// An event that a handler does not look at is no mistake, and zig leaves assertions out where it makes code small.
const WITHOUT: [&str; 2] = ["-Wno-unused-parameter", "-UNDEBUG"];

const FIRST_BUILD: &str = "compiling; zig makes its C library as well (once on this machine, about a minute)";

/// Plugins in C.
pub const LANGUAGE: ProjectLanguage = ProjectLanguage {
    manifest: PLUGIN_TOML,
    parts: &PARTS,
    scripts: &[],
    finds: |folder| if folder.join(GO_MANIFEST).is_file() { Finding::NotMine } else { Finding::Plugin },
    read: |folder| CProject::read(folder).map(|(described, known)| (described, Box::new(known) as _)),
};

#[derive(Debug, Clone)]
struct CProject {
    name: PluginName,
    folder: PathBuf,
    /// The SDK's folder; none for the program's own.
    sdk: Option<PathBuf>,
    /// What zig makes.
    built: PathBuf,
}

impl CProject {
    fn read(folder: &Path) -> anyhow::Result<(Described, Self)> {
        let folder = folder.canonicalize().with_context(|| format!("cannot read {}", folder.display()))?;
        let (described, manifest) = PluginToml::read(&folder)?;
        let sdk = match manifest.sdk {
            Some(sdk) => {
                let sdk = folder.join(sdk);
                let header = sdk.join("include/parlor.h");
                let of = folder.join(PLUGIN_TOML);
                ensure!(header.is_file(), "there is no {}, where `sdk` of {} names it", header.display(), of.display());
                Some(sdk)
            }
            None => Some(folder.join(sdk::FOLDER).join("c")).filter(|own| own.is_dir()),
        };
        let built = folder.join("target/parlor").join(format!("{}.wasm", described.name));
        Ok((described.clone(), Self { name: described.name, folder, sdk, built }))
    }

    fn command(&self, voice: BuildVoice) -> anyhow::Result<BuildStep> {
        let sdk = self.sdk.clone().map_or_else(sdk::cached_c, Ok)?;
        let own = sources(&self.folder.join("src"))?;
        ensure!(!own.is_empty(), "there is no file of C in {}", self.folder.join("src").display());
        let out = self.built.parent().context("the module lies in a folder")?;
        fs::create_dir_all(out).with_context(|| format!("cannot make the folder {}", out.display()))?;
        let mut zig = tools::zig()?;
        zig.arg("cc").args(TARGET).args(CODE).args(WITHOUT);
        zig.arg(if voice.colours { "-fcolor-diagnostics" } else { "-fno-color-diagnostics" });
        for includes in [sdk.join("include"), self.folder.join("include"), self.folder.join("src")] {
            zig.arg("-I").arg(includes);
        }
        // Places in the log are those in the project, and not of this machine: the sources are named from its folder.
        zig.current_dir(&self.folder);
        let own = own.iter().map(|file| file.strip_prefix(&self.folder).unwrap_or(file));
        zig.arg("-o").arg(&self.built).args(own).args(sources(&sdk.join("src"))?);
        let says = (!is_prepared()).then(|| FIRST_BUILD.to_owned());
        Ok(BuildStep { says, ..BuildStep::new(zig) })
    }
}

impl LanguageProject for CProject {
    fn manifests(&self) -> Vec<PathBuf> {
        vec![self.folder.join(PLUGIN_TOML)]
    }

    fn parts(&self) -> Vec<PathBuf> {
        PARTS.iter().map(|part| self.folder.join(part)).chain(self.sdk.clone()).collect()
    }

    fn read_by_the_build(&self) -> Vec<PathBuf> {
        Vec::new()
    }

    fn steps(&self, voice: BuildVoice) -> Box<dyn BuildSteps> {
        Box::new(CSteps { project: Some(self.clone()), voice })
    }

    fn component(&self) -> anyhow::Result<Vec<u8>> {
        let module = read_built(&self.built)?;
        note_prepared();
        let system = if imports_wasi(&module) { ModuleSystem::Preview1 } else { ModuleSystem::None };
        component_of(&without_debug(&module), system).with_context(|| self.name.to_string())
    }
}

/// Runs zig once.
#[derive(Debug)]
struct CSteps {
    project: Option<CProject>,
    voice: BuildVoice,
}

impl BuildSteps for CSteps {
    fn next(&mut self) -> anyhow::Result<Option<BuildStep>> {
        self.project.take().map(|project| project.command(self.voice)).transpose()
    }
}

/// The files of C below a folder, in the order of their names; none where there is no such folder.
fn sources(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else { return Ok(found) };
    for entry in entries {
        let path = entry.with_context(|| format!("cannot read the folder {}", folder.display()))?.path();
        if path.is_dir() && !path.is_symlink() {
            found.extend(sources(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "c") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Code that prints or exits imports WASI for it.
fn imports_wasi(module: &[u8]) -> bool {
    let sections = Parser::new(0).parse_all(module).map_while(Result::ok);
    let imports = sections.filter_map(|section| match section {
        Payload::ImportSection(imports) => Some(imports.into_imports().map_while(Result::ok).collect::<Vec<_>>()),
        _ => None,
    });
    imports.flatten().any(|import| import.module == "wasi_snapshot_preview1")
}

/// Whether zig has made what it makes once on a machine.
fn is_prepared() -> bool {
    prepared().is_some_and(|mark| mark.is_file())
}

fn note_prepared() {
    if let Some(mark) = prepared().filter(|mark| !mark.is_file()) {
        // Where it cannot be noted, the next build says it again.
        let _ = mark.parent().map(fs::create_dir_all);
        let _ = fs::write(mark, "");
    }
}

fn prepared() -> Option<PathBuf> {
    Some(sdk::cache().ok()?.join("zig-prepared"))
}
