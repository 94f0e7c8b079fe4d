//! The engine of plugins in TypeScript: quickjs-ng and its glue, compiled to one component. `parlor build` makes plugins of it.
//!
//! The engine's C source comes with a crate, and the compiler is one that is here, or else pip's zig.

mod allocator;
mod depth;
mod views;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail, ensure};
use wasm_encoder::reencode::{self, Reencode};
use wasm_encoder::{ExportSection, Module};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::read;
use allocator::allocator;

/// The engine's own files, and those of the C SDK that declare the contract.
const GLUE: &str = "guest-sdk/typescript/engine";
const CONTRACT: [&str; 2] = ["guest-sdk/c/src", "guest-sdk/c/include"];

/// The files of quickjs-ng that make the language.
const QUICKJS: [&str; 4] = ["quickjs", "libregexp", "libunicode", "dtoa"];
const TARGET: [&str; 3] = ["-target", "wasm32-wasi", "-mexec-model=reactor"];
const CODE: [&str; 6] =
    ["-O3", "-DNDEBUG", "-D_GNU_SOURCE", "-D_WASI_EMULATED_SIGNAL", "-fno-sanitize=all", "-fno-strict-aliasing"];
const OWN: [&str; 6] =
    ["-std=gnu23", "-Wall", "-Wextra", "-Werror", "-Wno-int-to-pointer-cast", "-Wno-pointer-to-int-cast"];
/// The stack of what C keeps in memory, which is where JavaScript's own is as well: its bound is what throws a `RangeError`.
const STACK: u32 = 256 << 10;
const SCRIPT_STACK: u32 = 200 << 10;

/// What the linker adds for whoever has constructors, and we call by ourselves.
const START: &str = "_initialize";

/// Writes the component; nothing where there is no compiler, which is told in a line.
pub fn write(root: &Path, out: &Path) -> anyhow::Result<()> {
    let file = out.join("engine.wasm");
    for folder in [GLUE, CONTRACT[0], CONTRACT[1]] {
        println!("cargo::rerun-if-changed={}", root.join(folder).display());
    }
    let target = out.ancestors().nth(4).context("the folder of what is built lies in the target folder")?;
    let Some(compiler) = Compiler::find(root, target)? else {
        println!(
            "cargo::warning=plugins in TypeScript cannot be built: there is neither zig nor pip to fetch it (`pip install ziglang`)"
        );
        return fs::write(&file, []).context("cannot write the engine");
    };
    let module = linked(root, out, &compiler)?;
    fs::write(&file, component(root, &module)?).context("cannot write the engine")?;
    // The SDK's own tests look for it there.
    fs::copy(&file, target.join("engine.wasm")).context("cannot copy the engine")?;
    Ok(())
}

/// Compiles what has to be, and answers the core module.
fn linked(root: &Path, out: &Path, compiler: &Compiler) -> anyhow::Result<Vec<u8>> {
    let source = quickjs(root, out)?;
    let objects = out.join("engine");
    fs::create_dir_all(&objects).context("cannot make a folder for the engine")?;
    let mut made = Vec::new();
    let mut running = Vec::new();
    // The engine takes half a minute, and changes with its version alone.
    let changes = [include_str!("depth.rs"), include_str!("views.rs")].concat();
    let key = format!("{} {} {CODE:?} {changes}", source.display(), compiler.version);
    let is_known = fs::read_to_string(objects.join("key")).is_ok_and(|known| known == key);
    for name in QUICKJS {
        let object = objects.join(name).with_extension("o");
        if !is_known || !object.is_file() {
            let file = source.join(name).with_extension("c");
            let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
            let ours = objects.join(name).with_extension("c");
            let text = views::with_lengths(name, depth::with_depth(name, text)?)?;
            fs::write(&ours, text).with_context(|| format!("cannot write {}", ours.display()))?;
            let mut cc = compiler.command();
            cc.args(CODE).arg("-w").arg("-I").arg(&source).arg("-c").arg(&ours).arg("-o").arg(&object);
            running.push((cc.spawn().context("cannot run the compiler")?, name.to_owned()));
        }
        made.push(object);
    }
    let folder = root.join(GLUE);
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let file = entry?.path();
        if file.extension().is_none_or(|extension| extension != "c") {
            continue;
        }
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let object = objects.join(format!("parlor-{name}.o"));
        let mut cc = compiler.command();
        cc.args(CODE).args(OWN).arg(format!("-DPARLOR_STACK={SCRIPT_STACK}")).arg("-isystem").arg(&source);
        cc.args(CONTRACT.iter().flat_map(|part| [PathBuf::from("-I"), root.join(part)]));
        cc.arg("-c").arg(&file).arg("-o").arg(&object);
        running.push((cc.spawn().context("cannot run the compiler")?, name));
        made.push(object);
    }
    for (mut child, name) in running {
        ensure!(
            child.wait().context("cannot wait for the compiler")?.success(),
            "the engine's {name}.c does not compile"
        );
    }
    fs::write(objects.join("key"), key).context("cannot note how the engine was compiled")?;
    let module = objects.join("engine.core.wasm");
    let mut link = compiler.command();
    link.arg(format!("-Wl,-z,stack-size={STACK}")).args(["-Wl,--no-entry", "-Wl,--strip-debug", "-Wl,--gc-sections"]);
    made.push(allocator(&objects, compiler)?);
    run(link.args(&made).arg("-o").arg(&module))?;
    fs::read(&module).context("cannot read the engine's module")
}

