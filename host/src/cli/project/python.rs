//! A plugin in Python: `[tool.parlor]` of a pyproject.toml describes it. componentize-py makes a component of it for servers.
//! `parlor dev` makes one component, the engine, for all of them: it is given the source as configuration, so that a save
//! needs no build.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;
use serde_json::json;

use super::language::{BuildSteps, Finding, LanguageProject, ProjectLanguage};
use super::step::{BuildStep, BuildVoice, Described, read_built};
use super::tools::is_in_path;
use crate::cli::sdk;
use crate::config::toml_file;
use crate::model::names::PluginName;
use crate::plugin::carried::carrying;

const MANIFEST: &str = "pyproject.toml";
const PARTS: [&str; 2] = [MANIFEST, "src"];
const DEFAULT_ENTRY: &str = "src/room.py";
const COMPILER: &str = "componentize-py";
/// The name of this language's own distribution, which a project may depend on.
const SDK_PACKAGE: &str = "parlor";
/// The file of the contract that has the world, and the interfaces that each plugin in Python imports.
const WORLD: &str = "wit/world.wit";
const NEEDED: [&str; 2] = ["events", "logging"];
/// What the contract has got since its first edition: the file, how its line begins, and what the source of a plugin has that calls
/// it. The bindings import all that the contract has; without what nobody calls, a plugin is also served by a host that lacks that.
const LATER: [(&str, &str, &[&str]); 5] = [
    (WORLD, "import history;", &["keep_history"]),
    ("wit/sockets.wit", "present: func", &["sockets("]),
    ("wit/sockets.wit", "of-channel: func", &["sockets_in", "presence("]),
    ("wit/outbox.wit", "to-channel-some: func", &["only(", "presence("]),
    ("wit/outbox.wit", "to-room: func", &["other("]),
];
/// The key of the configuration that the engine finds the source under.
const SOURCE: &str = "parlor.source";

/// Plugins in Python.
pub const LANGUAGE: ProjectLanguage = ProjectLanguage {
    manifest: MANIFEST,
    parts: &PARTS,
    scripts: &[],
    finds: |folder| match Manifest::read(folder) {
        Ok(Manifest { tool: Some(ToolTables { parlor: None }) | None, .. }) => {
            Finding::Other("its pyproject.toml has no [tool.parlor]")
        }
        // The build says what is wrong with one that cannot be read.
        _ => Finding::Plugin,
    },
    read: |folder| PythonProject::read(folder).map(|(described, known)| (described, Box::new(known) as _)),
};

/// The part of a pyproject.toml that we read.
#[derive(Deserialize)]
struct Manifest {
    project: Option<ProjectTable>,
    tool: Option<ToolTables>,
}

#[derive(Deserialize)]
struct ProjectTable {
    name: String,
    #[serde(default)]
    dependencies: Vec<String>,
}

