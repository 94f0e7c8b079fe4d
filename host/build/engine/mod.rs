//! The engine of plugins in TypeScript: quickjs-ng and its glue, compiled to one component. `parlor build` makes plugins of it.
//!
//! The engine's C source comes with a crate, and the compiler is one that is here, or else pip's zig.

mod allocator;
mod compiler;
mod depth;
mod inside;
mod later;
mod places;
mod sources;
mod views;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use anyhow::{Context as _, ensure};
use wasm_encoder::reencode::{self, Reencode};
use wasm_encoder::{ExportSection, Module};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::read;
use allocator::{allocator, libc};
use compiler::{Compiler, run};

/// The engine's own files, and those of the C SDK that declare the contract.
const GLUE: &str = "guest-sdk/typescript/engine";
/// What is compiled with quickjs-ng itself.
const INSIDE: &str = "guest-sdk/typescript/engine/inside";
const CONTRACT: [&str; 2] = ["guest-sdk/c/src", "guest-sdk/c/include"];

/// The files of quickjs-ng that make the language.
const QUICKJS: [&str; 4] = ["quickjs", "libregexp", "libunicode", "dtoa"];
const CODE: [&str; 6] =
    ["-O3", "-DNDEBUG", "-D_GNU_SOURCE", "-D_WASI_EMULATED_SIGNAL", "-fno-sanitize=all", "-fno-strict-aliasing"];
const OWN: [&str; 6] =
    ["-std=gnu23", "-Wall", "-Wextra", "-Werror", "-Wno-int-to-pointer-cast", "-Wno-pointer-to-int-cast"];
/// The stack of what C keeps in memory, which is where JavaScript's own is as well: its bound is what throws a `RangeError`.
const STACK: u32 = 256 << 10;
const SCRIPT_STACK: u32 = 176 << 10;

/// What the linker adds for whoever has constructors, and we call by ourselves.
const START: &str = "_initialize";

/// What makes the engine, and is not the repository's.
struct Tools {
    compiler: Compiler,
    libc: PathBuf,
    /// The folder of quickjs-ng's source.
    source: PathBuf,
}

/// Writes the component; nothing where what makes it is not here and cannot be fetched, which is told in a line.
pub fn write(root: &Path, out: &Path) -> anyhow::Result<()> {
    let file = out.join("engine.wasm");
    for folder in [GLUE, CONTRACT[0], CONTRACT[1]] {
        println!("cargo::rerun-if-changed={}", root.join(folder).display());
    }
    let target = out.ancestors().nth(4).context("the folder of what is built lies in the target folder")?;
    let (zig, quickjs) = (Compiler::wanted(root)?, quickjs_version(root)?);
    let tools = Compiler::find(target, &zig)
        .and_then(|compiler| Ok(Tools { compiler, libc: libc()?, source: quickjs_source(root, out, &quickjs)? }));
    let tools = match tools {
        Ok(tools) => tools,
        Err(error) => {
            let why = format!("{error:#}").split_whitespace().collect::<Vec<_>>().join(" ");
            println!("cargo::warning=this build of parlor cannot build plugins in TypeScript: {why}");
            // A path that is never there has the next build try again.
            println!("cargo::rerun-if-changed={}", out.join("engine-is-missing").display());
            return fs::write(&file, []).context("cannot write the engine");
        }
    };
    let module = linked(root, out, &tools)?;
    fs::write(&file, component(root, &module)?).context("cannot write the engine")?;
    // The SDK's own tests look for it there.
    fs::copy(&file, target.join("engine.wasm")).context("cannot copy the engine")?;
    Ok(())
}

/// A C file that is being compiled: its name, and what does it.
type Compiling = (String, Child);

/// Compiles what has to be, and answers the core module.
fn linked(root: &Path, out: &Path, tools: &Tools) -> anyhow::Result<Vec<u8>> {
    let objects = out.join("engine");
    fs::create_dir_all(&objects).context("cannot make a folder for the engine")?;
    let malloc = allocator(&objects, &tools.compiler, &tools.libc)?;
    let (mut made, key, language) = language(root, &objects, tools)?;
    let (glued, glue) = glue(root, &objects, tools)?;
    if !language.is_empty() {
        finished(language)?;
        fs::write(objects.join("key"), key).context("cannot note how the engine was compiled")?;
    }
    finished(glue)?;
    made.extend(glued);
    made.push(malloc);
    let module = objects.join("engine.core.wasm");
    let mut link = tools.compiler.command();
    link.arg(format!("-Wl,-z,stack-size={STACK}")).args(["-Wl,--no-entry", "-Wl,--strip-debug", "-Wl,--gc-sections"]);
    run(link.args(&made).arg("-o").arg(&module))?;
    fs::read(&module).context("cannot read the engine's module")
}