/// The folder of quickjs-ng's source, as cargo fetches it.
fn quickjs(root: &Path, out: &Path) -> anyhow::Result<PathBuf> {
    let manifest = root.join("host/build/engine/quickjs/Cargo.toml");
    let crates = out.join("quickjs-source");
    let version = read(&manifest)?;
    let version = version.split_once("rquickjs-sys = \"=").and_then(|(_, rest)| rest.split_once('"'));
    let (version, _) = version.context("host/build/engine/quickjs/Cargo.toml names no version")?;
    let source = crates.join(format!("rquickjs-sys-{version}/quickjs"));
    if !source.is_dir() {
        let mut cargo = Command::new(env::var_os("CARGO").context("cargo runs this")?);
        cargo.args(["vendor", "--quiet", "--locked", "--versioned-dirs", "--manifest-path"]).arg(manifest).arg(&crates);
        run(&mut cargo)?;
    }
    Ok(source)
}

/// A component of the core module, which imports all of the contract.
fn component(root: &Path, module: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(root.join("wit")).context("the contract")?;
    let world = resolve.select_world(&[package], Some("plugin")).context("the contract's world")?;
    let mut kept = Module::new();
    Unstarted.parse_core_module(&mut kept, wasmparser::Parser::new(0), module).context("the engine's module")?;
    let mut module = kept.finish();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).context("the engine's module")?;
    let mut encoder = ComponentEncoder::default().validate(true).module(&module).context("the engine's module")?;
    encoder.encode().context("the engine's component")
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

/// A compiler of C to wasm.
struct Compiler {
    program: PathBuf,
    version: String,
    cache: PathBuf,
}

impl Compiler {
    /// One that is here already, or else the one that pip has.
    fn find(root: &Path, target: &Path) -> anyhow::Result<Option<Self>> {
        let (cache, fetched) = (target.join("zig-cache"), target.join("engine-tools"));
        let own = [target.join("toolchains"), fetched.clone()].map(|folder| folder.join("bin/python-zig"));
        let candidates = [PathBuf::from("zig"), PathBuf::from("python-zig")].into_iter().chain(own.clone());
        let here = |program: PathBuf| version(&program).map(|version| Self { program, version, cache: cache.clone() });
        if let Some(found) = candidates.into_iter().find_map(here) {
            return Ok(Some(found));
        }
        let list = read(&root.join("tests/toolchains.txt"))?;
        let zig =
            list.lines().find(|line| line.starts_with("ziglang==")).context("tests/toolchains.txt names no zig")?;
        println!(
            "cargo::warning=fetched {zig} by pip into {} (once), which compiles the engine of TypeScript plugins",
            fetched.display()
        );
        let python = fetched.join("bin/python");
        let is_fetched = run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&fetched))
            .and_then(|()| run(Command::new(python).args(["-m", "pip", "install", "--quiet", zig])));
        Ok(if is_fetched.is_ok() { here(own[1].clone()) } else { None })
    }

    fn command(&self) -> Command {
        let mut zig = self.tool("cc");
        zig.args(TARGET);
        zig
    }

    /// One of zig's programs.
    fn tool(&self, name: &str) -> Command {
        let mut zig = Command::new(&self.program);
        zig.arg(name).env("ZIG_GLOBAL_CACHE_DIR", &self.cache).env("ZIG_LOCAL_CACHE_DIR", &self.cache);
        zig
    }
}

/// What a zig says of itself; none where there is none.
fn version(zig: &Path) -> Option<String> {
    let output = Command::new(zig).arg("version").output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}