#[derive(Deserialize)]
struct ToolTables {
    parlor: Option<ToolParlorTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ToolParlorTable {
    /// The module that makes the room, from the folder; its own folder is where modules are found.
    entry: Option<PathBuf>,
    /// What `parlor dev` configures for the plugin.
    #[serde(default)]
    config: BTreeMap<String, String>,
    /// The interfaces of the contract that the plugin imports: all unless it says which.
    imports: Option<Vec<String>>,
    /// The folder of the SDK: that of `parlor new` unless it says otherwise.
    sdk: Option<PathBuf>,
}

impl Manifest {
    fn read(folder: &Path) -> anyhow::Result<Self> {
        toml_file::read(&folder.join(MANIFEST))
    }
}

#[derive(Debug, Clone)]
struct PythonProject {
    folder: PathBuf,
    /// Where modules are found, and the module that makes the room.
    sources: PathBuf,
    module: String,
    imports: Option<Vec<String>>,
    sdk: Option<PathBuf>,
    /// Packages that it needs beside the SDK and the standard library.
    has_dependencies: bool,
    /// Where the build works.
    work: PathBuf,
    built: PathBuf,
}

impl PythonProject {
    fn read(folder: &Path) -> anyhow::Result<(Described, Self)> {
        let folder = folder.canonicalize().with_context(|| format!("cannot read {}", folder.display()))?;
        let manifest = folder.join(MANIFEST);
        let Manifest { project, tool } = Manifest::read(&folder)?;
        let project = project.with_context(|| format!("{} has no [project]", manifest.display()))?;
        let name = PluginName::new(&project.name);
        let name = name.with_context(|| format!("the name {:?} in {}", project.name, manifest.display()))?;
        let parlor = tool.and_then(|tool| tool.parlor).context("there is no [tool.parlor]")?;
        let entry = folder.join(parlor.entry.unwrap_or_else(|| DEFAULT_ENTRY.into()));
        let named = "which `entry` in [tool.parlor] of";
        ensure!(entry.is_file(), "there is no {}, {named} {} names", entry.display(), manifest.display());
        let module = entry.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let is_module = module.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
        ensure!(is_module, "{} is no name of a module", entry.display());
        let sources = entry.parent().unwrap_or(&folder).to_owned();
        ensure!(sources != folder, "{} must lie in a folder of sources, such as src", entry.display());
        let of_project = Some(folder.join(sdk::FOLDER).join("python")).filter(|place| place.is_dir());
        let place = blake3::hash(entry.as_os_str().as_encoded_bytes()).to_hex();
        let work = sdk::cache()?.join("built").join(&place[..16]);
        let known = Self {
            sources,
            module,
            imports: parlor.imports,
            sdk: parlor.sdk.map(|place| folder.join(place)).or(of_project),
            has_dependencies: project.dependencies.iter().any(|needed| !is_sdk(needed)),
            built: work.join(format!("{name}.wasm")),
            work,
            folder,
        };
        Ok((Described { name, dev_config: parlor.config }, known))
    }

    fn sdk(&self) -> anyhow::Result<PathBuf> {
        match &self.sdk {
            Some(place) => place.canonicalize().with_context(|| format!("there is no SDK in {}", place.display())),
            None => sdk::cached_python(),
        }
    }

    /// The program's files for a build: the contract with the world that the plugin imports, and the module that the host
    /// calls. Answers the command that makes the component.
    fn prepare(&self, sdk: &Path) -> anyhow::Result<Command> {
        write_contract(&self.work, self.imports.as_deref())
            .with_context(|| format!("{}", self.folder.join(MANIFEST).display()))?;
        if !self.has_dependencies {
            self.leave_out_what_nobody_calls()?;
        }
        let template = sdk.join("app/parlor_app.py.txt");
        let app = fs::read_to_string(&template).with_context(|| format!("cannot read {}", template.display()))?;
        sdk::write(&self.work, &[("app/parlor_app.py", &app.replace("{{entry}}", &self.module))])?;
        let mut command = componentize(&self.work, "parlor_app", &self.built)?;
        command.arg("-p").arg(&self.sources).arg("-p").arg(self.work.join("app")).arg("-p").arg(sdk);
        Ok(command)
    }

    /// Takes out of the contract what the source has no call of. What packages call nobody looks for.
    fn leave_out_what_nobody_calls(&self) -> anyhow::Result<()> {
        let mut files = BTreeMap::new();
        collect(&self.sources, "", &mut files)?;
        for (name, item, calls) in LATER {
            if files.values().any(|text| calls.iter().any(|call| text.contains(call))) {
                continue;
            }
            let place = self.work.join(name);
            let text = fs::read_to_string(&place).with_context(|| format!("cannot read {}", place.display()))?;
            sdk::write(&self.work, &[(name, &without_item(&text, item))])?;
        }
        Ok(())
    }

    /// The source, as the engine finds it in its configuration.
    fn source(&self) -> anyhow::Result<BTreeMap<String, String>> {
        let mut files = BTreeMap::new();
        collect(&self.sources, "", &mut files)?;
        let source = json!({ "entry": self.module, "files": files });
        Ok(BTreeMap::from([(SOURCE.to_owned(), source.to_string())]))
    }
}

/// Whether a dependency is the SDK itself, with a version or without.
fn is_sdk(needed: &str) -> bool {
    let end = needed.find(|letter: char| !letter.is_alphanumeric() && letter != '-' && letter != '_');
    needed[..end.unwrap_or(needed.len())].eq_ignore_ascii_case(SDK_PACKAGE)
}

impl LanguageProject for PythonProject {
    fn manifests(&self) -> Vec<PathBuf> {
        vec![self.folder.join(MANIFEST)]
    }