/// The objects of quickjs-ng, the key of how they are compiled, and what compiles them: nothing where they are there. It takes half
/// a minute, and they change with their version alone.
fn language(root: &Path, objects: &Path, tools: &Tools) -> anyhow::Result<(Vec<PathBuf>, String, Vec<Compiling>)> {
    let ours =
        [include_str!("depth.rs"), include_str!("places.rs"), include_str!("sources.rs"), include_str!("views.rs")];
    let changes = ours.concat() + &inside::changes();
    let key = format!("{} {} {CODE:?} {changes}", tools.source.display(), tools.compiler.version);
    let made: Vec<_> = QUICKJS.iter().map(|name| objects.join(name).with_extension("o")).collect();
    let noted = objects.join("key");
    if fs::read_to_string(&noted).is_ok_and(|known| known == key) && made.iter().all(|object| object.is_file()) {
        return Ok((made, key, Vec::new()));
    }
    // Whoever is stopped half way leaves objects that nobody is to take for whole.
    if noted.exists() {
        fs::remove_file(&noted).with_context(|| format!("cannot remove {}", noted.display()))?;
    }
    let mut compiling = Vec::new();
    for (name, object) in QUICKJS.iter().zip(&made) {
        let file = tools.source.join(name).with_extension("c");
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let ours = objects.join(name).with_extension("c");
        let text = depth::with_depth(name, sources::with_shared_text(name, text)?)?;
        let text = places::with_places(name, views::with_lengths(name, text)?)?;
        let text = inside::with_insides(name, text)?;
        fs::write(&ours, text).with_context(|| format!("cannot write {}", ours.display()))?;
        let mut cc = tools.compiler.command();
        cc.args(CODE)
            .arg("-w")
            .arg("-I")
            .arg(&tools.source)
            .arg("-I")
            .arg(root.join(INSIDE))
            .arg("-c")
            .arg(&ours)
            .arg("-o")
            .arg(object);
        compiling.push(((*name).to_owned(), cc.spawn().context("cannot run the compiler")?));
    }
    Ok((made, key, compiling))
}

/// The objects of the engine's own files, and what compiles them. Their order is that of their names, as the linker's output has it.
fn glue(root: &Path, objects: &Path, tools: &Tools) -> anyhow::Result<(Vec<PathBuf>, Vec<Compiling>)> {
    let folder = root.join(GLUE);
    let cannot_read = || format!("cannot read {}", folder.display());
    let entries = fs::read_dir(&folder).with_context(cannot_read)?.map(|entry| entry.map(|entry| entry.path()));
    let mut files: Vec<_> = entries.collect::<Result<_, _>>().with_context(cannot_read)?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "c"));
    files.sort();
    let (mut made, mut compiling) = (Vec::new(), Vec::new());
    for file in files {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let object = objects.join(format!("parlor-{name}.o"));
        let mut cc = tools.compiler.command();
        cc.args(CODE).args(OWN).arg(format!("-DPARLOR_STACK={SCRIPT_STACK}")).arg("-isystem").arg(&tools.source);
        let folders = CONTRACT.iter().chain([&INSIDE]);
        cc.args(folders.flat_map(|part| [PathBuf::from("-I"), root.join(part)]));
        cc.arg("-c").arg(&file).arg("-o").arg(&object);
        compiling.push((name, cc.spawn().context("cannot run the compiler")?));
        made.push(object);
    }
    Ok((made, compiling))
}

fn finished(compiling: Vec<Compiling>) -> anyhow::Result<()> {
    for (name, mut child) in compiling {
        let status = child.wait().context("cannot wait for the compiler")?;
        ensure!(status.success(), "the engine's {name}.c does not compile");
    }
    Ok(())
}

/// The manifest that names the crate whose source quickjs-ng's is.
const QUICKJS_MANIFEST: &str = "host/build/engine/quickjs/Cargo.toml";

fn quickjs_version(root: &Path) -> anyhow::Result<String> {
    let manifest = read(&root.join(QUICKJS_MANIFEST))?;
    let version = manifest.split_once("rquickjs-sys = \"=").and_then(|(_, rest)| rest.split_once('"'));
    let (version, _) = version.with_context(|| format!("{QUICKJS_MANIFEST} names no version"))?;
    Ok(version.to_owned())
}

/// The folder of quickjs-ng's source, as cargo fetches it. An error says why it is missing.
fn quickjs_source(root: &Path, out: &Path, version: &str) -> anyhow::Result<PathBuf> {
    let crates = out.join(format!("quickjs-{version}"));
    if !crates.is_dir() {
        // It has its name when it is whole.
        let part = out.join("quickjs.part");
        if part.exists() {
            fs::remove_dir_all(&part).with_context(|| format!("cannot remove {}", part.display()))?;
        }
        let mut cargo = Command::new(env::var_os("CARGO").context("cargo runs this")?);
        cargo.args(["vendor", "--quiet", "--locked", "--versioned-dirs", "--manifest-path"]);
        run(cargo.arg(root.join(QUICKJS_MANIFEST)).arg(&part))
            .context("cargo did not fetch the source of quickjs-ng")?;
        fs::rename(&part, &crates).with_context(|| format!("cannot rename {}", part.display()))?;
    }
    Ok(crates.join(format!("rquickjs-sys-{version}/quickjs")))
}

/// A component of the core module, which imports all of the contract, with another one that does not.
fn component(root: &Path, module: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(root.join("wit")).context("the contract")?;
    let world = resolve.select_world(&[package], Some("plugin")).context("the contract's world")?;
    let mut kept = Module::new();
    Unstarted.parse_core_module(&mut kept, wasmparser::Parser::new(0), module).context("the engine's module")?;
    let mut module = kept.finish();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).context("the engine's module")?;
    let mut encoder = ComponentEncoder::default().validate(true).module(&module).context("the engine's module")?;
    let component = encoder.encode().context("the engine's component")?;
    later::with_first_edition(&component, &module)
}

/// Leaves out the function that would run constructors anew in each instance.
struct Unstarted;

impl Reencode for Unstarted {
    type Error = std::convert::Infallible;

    fn parse_export_section(
        &mut self,
        exports: &mut ExportSection,
        section: wasmparser::ExportSectionReader<'_>,
    ) -> Result<(), reencode::Error<Self::Error>> {
        for export in section {
            let export = export?;
            if export.name != START {
                self.parse_export(exports, export)?;
            }
        }
        Ok(())
    }
}