    fn parts(&self) -> Vec<PathBuf> {
        vec![self.folder.join(MANIFEST), self.sources.clone()]
    }

    fn read_by_the_build(&self) -> Vec<PathBuf> {
        Vec::new()
    }

    fn steps(&self, voice: BuildVoice) -> Box<dyn BuildSteps> {
        let on_engine = voice.dev && !self.has_dependencies;
        Box::new(PythonSteps { project: self.clone(), on_engine, asked: false, lock: None })
    }

    fn component(&self) -> anyhow::Result<Vec<u8>> {
        read_built(&self.built)
    }
}

/// Runs componentize-py: for the plugin, or once for the engine that all plugins share.
#[derive(Debug)]
struct PythonSteps {
    project: PythonProject,
    on_engine: bool,
    asked: bool,
    /// Held while the engine is made, which two programs would make at once.
    lock: Option<File>,
}

impl BuildSteps for PythonSteps {
    fn next(&mut self) -> anyhow::Result<Option<BuildStep>> {
        let sdk = self.project.sdk()?;
        if !self.on_engine {
            if std::mem::replace(&mut self.asked, true) {
                return Ok(None);
            }
            let says =
                Some("making a component of the plugin and of Python, which takes up to half a minute".to_owned());
            return Ok(Some(BuildStep { says, ..BuildStep::new(self.project.prepare(&sdk)?) }));
        }
        let engine = engine_place(&sdk)?;
        let partial = engine.with_extension("partial");
        if self.asked && partial.is_file() {
            fs::rename(&partial, &engine).with_context(|| format!("cannot write {}", engine.display()))?;
        }
        if !engine.is_file() {
            ensure!(!self.asked, "{COMPILER} made no engine");
            self.asked = true;
            let work = engine.parent().context("the engine lies in a folder")?;
            let lock = work.join("lock");
            let lock = File::create(&lock).and_then(|lock| lock.lock().map(|()| lock));
            self.lock = Some(lock.with_context(|| format!("cannot lock {}", work.display()))?);
            if !engine.is_file() {
                write_contract(work, None)?;
                let mut command = componentize(work, "parlor_engine", &partial)?;
                command.arg("-p").arg(sdk.join("app")).arg("-p").arg(&sdk);
                let says = Some("making the engine that `parlor dev` runs Python on (once, half a minute)".to_owned());
                return Ok(Some(BuildStep { says, ..BuildStep::new(command) }));
            }
        }
        self.lock = None;
        let component = carrying(read_built(&engine)?, &self.project.source()?).context("the source")?;
        sdk::make_folder(&self.project.work)?;
        fs::write(&self.project.built, component)
            .with_context(|| format!("cannot write {}", self.project.built.display()))?;
        Ok(None)
    }
}

/// componentize-py, told to make a component of a module for the world in the folder `wit`.
fn componentize(work: &Path, module: &str, out: &Path) -> anyhow::Result<Command> {
    if !is_in_path(COMPILER) {
        bail!("{COMPILER} is missing: `pip install {COMPILER}` installs it");
    }
    let mut command = Command::new(COMPILER);
    command.arg("--quiet").arg("--wit-path").arg(work.join("wit")).args(["--world", "plugin", "componentize"]);
    command.args(["--stub-wasi", module, "--output"]).arg(out).stdout(Stdio::null());
    // Nothing is left behind in the author's folders.
    command.env("PYTHONDONTWRITEBYTECODE", "1").current_dir(work);
    // What is wrong is told by the lines of Python alone.
    command.env("RUST_BACKTRACE", "0").env("RUST_LIB_BACKTRACE", "0");
    Ok(command)
}

/// Where the engine is kept that is made of this SDK and the contract.
fn engine_place(sdk: &Path) -> anyhow::Result<PathBuf> {
    let mut files = BTreeMap::new();
    collect(sdk, "", &mut files)?;
    let files = files.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    let hash = sdk::hash_of(files.chain(sdk::CONTRACT.iter().copied()));
    let folder = sdk::cache()?.join(format!("python-engine-{}", &hash[..16]));
    sdk::make_folder(&folder)?;
    Ok(folder.join("engine.wasm"))
}

/// The modules at and below a folder, by their paths from there.
fn collect(folder: &Path, below: &str, files: &mut BTreeMap<String, String>) -> anyhow::Result<()> {
    let unread = || format!("cannot read {}", folder.display());
    for entry in fs::read_dir(folder).with_context(unread)? {
        let entry = entry.with_context(unread)?;
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if name.starts_with(['.', '#']) || name == "__pycache__" {
            continue;
        }
        if path.is_dir() {
            collect(&path, &format!("{below}{name}/"), files)?;
        } else if name.ends_with(".py") {
            let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            files.insert(format!("{below}{name}"), text);
        }
    }
    Ok(())
}

/// Writes the contract, whose world imports what is named: all of it where nothing is.
fn write_contract(work: &Path, imports: Option<&[String]>) -> anyhow::Result<()> {
    sdk::write(work, sdk::CONTRACT)?;
    let Some(imports) = imports else { return Ok(()) };
    let world = sdk::CONTRACT.iter().find(|(name, _)| *name == WORLD).map(|(_, text)| *text);
    let world = trimmed(world.with_context(|| format!("the contract has no {WORLD}"))?, imports)?;
    sdk::write(work, &[(WORLD, &world)])
}

/// A file of the contract without the line that begins so, and the words above it.
fn without_item(text: &str, item: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for line in text.lines() {
        if !line.trim().starts_with(item) {
            kept.push(line);
            continue;
        }
        while kept.last().is_some_and(|above| above.trim().starts_with("///")) {
            kept.pop();
        }
    }
    kept.iter().map(|line| format!("{line}\n")).collect()
}

/// A world without the imports that are not named.
fn trimmed(world: &str, imports: &[String]) -> anyhow::Result<String> {
    let of_line = |line: &str| Some(line.trim().strip_prefix("import ")?.strip_suffix(';')?.to_owned());
    let known: Vec<String> = world.lines().filter_map(of_line).collect();
    if let Some(unknown) = imports.iter().find(|import| !known.contains(import)) {
        bail!("`imports` names {unknown:?}, which the contract does not have, only {}", known.join(", "));
    }
    let stays =
        |line: &&str| of_line(line).is_none_or(|import| NEEDED.contains(&import.as_str()) || imports.contains(&import));
    Ok(world.lines().filter(stays).map(|line| format!("{line}\n")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_world_has_what_is_named_and_what_each_plugin_needs() {
        let world = "world plugin {\n    import events;\n    import logging;\n    import storage;\n    import alarm;\n    export guest;\n}\n";
        let named = trimmed(world, &["alarm".to_owned()]).expect("a world");
        assert_eq!(named, world.replace("    import storage;\n", ""));
        let why = trimmed(world, &["disk".to_owned()]).expect_err("no such import").to_string();
        assert_eq!(
            why,
            "`imports` names \"disk\", which the contract does not have, only events, logging, storage, alarm"
        );
    }

    #[test]
    fn what_the_contract_got_later_can_be_left_out() {
        for (name, item, _) in LATER {
            let (_, text) = sdk::CONTRACT.iter().find(|(file, _)| *file == name).expect("a file of the contract");
            let kept = without_item(text, item);
            assert!(!kept.contains(item) && text.lines().count() > kept.lines().count(), "{name}: {item}");
            assert_eq!(kept.matches(";\n").count() + 1, text.matches(";\n").count(), "{name}: one item alone");
        }
        let text =
            "interface a {\n    /// One.\n    one: func();\n\n    /// Two,\n    /// at length.\n    two: func();\n}\n";
        assert_eq!(without_item(text, "two: func"), "interface a {\n    /// One.\n    one: func();\n\n}\n");
    }

    #[test]
    fn the_sdk_is_no_dependency_that_needs_a_build() {
        for needed in ["parlor", "parlor>=0.1", "Parlor [x]", "parlor @ file:///sdk"] {
            assert!(is_sdk(needed), "{needed}");
        }
        assert!(!is_sdk("parlor-tools") && !is_sdk("attrs"));
    }
}
